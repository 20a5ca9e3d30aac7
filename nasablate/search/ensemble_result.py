"""What ensembles of a study's networks came to, as the study keeps it; no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from nasablate.analysis.ensembles import ClassGain, EnsembleAnalysis, Quality, SizePoint
from nasablate.analysis.paired import Interval
from nasablate.store import StudyStore

ENSEMBLES = "ensembles"
"""Attribute of a study: the ensembles that were last made of its networks."""
What = Literal["seeds", "mixed", "snapshots", "one network"]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Some networks averaged."""

    name: str
    what: What
    """Trainings of one network; of several; one training at several epochs; or one trained network,
    intact and with every single unit deleted."""
    members: tuple[str, ...]
    """``STUDY/NUMBER`` or the file, the epoch, or the deleted unit."""
    analysis: EnsembleAnalysis


@dataclass(frozen=True, slots=True)
class EnsembleResult:
    """All ensembles of some studies."""

    studies: tuple[str, ...]
    part: str
    """Of the images."""
    data: str
    class_names: tuple[str, ...]
    ensembles: tuple[Ensemble, ...]
    skipped: tuple[str, ...]
    """Networks left out, and why."""

    def document(self) -> dict[str, Any]:
        """Return the result as plain JSON data."""
        return asdict(self)


def keep_ensembles(study: StudyStore, result: EnsembleResult) -> None:
    """Write ensembles into the study that was named first, in place of earlier ones."""
    study.set_attribute(ENSEMBLES, result.document())


def kept_ensembles(attributes: Mapping[str, Any]) -> EnsembleResult | None:
    """Return the ensembles of a study from its attributes; None if none were made."""
    found = attributes.get(ENSEMBLES)
    if found is None:
        return None
    return EnsembleResult(
        studies=_texts(found["studies"]),
        part=found["part"],
        data=found["data"],
        class_names=_texts(found["class_names"]),
        ensembles=tuple(map(_ensemble, found["ensembles"])),
        skipped=_texts(found["skipped"]),
    )


def _texts(found: Sequence[str]) -> tuple[str, ...]:
    return tuple(found)


def _ensemble(found: Mapping[str, Any]) -> Ensemble:
    own = dict(found["analysis"])
    for key in ("mean_member", "ensemble"):
        own[key] = Quality(**own[key])
    own["gain_interval"] = Interval(**own["gain_interval"])
    own["sizes"] = tuple(SizePoint(**_with_interval(size)) for size in own["sizes"])
    own["classes"] = tuple(ClassGain(**_with_interval(one)) for one in own["classes"])
    what = cast("What", found["what"])
    return Ensemble(found["name"], what, _texts(found["members"]), EnsembleAnalysis(**own))


def _with_interval(found: Mapping[str, Any]) -> dict[str, Any]:
    return {**found, "interval": Interval(**found["interval"])}
