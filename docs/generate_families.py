"""What cog writes into docs/families: layouts, presets, reported numbers and pictures."""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import generate

from nasablate.blueprint import Blueprint, Description, describe, lower
from nasablate.blueprint.blueprint import Fragment, Part
from nasablate.blueprint.describe import op_text
from nasablate.blueprint.layer import Layer
from nasablate.blueprint.ops import Conv, Flatten
from nasablate.cli.describe_text import widths_text
from nasablate.figures.outline import shortcut_kind, shortcut_ops
from nasablate.genome import genome_presets, load_genome
from nasablate.genome.reported import Reported, reported_numbers

FOLDER = Path(__file__).resolve().parent / "families"
_PAPER = re.compile(r"\d{4}\.\d{5}")
_SIDE = ("shortcut_", "se_", "attention_")
"""How layers begin that are no part of a branch's own convolutions."""


@dataclass(frozen=True, slots=True)
class Family:
    """A page and the papers whose networks it has."""

    page: str
    title: str
    idea: str
    papers: tuple[str, ...]
    """Numbers at arXiv; a preset belongs to the first paper that its ``source`` names."""
    names: tuple[str, ...] = ()
    """How the presets begin, where papers do not tell; some are older than arXiv."""


FAMILIES = (
    Family("lenet", "LeNet", "learn the features too", (), ("lenet",)),
    Family(
        "alexnet",
        "AlexNet and ZFNet",
        "the same, much larger, with ReLU and dropout",
        ("1311.2901",),
        ("alexnet", "caffenet", "zfnet"),
    ),
    Family(
        "nin", "Network in Network", "a small network at every position", ("1312.4400",), ("nin-",)
    ),
    Family("vgg", "VGG", "3x3 convolutions only, and more of them", ("1409.1556",), ("vgg-",)),
    Family(
        "inception",
        "GoogLeNet and Inception",
        "windows of several sizes side by side",
        ("1409.4842", "1512.00567", "1602.07261"),
        ("googlenet", "inception"),
    ),
    Family(
        "plain-and-resnet",
        "Plain networks and ResNet",
        "add a unit's input to its output",
        ("1512.03385", "1812.01187"),
    ),
    Family(
        "preactivation",
        "Pre-activation ResNet",
        "keep the path of the shortcuts free of everything",
        ("1603.05027",),
    ),
    Family("wide-resnet", "Wide ResNet", "fewer units, each wider", ("1605.07146",)),
    Family(
        "stochastic-depth",
        "Stochastic depth",
        "skip branches at random in training",
        ("1603.09382",),
    ),
    Family("resnext", "ResNeXt", "split the 3x3 convolution into groups", ("1611.05431",)),
    Family("senet", "SENet", "scale each channel by a gate that saw all pixels", ("1709.01507",)),
    Family("resnest", "ResNeSt", "let attention weigh the splits of a group", ("2004.08955",)),
    Family("res2net", "Res2Net", "a chain of small 3x3 convolutions in a unit", ("1904.01169",)),
    Family("rexnet", "ReXNet", "linear bottlenecks that widen in a straight line", ("2007.00992",)),
    Family("pyramidnet", "PyramidNet", "widen a little in every unit", ("1610.02915",)),
)


def write(text: str) -> None:
    """Write a part between blank lines, as cog's output."""
    generate.write(lambda: text)


def index() -> str:
    """Return a line per family: its page, its papers and how many presets it has."""
    rows = [
        (
            f"[{family.title}]({family.page}.md)",
            family.idea,
            ", ".join(f"[{paper}](https://arxiv.org/abs/{paper})" for paper in family.papers)
            or "-",
            str(len(members(family.page))),
        )
        for family in FAMILIES
    ]
    return table(("family", "idea", "arXiv", "presets"), rows, numeric=("presets",))


@cache
def members(page: str) -> tuple[str, ...]:
    """Return the presets of a page, numbers within names in their order."""
    family = next(family for family in FAMILIES if family.page == page)
    found = [name for name, paper in _first_papers().items() if paper in family.papers]
    if family.names:
        found = [name for name in genome_presets() if name.startswith(family.names)]
    return tuple(sorted(found, key=_natural))


def presets(page: str) -> str:
    """Return the presets of a page with their costs."""
    rows = [_costs(name) for name in members(page)]
    headers = ("preset", "input", "weight layers", "params", "of them in BN", "MACs")
    return table(headers, rows, numeric=headers[2:])


def layout(*names: str) -> str:
    """Return a table for each preset: stem, stages and head as the blueprint has them."""
    return "\n\n".join(_layout(name) for name in names)


def reported(page: str) -> str:
    """Return the numbers that others report for a page's presets, and which have none."""
    rows = [row for name in members(page) for row in reported_numbers() if row.genome == name]
    numbers = {source: n for n, source in enumerate(dict.fromkeys(r.source for r in rows), 1)}
    headers = ("preset", "data", "error", "how", "source")
    cells = [
        (f"`{row.genome}`", row.dataset, row.numbers, _how(row), f"({numbers[row.source]})")
        for row in rows
    ]
    parts = [table(headers, cells)] if rows else []
    parts += ["\n".join(f"{n}. {text}" for text, n in numbers.items())] if rows else []
    missing = [name for name in members(page) if name not in {row.genome for row in rows}]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        parts.append(f"No number was read for {names}.")
    return "\n\n".join(parts)


def picture(name: str, alt: str) -> str:
    """Return the command that draws a preset, and its picture.

    The file is written when cog replaces (``make docs``). When cog only checks, a file that is
    not what the command writes shows as a difference of the page.
    """
    file = FOLDER / f"{name}.svg"
    drawn = drawing(name)
    if "-r" in sys.argv:
        file.write_text(drawn, encoding="utf-8")
    command = f"nasablate describe {name} --svg docs/families/{file.name}"
    parts = [f"```sh\n{command}\n```", f"![{alt}]({file.name})"]
    if not file.exists() or file.read_text(encoding="utf-8") != drawn:
        parts.append(f"{file.name} is not what the command writes.")
    return "\n\n".join(parts)


def drawing(name: str) -> str:
    """Return what ``nasablate describe NAME --svg`` writes."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "network.svg"
        generate.run_command(["describe", name, "--svg", str(file)])
        return file.read_text(encoding="utf-8")


@cache
def _first_papers() -> dict[str, str]:
    """Return the first paper that each preset's source names, empty if there is none."""
    found = {name: _PAPER.search(load_genome(name).source) for name in genome_presets()}
    return {name: paper.group() if paper else "" for name, paper in found.items()}


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


@cache
def _blueprint(name: str) -> Blueprint:
    return lower(load_genome(name))


@cache
def _description(name: str) -> Description:
    return describe(_blueprint(name), name)


def _costs(name: str) -> tuple[str, ...]:
    found = _description(name)
    counts = (found.weight_layers, found.cost.params, found.cost.norm_params, found.cost.macs)
    return (f"`{name}`", size(found.input), *(f"{count:,}" for count in counts))


def _layout(name: str) -> str:
    found = _description(name)
    groups = groupby(
        _blueprint(name).parts,
        key=lambda part: part.name if part.stage < 0 else f"stages.{part.stage}",
    )
    rows = [_section(section, list(parts)) for section, parts in groups]
    headers = ("part", "output", "units", "branch of each unit", "shortcuts", "params", "MACs")
    title = f"`{name}`: input {size(found.input)}, {found.classes} classes"
    return f"{title}\n\n{table(headers, rows, numeric=('units', 'params', 'MACs'))}"


def _section(name: str, parts: Sequence[Part]) -> tuple[str, ...]:
    fragments = [part.fragment for part in parts]
    in_stage = parts[0].stage >= 0
    return (
        name,
        size(fragments[-1].output_shape),
        str(len(parts)) if in_stage else "",
        _branches(fragments) if in_stage else _every_op(fragments[0]),
        _shortcuts(fragments) if in_stage else "",
        f"{sum(fragment.cost.params for fragment in fragments):,}",
        f"{sum(fragment.cost.macs for fragment in fragments):,}",
    )


def _every_op(fragment: Fragment) -> str:
    ops = [layer.op for layer in fragment.layers if not isinstance(layer.op, Flatten)]
    return "; ".join(op_text(op) for op in ops)


def _branches(fragments: Sequence[Fragment]) -> str:
    """Return a stage's convolutions in order; equal ones that follow each other as one."""
    columns = zip(*(_own_convs(fragment.layers) for fragment in fragments), strict=True)
    texts = [_conv_text(convs) for convs in columns]
    found = [(text, len(list(group))) for text, group in groupby(texts)]
    return "; ".join(f"{text} (x{count})" if count > 1 else text for text, count in found)


def _own_convs(layers: Iterable[Layer]) -> list[Conv]:
    return [
        layer.op
        for layer in layers
        if isinstance(layer.op, Conv) and not layer.name.startswith(_SIDE)
    ]


def _conv_text(convs: Sequence[Conv]) -> str:
    first = convs[0]
    size, widths = f"{first.kernel}x{first.kernel}", widths_text([conv.outputs for conv in convs])
    if first.groups == first.inputs > 1:
        return f"depthwise {size}, {widths}"
    groups = f", {first.groups} groups" if first.groups > 1 else ""
    return f"{size}, {widths}{groups}"


def _shortcuts(fragments: Sequence[Fragment]) -> str:
    kinds = Counter(shortcut_kind(shortcut_ops(fragment)) for fragment in fragments)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def _how(row: Reported) -> str:
    computed = "computed from numbers of the source" if row.status == "computed" else ""
    return "; ".join(part for part in (row.how, computed) if part)


def size(shape: Sequence[int]) -> str:
    """Return a shape as ``3 x 32 x 32``."""
    return " x ".join(map(str, shape))


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[str] = ()
) -> str:
    """Return a Markdown table; ``numeric`` columns stand to the right."""
    rule = ["---:" if header in numeric else "---" for header in headers]
    lines = [headers, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
