"""What cog writes about the networks before residual ones: layouts by unit, and the tables."""

import re
import sys
import textwrap
from collections.abc import Sequence
from math import log10, prod

import generate
import generate_families as families

from benchmarks.measuring import kept
from nasablate.blueprint import Blueprint, describe, lower
from nasablate.blueprint.blueprint import Fragment
from nasablate.blueprint.describe import op_text
from nasablate.blueprint.layer import IMAGE, Layer
from nasablate.blueprint.layer_cost import layer_macs, layer_params
from nasablate.blueprint.ops import Act, Concat, Conv, Flatten, Norm, Pool, pair
from nasablate.figures.chart import ChartNetwork, Point, chart_data
from nasablate.figures.families import family, family_name
from nasablate.figures.plot_svg import Scale, line, svg_document, words_at
from nasablate.figures.svg import element
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits
from nasablate.genome.reported import reported_of

TRAINED = "classic_training"
"""Where ``benchmarks.classic_training`` keeps its rows; importing it would load torch."""
_BRANCH = re.compile(r"branch(\d+)_")
_SILENT = (Act, Norm, Concat, Flatten)
CHART = {
    "alexnet": (9, 0),
    "zfnet": (9, 0),
    "vgg-11": (9, 0),
    "vgg-16": (-9, 0),
    "vgg-19": (9, 0),
    "googlenet": (9, 0),
    "inception-v3": (-9, 8),
    "resnet-34": (-9, 0),
    "resnet-50": (-9, 0),
    "resnet-101": (-9, 0),
    "resnet-152": (9, -8),
    "preactresnet-200": (9, 0),
    "wide-resnet-50-2": (9, 4),
    "resnext101-64x4d": (-9, -2),
    "pyramidnet-imagenet-200-a300": (-9, 13),
    "senet-154": (9, 0),
    "resnest-101": (-9, 0),
}
"""Networks of the chart, and where their labels stand beside the marks, in pixels."""
HISTORY = (
    ("alexnet", "2012"),
    ("zfnet", "2013"),
    ("vgg-16", "2014"),
    ("googlenet", "2014"),
    ("inception-v3", "2015"),
    ("resnet-34", "2015"),
    ("resnet-152", "2015"),
    ("preactresnet-200", "2016"),
    ("wide-resnet-50-2", "2016"),
    ("resnext101-64x4d", "2016"),
    ("pyramidnet-imagenet-200-a300", "2016"),
    ("senet-154", "2017"),
    ("resnest-101", "2020"),
)


def write(text: str) -> None:
    """Write a part between blank lines, as cog's output."""
    generate.write(lambda: text)


def layout(*names: str) -> str:
    """Return a table for each preset: a line for every unit."""
    return "\n\n".join(_layout(name) for name in names)


def command(*arguments: str) -> str:
    """Return a command of nasablate and what it prints."""
    shown = generate.run_command(list(arguments))
    return "\n".join(["```", f"$ nasablate {' '.join(arguments)}", shown, "```"])


def against(*names: str) -> str:
    """Return what networks cost side by side: memory of activations, parameters, MACs."""
    rows: list[tuple[str, ...]] = []
    for name in names:
        blueprint = lower(load_genome(name))
        total, convs = describe(blueprint).cost, _of_convs(blueprint)
        rows.append(
            (
                f"`{name}`",
                f"{total.activation_bytes / 2**20:,.1f}",
                f"{total.params / 1e6:,.1f}",
                f"{(total.params - convs) / 1e6:,.1f}",
                f"{total.macs / 1e9:,.2f}",
            )
        )
    headers = ("preset", "activations MiB", "params M", "of them linear M", "MACs G")
    return families.table(headers, rows, numeric=headers[1:])


def stems(*names: str, side: int) -> str:
    """Return what networks cost until their maps have this side."""
    rows: list[tuple[str, ...]] = []
    for name in names:
        layers = _until(lower(load_genome(name)), side)
        memory = sum(prod(layer.shape) for layer in layers if not isinstance(layer.op, Act))
        rows.append(
            (
                f"`{name}`",
                str(sum(isinstance(layer.op, Conv) for layer in layers)),
                families.size(layers[-1].shape),
                f"{memory * 4 / 2**20:,.1f}",
                f"{sum(map(layer_params, layers)):,}",
                f"{sum(map(layer_macs, layers)) / 1e6:,.0f}",
            )
        )
    headers = ("preset", "convolutions", "output", "memory MiB", "params", "MACs M")
    return families.table(headers, rows, numeric=headers[1:])


def factorised() -> str:
    """Return what the forms of an n x n convolution of 64 channels cost on a map of 17 x 17."""
    rows: list[tuple[str, ...]] = []
    for kernel in (3, 5, 7):
        whole = _stage_of("window-square", {"unit.kernel": kernel})[1]
        for form in ("square", "stacked", "row-column", "parallel"):
            if kernel == 3 and form == "stacked":
                continue
            _, params, macs = _stage_of(f"window-{form}", {"unit.kernel": kernel})
            share = f"{params / whole:.0%}"
            rows.append((f"{kernel}x{kernel}", form, f"{params:,}", f"{macs:,}", share))
    headers = ("kernel", "form", "weights", "MACs", "share")
    return families.table(headers, rows, numeric=headers[2:])


def reductions() -> str:
    """Return what three ways from 35x35x320 to 17x17x640 cost (arXiv 1512.00567, Fig. 9, 10)."""
    ways = {
        "convolution, then pool": "convolution-then-pool",
        "pool, then convolution": "pool-then-convolution",
        "both in parallel": "parallel",
    }
    rows: list[tuple[str, ...]] = []
    for name, file in ways.items():
        output, params, macs = _stage_of(f"reduction-{file}", {})
        rows.append((name, output, f"{params:,}", f"{macs:,}"))
    return families.table(("way", "output", "weights", "MACs"), rows, ("output", "weights", "MACs"))


def history() -> str:
    """Return the networks of the walk with cost and the best reported top-1 error."""
    rows: list[tuple[str, ...]] = []
    for name, year in HISTORY:
        total = describe(lower(load_genome(name)), name)
        found = [row for row in reported_of(name) if row.dataset == "imagenet"]
        text = "; ".join(f"{row.numbers} ({row.source})" for row in found[:1]) or "none was read"
        counts = f"{total.cost.params / 1e6:.1f}", f"{total.cost.macs / 1e9:.2f}"
        rows.append((year, f"`{name}`", str(total.weight_layers), *counts, text))
    headers = ("year", "preset", "weight layers", "params M", "MACs G", "reported on ImageNet")
    return families.table(headers, rows, numeric=headers[2:5])


def learning() -> str:
    """Return how the small members of the classic networks learned, as it was measured."""
    found = kept(TRAINED)
    assert found is not None
    rows = [
        (
            f"`{name}`",
            f"{row['params']:,}",
            f"{row['macs']:,}",
            ", ".join(f"{loss:.3f}" for loss in row["losses"]),
            f"{row['val_errors'][-1]:.1f} %",
        )
        for name, row in found["rows"].items()
    ]
    headers = ("small member of", "params", "MACs", "loss", "error")
    return families.table(headers, rows, numeric=("params", "MACs", "error"))


def chart(alt: str) -> str:
    """Return the picture of the walk; its file is written as those of families are."""
    file = generate.ROOT / "docs" / "figures" / "history.svg"
    drawn = _chart()
    if "-r" in sys.argv:
        file.write_text(drawn, encoding="utf-8")
    parts = [f"![{alt}](figures/{file.name})"]
    if not file.exists() or file.read_text(encoding="utf-8") != drawn:
        parts.append(f"{file.name} is not what this page draws.")
    return "\n\n".join(parts)


def chart_command() -> str:
    """Return the command that draws the chart of the walk as a page, with the same numbers."""
    words = f"nasablate describe --chart history.html --dataset imagenet {' '.join(CHART)}"
    lines = textwrap.wrap(words, 96, break_long_words=False, break_on_hyphens=False)
    return "\n".join(["```sh", " \\\n  ".join(lines), "```"])


def _points() -> Sequence[Point]:
    networks = [
        ChartNetwork(name, load_genome(name), is_preset=True, reported=reported_of(name))
        for name in CHART
    ]
    return chart_data(networks, y="error", size="params", dataset="imagenet").points


def _chart() -> str:
    """Return reported top-1 errors on ImageNet against multiply-adds, one mark per network."""
    points: list[tuple[str, float, float]] = []
    for point in _points():
        points.append((point.name, point.macs, point.y))
    x, y = Scale(8.75, 10.75, 70, 780), Scale(15, 45, 430, 40)
    parts = [words_at("reported top-1 error on ImageNet, %", 16, 22, "pl-strong")]
    for error in range(15, 46, 5):
        parts.append(line(70, y.at(error), 780, y.at(error), "pl-rule"))
        parts.append(words_at(str(error), 60, y.at(error) + 4, "pl-end pl-small"))
    for macs in (1, 2, 5, 10, 20, 50):
        place = x.at(log10(macs * 1e9))
        parts.append(line(place, 430, place, 436, "pl-axis"))
        parts.append(words_at(f"{macs:g}", place, 452, "pl-middle pl-small"))
    parts.append(words_at("multiply-adds, in thousand millions", 425, 478, "pl-middle"))
    for name, macs, error in points:
        mark = family(family_name(name))
        place = (x.at(log10(macs)), y.at(error))
        parts.append(element("circle", cx=place[0], cy=place[1], r=5, fill=mark.colour))
        right, down = CHART[name]
        side = "pl-small" if right > 0 else "pl-small pl-end"
        parts.append(words_at(name, place[0] + right, place[1] + 4 + down, side))
    words = "; ".join(
        f"{name}: {macs:,} multiply-adds, {error:g} %" for name, macs, error in points
    )
    return svg_document("A short history in genomes", words, (820, 496), parts)


def _layout(name: str) -> str:
    genome = load_genome(name)
    blueprint = lower(genome)
    parts = [*blueprint.parts, *(head.part for head in blueprint.auxiliary)]
    rows = [
        (
            part.name,
            unit_words(part.fragment),
            families.size(part.fragment.output_shape),
            f"{part.fragment.cost.params:,}",
            f"{part.fragment.cost.macs:,}",
        )
        for part in parts
        if part.fragment.layers
    ]
    size = families.size(blueprint.input)
    headers = ("unit", "layers", "output", "params", "MACs")
    body = families.table(headers, rows, numeric=headers[2:])
    return f"`{name}`: input {size}, {genome.classes} classes\n\n{body}"


def unit_words(fragment: Fragment) -> str:
    """Return a unit's layers in order; branches side by side are joined by ``+``."""
    parts: list[str] = []
    branches: dict[str, list[str]] = {}
    for layer in fragment.layers:
        if isinstance(layer.op, _SILENT):
            continue
        found = _BRANCH.match(layer.name)
        if found:
            branches.setdefault(found[1], []).append(_layer_words(layer))
        else:
            parts.append(_layer_words(layer))
    if branches:
        inside = " + ".join("; ".join(words) for words in branches.values())
        parts.insert(_before_branches(fragment), inside)
    return "; ".join(parts)


def _before_branches(fragment: Fragment) -> int:
    return sum(IMAGE in layer.inputs for layer in fragment.layers if layer.name == "stage_pool")


def _layer_words(layer: Layer) -> str:
    match layer.op:
        case Conv() as conv:
            stride = f" /{conv.stride}" if conv.stride > 1 else ""
            groups = f", {conv.groups} groups" if conv.groups > 1 else ""
            return "{}x{}".format(*pair(conv.kernel)) + f"{stride}, {conv.outputs}{groups}"
        case Pool() as pool:
            return op_text(pool).removesuffix(", ceil")
        case _:
            return op_text(layer.op)


def _of_convs(blueprint: Blueprint) -> int:
    return sum(layer_params(layer) for layer in blueprint.layers if isinstance(layer.op, Conv))


def _until(blueprint: Blueprint, side: int) -> Sequence[Layer]:
    """Return the layers up to the first whose map has the side."""
    for index, layer in enumerate(blueprint.layers):
        if layer.shape[-1] <= side:
            return blueprint.layers[: index + 1]
    raise AssertionError(side)


def _stage_of(name: str, edits: dict[str, object]) -> tuple[str, int, int]:
    """Return output, weights and multiply-adds of the one stage of a genome of docs/tables."""
    genome = load_genome(generate.ROOT / "docs" / "tables" / f"{name}.yaml")
    document, ignored = apply_edits(Genome, genome.document(), edits)
    assert not ignored
    fragment = lower(Genome.parse(document)).parts[1].fragment
    found = fragment.cost
    return families.size(fragment.output_shape), found.params - found.norm_params, found.macs
