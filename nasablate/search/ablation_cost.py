"""What the trainings of an ablation take: hours from timed steps, and room on the disk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from nasablate.blueprint import lower
from nasablate.blueprint.ops import Conv
from nasablate.data import DataInfo
from nasablate.genome import AblationSpec
from nasablate.search.arms import Arm, Arms
from nasablate.search.looks import most_replicates
from nasablate.search.timing import concurrent_trials, seconds_per_step
from nasablate.search.variant import Variant

_SPREAD = 1.1
"""Arms whose multiply-adds differ by less than this factor are timed together."""
_MOST_TIMED = 8
_EVALUATION = 1 / 3
"""Time of looking at an image, over that of learning from it (see ``training.measure``)."""
_ROW_BYTES, _EPOCH_BYTES = 6_000, 140
"""Of a trial in the database, measured on 18 trials of 1 and of 11 epochs."""
_WEIGHT_BYTES = 4
_FILE_BYTES = 10_000
"""What a file of weights holds besides them."""

Timer = Callable[[Variant], float]


@dataclass(frozen=True, slots=True)
class CostClass:
    """Arms that cost about the same, and the measured time of one of them."""

    arms: tuple[str, ...]
    timed: str
    """The arm whose steps were timed."""
    macs: tuple[int, int]
    """Least and most multiply-adds of the class."""
    batch_size: int
    step_seconds: float

    def document(self) -> dict[str, Any]:
        """Return the class as plain JSON data."""
        return {
            "arms": list(self.arms),
            "timed": self.timed,
            "macs": list(self.macs),
            "batch_size": self.batch_size,
            "step_seconds": self.step_seconds,
        }


@dataclass(frozen=True, slots=True)
class AblationCost:
    """What all trainings of an ablation take on this machine."""

    classes: tuple[CostClass, ...]
    hours: float
    """From the first training to the last, so many at once as this machine runs; of a sequential
    ablation if no arm stops early."""
    arm_hours: dict[str, float]
    """Of one replicate of every arm, by itself."""
    concurrent: int

    def document(self) -> dict[str, Any]:
        """Return the cost as plain JSON data."""
        return {
            "classes": [found.document() for found in self.classes],
            "hours": self.hours,
            "arm_hours": dict(self.arm_hours),
            "concurrent": self.concurrent,
        }


def measure_cost(
    spec: AblationSpec, arms: Arms, info: DataInfo, timer: Timer | None = None
) -> AblationCost:
    """Time a few steps of one arm per class of cost (loads torch), and add up all trainings.

    Args:
        spec: The ablation.
        arms: Its arms.
        info: Its data.
        timer: Returns the seconds of one training step; None measures them here.

    Raises:
        DataError: a network does not fit the data.
    """

    def time(variant: Variant) -> float:
        if timer is not None:
            return timer(variant)
        return seconds_per_step(variant, info, spec.resources.threads_per_trial)

    classes: list[CostClass] = []
    hours: dict[str, float] = {}
    for group in cost_classes(arms.arms):
        timed = group[len(group) // 2]
        macs = [arm.variant.cost.macs for arm in group]
        seconds = time(timed.variant)
        batch = timed.variant.recipe.batch_size
        names = tuple(arm.name for arm in group)
        ends = (min(macs), max(macs))
        classes.append(CostClass(names, timed.name, ends, batch, seconds))
        hours |= {arm.name: _hours(arm.variant, seconds, spec, info) for arm in group}
    at_once = concurrent_trials(spec.resources)
    replicates = most_replicates(spec, [arm.name for arm in arms.arms])
    trials = sum(replicates.values())
    rounds = ceil(trials / at_once) / trials
    return AblationCost(
        classes=tuple(classes),
        hours=sum(replicates[name] * own for name, own in hours.items()) * rounds,
        arm_hours={arm.name: hours[arm.name] for arm in arms.arms},
        concurrent=at_once,
    )


def cost_classes(arms: Sequence[Arm]) -> list[list[Arm]]:
    """Return the arms in classes of about the same cost and equal batches, at most 8 of a batch.

    Arms of one class have convolutions of the same kernels and about as many groups, since a
    grouped one takes longer than its multiply-adds say, and lie within 10 % of the least; that is
    widened until few enough are left. More than 8 kinds of a batch are told apart by
    multiply-adds alone.
    """
    found: list[list[Arm]] = []
    for batch in sorted({arm.variant.recipe.batch_size for arm in arms}):
        own = [arm for arm in arms if arm.variant.recipe.batch_size == batch]
        kinds = _kinds(sorted(own, key=lambda arm: arm.variant.cost.macs))
        spread = _SPREAD
        while len(classes := [c for kind in kinds for c in _split(kind, spread)]) > _MOST_TIMED:
            spread **= 1.5
        found += sorted(classes, key=lambda group: group[0].variant.cost.macs)
    return found


def _kinds(arms: Sequence[Arm]) -> list[list[Arm]]:
    kinds: dict[frozenset[tuple[object, int]], list[Arm]] = {}
    for arm in arms:
        ops = [layer.op for layer in lower(arm.variant.genome).layers]
        kind = {(op.kernel, op.groups.bit_length()) for op in ops if isinstance(op, Conv)}
        kinds.setdefault(frozenset(kind), []).append(arm)
    return list(kinds.values()) if len(kinds) <= _MOST_TIMED else [list(arms)]


def _split(arms: Sequence[Arm], spread: float) -> list[list[Arm]]:
    classes: list[list[Arm]] = []
    for arm in arms:
        macs = arm.variant.cost.macs
        if classes and macs <= spread * classes[-1][0].variant.cost.macs:
            classes[-1].append(arm)
        else:
            classes.append([arm])
    return classes


def _hours(variant: Variant, seconds: float, spec: AblationSpec, info: DataInfo) -> float:
    """Return the hours of one training and its evaluations."""
    batch = variant.recipe.batch_size
    learnt = ceil(info.num_train / batch) * variant.recipe.epochs
    looked_at = variant.recipe.epochs * info.num_val / batch
    looked_at += info.num_test / batch if spec.evaluate == "test" else 0
    return seconds * (learnt + _EVALUATION * looked_at) / 3600


def disk_bytes(spec: AblationSpec, arms: Arms, info: DataInfo) -> int:
    """Return about how many bytes the finished ablation takes.

    The checkpoints of running trials, twice the weights of each, come and go besides.
    """
    total = 0
    replicates = most_replicates(spec, [arm.name for arm in arms.arms])
    for arm in arms.arms:
        own = _ROW_BYTES + _EPOCH_BYTES * arm.variant.recipe.epochs + info.num_val // 8
        if spec.evaluate == "test":
            # kept, since the test set is read with them after all trainings
            own += info.num_test // 8 + _FILE_BYTES
            own += _WEIGHT_BYTES * arm.variant.cost.params
        total += replicates[arm.name] * own
    return total


def bytes_text(count: float) -> str:
    """Return a number of bytes for people.

    >>> bytes_text(1_234_000), bytes_text(2_500_000_000)
    ('1.2 MB', '2.5 GB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
