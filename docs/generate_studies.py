"""What cog writes into docs/studies.md: the studies that come with nasablate and their sizes."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import generate

from nasablate.data import DataInfo
from nasablate.genome import AblationSpec, file_kind, load_ablation
from nasablate.search.arms import Arms, resolve_arms

FOLDER = generate.ROOT / "studies"
_BACKWARD = 3
"""Multiply-adds of learning from an image, over those of looking at it."""


@dataclass(frozen=True, slots=True)
class Images:
    """What of a data set decides about the cost of an ablation."""

    channels: int
    size: int
    classes: int
    training: int
    """Before the validation part is taken away."""
    validation: float
    """The share that validates where the study does not say."""


MATCHED = 0.01
"""Relative difference of a cost up to which an arm counts as matched."""
_SIZES = ("depth", "width")
"""Factors that ask about the size itself, whose arms are not to be matched."""


@dataclass(frozen=True, slots=True)
class Gap:
    """How far an arm's cost lies from the reference's, relative."""

    params: float
    macs: float
    asks_size: bool
    """Whether the size itself is what the arm asks about."""
    is_papers: bool
    """Whether the network is a paper's, whose cost is not ours to choose."""
    is_twin: bool
    """Whether it stands beside an arm of another cost, to be of the reference's."""
    has_twin: bool
    """Whether a matched arm stands beside it."""

    @property
    def is_matched(self) -> bool:
        """Whether parameters or multiply-adds are matched."""
        return min(self.params, self.macs) <= MATCHED


IMAGES = {
    "cifar10": Images(3, 32, 10, 50_000, 0.1),
    "cifar10-jpeg": Images(3, 32, 10, 50_000, 0.1),
    "parquet:imagenet-1k": Images(3, 224, 1000, 1_281_167, 0.0),
    "digits": Images(1, 8, 10, 1_438, 0.25),
}


def overview() -> str:
    """Return a line per study: its question, the paper and what is varied."""
    rows = [
        (f"[{folder}](../studies/{folder})", spec.question, _papers(path), _varied(spec))
        for path in sorted(FOLDER.glob("*/paper.yaml"))
        if file_kind(path) == "ablation"
        for folder, spec in [(path.parent.name, _spec(path))]
    ]
    return _table(("study", "question", "arXiv", "arms"), rows)


def lectures() -> str:
    """Return a line per study that has no paper's size: its question, papers and what is varied."""
    folders = sorted({path.parent for path in _files() if path.name == "smoke.yaml"})
    rows = [
        (
            f"[{path.parent.name}](../studies/{path.parent.name})",
            spec.question,
            _papers(path),
            _varied(spec),
        )
        for folder in folders
        if not (folder / "paper.yaml").exists()
        for path in [min(folder.glob("*.yaml"))]  # the reduced one, if there is one
        for spec in [_spec(path)]
    ]
    return _table(("study", "question", "arXiv", "arms"), rows)


def sizes() -> str:
    """Return a line per file but smoke tests: data, arms, seeds, epochs, multiply-adds, time."""
    files = [path for path in _files() if not path.stem.startswith("smoke")]
    headers = ("file", "data", "design", "arms x seeds", "epochs", "multiply-adds", "estimated")
    return _table(headers, [_size(path) for path in sorted(files, key=_order)])


def matching() -> str:
    """Return a line per file: how many arms are matched in cost, the largest gaps, and why."""
    headers = ("file", "arms", "ask size", "matched", "in both", "params", "multiply-adds", "why")
    return _table(headers, [_match(path) for path in sorted(_files(), key=_order)])


def matched_share() -> str:
    """Return how many arms of all files ask about size, are a paper's, or are ours; and matched."""
    found = [gap for path in _files() for gap in gaps(path)]
    asked = [gap for gap in found if gap.asks_size]
    twins = [gap for gap in found if gap.is_twin]
    others = [gap for gap in found if not (gap.asks_size or gap.is_twin)]
    rows = [
        ("size is what they ask", str(len(asked)), "", "", ""),
        ("of `paper*.yaml`, as the papers have them", *_counted(_only(others, papers=True))),
        ("matched twins beside them", *_counted(twins)),
        ("of `reduced*` and `smoke*.yaml`, ours to match", *_counted(_only(others, papers=False))),
    ]
    table = _table(("arms", "number", "matched", "in both", "farthest"), rows)
    matched = sum(gap.is_matched for gap in others)
    beside = sum(gap.has_twin and not gap.is_matched for gap in others)
    count, rest = len(others), len(others) - matched - beside
    return (
        f"{table}\n\nOf the {count} cells that do not ask about size {matched}"
        f" ({matched / count:.0%}) are matched as they are and {beside} more by a twin beside them,"
        f" {matched + beside} together ({(matched + beside) / count:.1%}). The {rest} others are"
        " labelled with their gaps alone."
    )


def _only(found: list[Gap], *, papers: bool) -> list[Gap]:
    return [gap for gap in found if gap.is_papers == papers]


def _counted(found: list[Gap]) -> tuple[str, ...]:
    """Return how many arms there are, are matched and are so in both costs, and the worst gap."""
    matched = sum(gap.is_matched for gap in found)
    both = sum(max(gap.params, gap.macs) <= MATCHED for gap in found)
    worst = max(min(gap.params, gap.macs) for gap in found)
    return str(len(found)), str(matched), str(both), f"{worst:.1%}"


def gaps(path: Path) -> list[Gap]:
    """Return how far the costs of every arm of a file lie from the reference's."""
    arms = _arms(_spec(path))
    own, levels = arms.reference.variant.cost, arms.reference.levels
    cells = {arm.cell for arm in arms.arms}
    return [
        Gap(
            params=abs(arm.variant.cost.params / own.params - 1),
            macs=abs(arm.variant.cost.macs / own.macs - 1),
            is_papers=path.stem.startswith("paper"),
            asks_size=any(arm.levels.get(name) != levels.get(name) for name in _SIZES),
            is_twin=bool(arm.cell),
            has_twin=arm.name in cells,
        )
        for arm in arms.arms[1:]
    ]


def costs_comment(path: Path) -> str:
    """Return what a file says of the costs of its arms; empty if it says nothing."""
    lines = [line.removeprefix("#") for line in _comment(path).splitlines()]
    found = re.search(r"(?:^|\n) Costs: ((?:.|\n(?! {3}nasablate))*)", "\n".join(lines))
    if found is None:
        return ""
    return " ".join(found[1].split("\n   nasablate")[0].split())


def _match(path: Path) -> tuple[str, ...]:
    found = gaps(path)
    others = [gap for gap in found if not gap.asks_size]
    worst = [max((getattr(gap, key) for gap in others), default=0.0) for key in ("params", "macs")]
    return (
        f"[{path.relative_to(FOLDER)}](../studies/{path.relative_to(FOLDER)})",
        str(len(found)),
        str(len(found) - len(others)),
        f"{sum(gap.is_matched for gap in others)} of {len(others)}",
        str(sum(max(gap.params, gap.macs) <= MATCHED for gap in others)),
        *(f"{gap:.1%}" for gap in worst),
        costs_comment(path),
    )


def write(text: str) -> None:
    """Write a part between blank lines, as cog's output."""
    generate.write(lambda: text)


def _files() -> list[Path]:
    """Return the files of ablations."""
    return [path for path in FOLDER.glob("*/*.yaml") if file_kind(path) == "ablation"]


def _order(path: Path) -> tuple[str, str]:
    return path.parent.name, path.stem


@cache
def _spec(path: Path) -> AblationSpec:
    return load_ablation(path)


def _papers(path: Path) -> str:
    found = dict.fromkeys(re.findall(r"arXiv\s+(?:#\s+)?(\d{4}\.\d{5})", _comment(path)))
    return ", ".join(f"[{paper}](https://arxiv.org/abs/{paper})" for paper in found)


def _comment(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("#"))


def _varied(spec: AblationSpec) -> str:
    if spec.arms:
        return ", ".join(["baseline", *spec.arms])
    return "; ".join(f"{name}: {', '.join(levels)}" for name, levels in spec.factors.items())


def _size(path: Path) -> tuple[str, ...]:
    spec = _spec(path)
    arms = _arms(spec)
    recipe = arms.reference.variant.recipe
    images = _training_images(spec)
    macs = _BACKWARD * images * recipe.epochs * spec.seeds
    macs *= sum(arm.variant.cost.macs for arm in arms.arms)
    minutes = re.search(r"Estimated time: (\d+) minutes", _comment(path).replace("\n# ", " "))
    return (
        f"[{path.relative_to(FOLDER)}](../studies/{path.relative_to(FOLDER)})",
        f"{spec.data.name}, {images:,} images",
        spec.design.replace("_", " "),
        f"{len(arms.arms)} x {spec.seeds}",
        str(recipe.epochs),
        f"{macs:.1e}",
        f"{minutes[1]} min" if minutes else "",
    )


def _arms(spec: AblationSpec) -> Arms:
    images = IMAGES[spec.data.name]
    info = DataInfo(
        name=spec.data.name,
        num_train=_training_images(spec),
        num_val=1,
        num_test=1,
        channels=images.channels,
        height=images.size,
        width=images.size,
        classes=images.classes,
        class_names=(),
        mean=(0.5,) * images.channels,
        std=(0.25,) * images.channels,
        fingerprint="none",
    )
    return resolve_arms(spec, info)


def _training_images(spec: AblationSpec) -> int:
    images = IMAGES[spec.data.name]
    count = spec.data.subset or images.training
    held_out = spec.data.validation
    if held_out is None:
        held_out = images.validation
    return count - (held_out if isinstance(held_out, int) else round(held_out * count))


def _table(headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headers, tuple("---" for _ in headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
