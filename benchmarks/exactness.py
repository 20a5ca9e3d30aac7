"""The table of docs/exactness.md: every preset, its counts and what it was compared with.

    python -m benchmarks.exactness [--write] [--counts-only] [PRESET ...]

Prints the table; ``--write`` puts it into docs/exactness.md. Measuring needs torchvision and timm
(``pip install nasablate[oracle]``) and about ten minutes of one core; ``--counts-only`` keeps the
measured columns of the rows whose network has not changed. Ends with exit code 1 if a count or a
network differs.
"""

import argparse
import sys
from collections import defaultdict
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from nasablate.blueprint import cost, digest, lower
from nasablate.errors import SpecError
from nasablate.genome import Genome, genome_presets, load_genome
from nasablate.genome.edits import apply_edits

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "exactness.md"
REFERENCES = ROOT / "tests" / "reference" / "params.yaml"
LIMIT = 1e-9
NOTHING = "-"

FAMILIES: dict[str, tuple[str, ...]] = {
    "Plain networks": ("plain-",),
    "ResNet": ("resnet-",),
    "Pre-activation ResNet": ("preactresnet-",),
    "Wide ResNet": ("wrn-", "wide-resnet-"),
    "ResNeXt": ("resnext",),
    "SENet": ("senet-", "seresnet-", "seresnext"),
    "ResNeSt": ("resnest-",),
    "Res2Net": ("res2net-", "res2next-"),
    "ReXNet": ("rexnet-",),
    "PyramidNet": ("pyramidnet-",),
    "LeNet": ("lenet-",),
    "AlexNet and ZFNet": ("alexnet", "caffenet", "zfnet"),
    "Network in Network": ("nin-",),
    "VGG": ("vgg-",),
    "Inception": ("googlenet", "inception-"),
}
"""Titles, and how the names of the presets begin."""

INTRODUCTION = """# Exactness

Written by `python -m benchmarks.exactness --write`; do not edit.

Parameters and multiply-adds (MACs, of convolutions and linear layers, for one image) are counted in
plain Python. *Reference* is the count of the authors' code or of another library, or a closed form,
and where it comes from; *equal* says what of it was compared and found equal.

*Same network as* names what a network was compared with, number by number, in float64 on random
weights and images: logits with running statistics, logits with the statistics of the batch, and the
gradients of all parameters (with torchvision and timm also the running statistics after a step).
`written out` stands for an implementation in the tests, line by line, that shares no code with the
package; it was compared at a small size. A preset stands beside it if it is the same network once
it has that size. *Error* is the largest difference, relative to the largest value of its tensor.
`-`: not compared.
"""
COLUMNS = ("preset", "params", "MACs", "reference", "equal", "same network as", "error", "digest")


@dataclass(frozen=True)
class Row:
    """One preset."""

    preset: str
    params: int
    macs: int
    reference: str
    equal: str
    """What of the reference was compared: ``params, MACs``, ``params``, ``no`` or nothing."""
    digest: str
    checked: str = NOTHING
    error: str = NOTHING

    def cells(self) -> tuple[str, ...]:
        """The texts of the table's columns."""
        counts = f"{self.params:,}", f"{self.macs:,}"
        rest = (self.reference, self.equal, self.checked, self.error, f"`{self.digest}`")
        return (self.preset, *counts, *rest)


def main() -> int:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", metavar="PRESET", help="measure these only")
    parser.add_argument("--write", action="store_true", help="write docs/exactness.md")
    parser.add_argument("--counts-only", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    old = read_table()
    rows = [kept(row, old) for row in counted()]
    if not arguments.counts_only:
        chosen = set(arguments.presets) or {row.preset for row in rows}
        measured = measure(chosen)
        rows = [replace(row, **measured.get(row.preset, {})) for row in rows]
    text = markdown(rows)
    print(text)
    if arguments.write:
        TABLE.write_text(text, encoding="utf-8")
    return 1 if any(map(wrong, rows)) else 0


def counted() -> list[Row]:
    """Return the rows of all presets without measured columns."""
    references = defaultdict[str, list[dict[str, Any]]](list)
    for reference in YAML(typ="safe").load(REFERENCES.read_text(encoding="utf-8")):
        if not reference.get("changes"):
            references[reference["preset"]].append(reference)
    return [_counted(name, references[name]) for name in genome_presets()]


def _counted(name: str, references: list[dict[str, Any]]) -> Row:
    blueprint = lower(load_genome(name))
    found = cost(blueprint)
    # a reference with multiply-adds says more
    references = sorted(references, key=lambda reference: "macs" not in reference)
    equal = NOTHING
    if references:
        right = all(
            (found.params, reference.get("macs", found.macs)) == (reference["params"], found.macs)
            for reference in references
        )
        equal = ("params, MACs" if "macs" in references[0] else "params") if right else "no"
    return Row(
        preset=name,
        params=found.params,
        macs=found.macs,
        reference=_reference(references),
        equal=equal,
        digest=digest(blueprint)[:12],
    )


def _reference(references: list[dict[str, Any]]) -> str:
    if not references:
        return NOTHING
    first, *others = references
    counts = f"{first['params']:,}"
    if "macs" in first:
        counts += f" and {first['macs']:,}"
    more = f"; {len(others)} more" if others else ""
    return f"{counts}: {first['source'].replace('|', '/')}{more}"


def measure(presets: set[str]) -> dict[str, dict[str, str]]:
    """Compare networks; return the measured columns by preset."""
    found = defaultdict[str, list[tuple[str, float]]](list)
    for preset, what, error in [*_written_out(presets), *_with_other_libraries(presets)]:
        found[preset].append((what, error))
    return {
        preset: {
            "checked": "; ".join(dict.fromkeys(what for what, _ in entries)),
            "error": f"{max(error for _, error in entries):.0e}".replace("0e+00", "0"),
        }
        for preset, entries in found.items()
    }


def _with_other_libraries(presets: set[str]) -> list[tuple[str, str, float]]:
    from benchmarks.oracles import compare
    from tests.nets.oracle_roles import ORACLES

    results: list[tuple[str, str, float]] = []
    for oracle in ORACLES:
        if oracle.preset not in presets:
            continue
        error = compare(oracle).largest
        print(f"{oracle.preset} and {oracle.described}: {error:.1e}", file=sys.stderr, flush=True)
        results.append((oracle.preset, oracle.described, error))
    return results


def _written_out(presets: set[str]) -> list[tuple[str, str, float]]:
    """Run the tests that write networks out, and find the presets they are the networks of."""
    import pytest

    files = sorted(map(str, (ROOT / "tests" / "nets").glob("test_written_out*.py")))
    with redirect_stdout(sys.stderr):
        status = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *files])
    if status != pytest.ExitCode.OK:
        raise SystemExit("the networks written out differ, see above")
    # pytest checks the arrays' shapes in modules it is the first to import
    from tests.nets.writing import COMPARED

    digests = {id(compared): digest(lower(compared.genome)) for compared in COMPARED}
    results: list[tuple[str, str, float]] = []
    for preset in sorted(presets):
        genome = load_genome(preset)
        for compared in COMPARED:
            if sized(genome, compared.genome) == digests[id(compared)]:
                results.append((preset, "written out", compared.error))
    return results


def sized(genome: Genome, like: Genome) -> str:
    """Return the digest of a genome that has been given another one's sizes, if it can have them.

    Sizes are numbers of units, channels, groups and classes, and how much dropout there is if any;
    what stands where is no size.
    """
    other = like.document()
    paths = ("input", "classes", "width", "stem.width", "stem.mid", "widening.alpha",
             "widening.widths", "widening.multiplier", "head.hidden", "unit.cardinality",
             "unit.base_width", "unit.res2net_scale", "se.ratio", "se.stages",
             "head.penultimate")  # fmt: skip
    if genome.dropout > 0:
        paths += ("dropout",)
    if genome.head.dropout > 0:
        paths += ("head.dropout",)
    sizes = {path: value for path in paths if (value := _at(other, path)) is not None}
    own = [stage.document() for stage in genome.stages]
    sizes["stages"] = [
        {**(own[index] if index < len(own) else {}), "units": stage.units, "stride": stage.stride}
        for index, stage in enumerate(like.stages)
    ]
    document, _ = apply_edits(Genome, genome.document(), sizes)
    try:
        return digest(lower(Genome.parse(document)))
    except SpecError:
        return ""


def _at(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document.get(key) if isinstance(document, dict) else None
    return document


def kept(row: Row, old: dict[str, tuple[str, ...]]) -> Row:
    """Return the row with the measured columns of the table in the repository.

    They are kept if the digest is the same.
    """
    cells = old.get(row.preset)
    if cells is None or cells[-1] != f"`{row.digest}`":
        return row
    return replace(row, checked=cells[5], error=cells[6])


def read_table() -> dict[str, tuple[str, ...]]:
    """Return the cells of docs/exactness.md by preset."""
    if not TABLE.exists():
        return {}
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    cells = [tuple(line.strip("| ").split(" | ")) for line in lines if line.startswith("| ")]
    return {line[0]: line for line in cells if line[0] != COLUMNS[0]}


def wrong(row: Row) -> bool:
    """Return whether a count differs from its reference, or a network from its like."""
    return row.equal == "no" or (row.error != NOTHING and float(row.error) > LIMIT)


def markdown(rows: list[Row]) -> str:
    """Return the whole document."""
    equal = sum(row.equal.startswith("params") for row in rows)
    same = [row for row in rows if row.error != NOTHING]
    worst = max((float(row.error) for row in same), default=0.0)
    summary = (
        f"{len(rows)} presets; {equal} have a reference count and equal it; {len(same)} were "
        f"compared number by number, with a largest relative error of {worst:.0e}."
    )
    parts = [INTRODUCTION, summary, ""]
    for title, beginnings in FAMILIES.items():
        own = sorted((row for row in rows if row.preset.startswith(beginnings)), key=_natural)
        parts += [f"## {title}", "", _line(COLUMNS), "|---|--:|--:|---|---|---|--:|---|"]
        parts += [_line(row.cells()) for row in own]
        parts.append("")
    return "\n".join(parts)


def _natural(row: Row) -> list[tuple[int, float, str]]:
    """Sort key by which resnet-20 comes before resnet-110."""
    words = row.preset.split("-")
    return [(0, float(word), "") if word.isdigit() else (1, 0.0, word) for word in words]


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
