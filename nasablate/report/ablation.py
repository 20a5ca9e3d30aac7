"""Everything the report of an ablation shows, read from the database alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from nasablate.errors import NasablateError
from nasablate.figures.curves import Curves, curves_data
from nasablate.figures.forest import Forest, effects_forest, forest_data, steps_forest
from nasablate.figures.interaction import Interaction, interaction_data
from nasablate.figures.reported import ReportedErrors, reported_data
from nasablate.figures.schedule_lines import SizeLines, schedule_lines_data
from nasablate.genome import AblationSpec, Genome
from nasablate.report.environment import Environment, environment_of
from nasablate.search.ablation_classes import (
    ClassRow,
    classes_document,
    compare_classes,
    labels_of,
)
from nasablate.search.ablation_images import Found, predictions_by_arm
from nasablate.search.ablation_result import (
    ARMS,
    DATA,
    AblationResult,
    load_ablation_result,
    shown_trials,
)
from nasablate.search.ensemble_result import EnsembleResult, kept_ensembles
from nasablate.search.spec_guard import stored_spec
from nasablate.store import Database, Epoch, TrialRecord


@dataclass(frozen=True, slots=True)
class MissingReplicate:
    """A replicate without a result."""

    arm: str
    replicate: int
    seed: int
    short: str
    """``failed``, ``running``, ``interrupted``, ``not begun`` or ``not tested``."""
    reason: str
    """What is known of it."""


@dataclass(frozen=True, slots=True)
class ArmEdits:
    """What was changed to make an arm, and what changed with it."""

    name: str
    edits: Mapping[str, Any] | None
    """Paths of the genome and recipe as the study's file names them; None in old studies."""
    changes: tuple[tuple[str, Any, Any], ...]
    """Fields that differ from the reference: path, its value, the arm's."""
    also: str
    """What differs besides the edits."""
    matching: str
    """How its cost was matched."""
    digest: str
    """Of its network."""


@dataclass(frozen=True)
class AblationReport:
    """An ablation with all that is told of it."""

    result: AblationResult
    spec: AblationSpec
    attributes: Mapping[str, Any]
    """Of the study."""
    trials: tuple[TrialRecord, ...]
    epochs: Mapping[int, tuple[Epoch, ...]]
    num_images: int | None
    """Images of the part that judges; None before the first result."""
    predictions: Found
    """On that part, by arm and replicate."""

    @property
    def wanted(self) -> int:
        """Replicates of all arms."""
        return sum(map(self.result.wanted, self.result.arms))

    @property
    def present(self) -> int:
        """Replicates with a result."""
        return sum(len(arm.errors) for arm in self.result.arms)

    @cached_property
    def ensembles(self) -> EnsembleResult | None:
        """Those last made of its networks."""
        return kept_ensembles(self.attributes)

    @property
    def reference(self) -> str:
        """Name of the arm that all others are compared with."""
        return self.result.arms[0].name

    @cached_property
    def environment(self) -> Environment:
        """What the trials ran on."""
        return environment_of(self.trials)

    @cached_property
    def missing(self) -> tuple[MissingReplicate, ...]:
        """Every replicate without a result."""
        return tuple(_missing(self))

    @property
    def is_open(self) -> bool:
        """Whether a result may still come; one that failed does not."""
        if self.result.looks is not None:
            return not self.result.looks.is_over
        return any(item.short != "failed" for item in self.missing)

    @cached_property
    def edits(self) -> tuple[ArmEdits, ...]:
        """What makes each arm, the reference left out."""
        return tuple(_edits(item) for item in self.attributes[ARMS][1:])

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """How the reference is trained; empty before its first trial."""
        for trial in self.trials:
            if trial.attributes.get("arm") == self.reference and "recipe" in trial.attributes:
                return json.loads(trial.attributes["recipe"])
        return {}

    @cached_property
    def classes(self) -> tuple[ClassRow, ...]:
        """The arms class by class; empty until the study has ended."""
        return compare_classes(self.predictions, labels_of(self.attributes))

    @property
    def image_counts(self) -> dict[str, int]:
        """Images of each part, where the study has them: ``num_train`` and so on."""
        return dict(self.attributes.get(DATA, {}))

    # Figures

    @cached_property
    def forest(self) -> Forest:
        """The arms against the reference."""
        return forest_data(self.result, self.spec.margin)

    @cached_property
    def effects(self) -> tuple[Forest, ...]:
        """The effects of a factorial or fractional design."""
        return tuple(effects_forest(self.result, table) for table in self.result.effects)

    @cached_property
    def steps(self) -> Forest | None:
        """The steps of a path."""
        return steps_forest(self.result, self.spec.margin) if self.result.steps else None

    @cached_property
    def interaction(self) -> Interaction | None:
        """Pairs of factors; None without all combinations."""
        return interaction_data(self.result)

    @cached_property
    def reported(self) -> ReportedErrors:
        """Numbers of others beside ours."""
        return reported_data(self.result)

    @cached_property
    def curves(self) -> Curves:
        """Error by epoch."""
        return curves_data(self.result, self.trials, self.epochs)

    @cached_property
    def sizes(self) -> SizeLines | None:
        """Error against depth or size; None where the arms do not differ in it."""
        return schedule_lines_data(self.result, dict(arm_genomes(self.trials)))

    def document(self) -> dict[str, Any]:
        """Return the whole report as plain JSON data."""
        figures: dict[str, Any] = {
            "forest": self.forest.document(),
            "effects": [forest.document() for forest in self.effects],
            "steps": None if self.steps is None else self.steps.document(),
            "interaction": None if self.interaction is None else self.interaction.document(),
            "reported": self.reported.document(),
            "schedule_lines": None if self.sizes is None else self.sizes.document(),
            "curves": self.curves.document(),
        }
        return {
            "kind": "ablation",
            **self.result.document(),
            "states": dict(self.result.counts),
            "missing": [asdict(item) for item in self.missing],
            "classes": classes_document(self.classes),
            "edits": [asdict(item) for item in self.edits],
            "protocol": {
                "data": self.spec.data.document(),
                "data_fingerprint": self.attributes.get("data_fingerprint"),
                "images": self.image_counts,
                "recipe": self.recipe,
                "seed": self.spec.seed,
                "margin": self.spec.margin,
            },
            "environment": [fact.document() for fact in self.environment.facts],
            "spec": self.spec.document(),
            "ensembles": None if self.ensembles is None else self.ensembles.document(),
            "figures": figures,
        }


def load_ablation_report(database: Database, name: str) -> AblationReport:
    """Read the report of an ablation, whether it is finished or not.

    Raises:
        StoreError: there is no ablation of that name, or it cannot be read.
        SpecError: another version wrote its file.
    """
    study = database.study(name)
    spec = AblationSpec.parse(json.loads(stored_spec(study, "ablation")))
    predictions = study.predictions.all(spec.evaluate)
    counts = {found.num_images for found in predictions.values()}
    counts |= {r.num_images for r in study.test_readings()} if spec.evaluate == "test" else set()
    result, trials = load_ablation_result(database, spec), tuple(study.trials())
    return AblationReport(
        result=result,
        spec=spec,
        attributes=study.attributes(),
        trials=trials,
        epochs=study.curves(),
        num_images=min(counts, default=None),
        predictions=predictions_by_arm(study, shown_trials(trials, result.arms), spec),
    )


def _missing(report: AblationReport) -> Iterator[MissingReplicate]:
    trials = {
        (str(trial.attributes["arm"]), int(trial.attributes["replicate"])): trial
        for trial in report.trials
    }
    for arm in report.result.arms:
        for replicate in range(report.result.wanted(arm)):
            if replicate in arm.errors:
                continue
            trial = trials.get((arm.name, replicate))
            done = 0 if trial is None else len(report.epochs.get(trial.number, ()))
            short, reason = _why(trial, done)
            seed = report.spec.seed + replicate
            yield MissingReplicate(arm.name, replicate, seed, short, reason)


def _why(trial: TrialRecord | None, done: int) -> tuple[str, str]:
    if trial is None:
        return "not begun", "no trial yet"
    progress = f"{done} of {trial.attributes.get('epochs', '?')} epochs"
    match trial.state:
        case "fail":
            return "failed", trial.failure_reason or "no reason recorded"
        case "running":
            return "running", f"{progress} on record"
        case "waiting":
            return "interrupted", f"after {progress}; the same command goes on"
        case "pruned":
            return "stopped", f"after {progress}"
        case "complete":
            return "no result", "trained, but its error is no number or was not read yet"


def _edits(item: Mapping[str, Any]) -> ArmEdits:
    differs: Mapping[str, Any] = item.get("differs") or {}
    matching: Mapping[str, Any] = item.get("matching") or {}
    changes = [(c["path"], c["reference"], c["arm"]) for c in differs.get("changes", ())]
    return ArmEdits(
        name=str(item["name"]),
        edits=item.get("edits"),
        changes=tuple(changes),
        also=str(differs.get("text", "")),
        matching=str(matching.get("text", "")),
        digest=str(item.get("digest", "")),
    )


def arm_genomes(trials: Sequence[TrialRecord]) -> Iterator[tuple[str, Genome]]:
    """Yield every arm with its genome; those of another version are passed over."""
    seen: set[str] = set()
    for trial in trials:
        name = str(trial.attributes["arm"])
        if name in seen or "genome" not in trial.attributes:
            continue
        seen.add(name)
        try:
            yield name, Genome.parse(trial.genome)
        except NasablateError:
            continue
