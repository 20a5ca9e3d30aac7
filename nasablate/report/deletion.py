"""Everything the report of a deletion study shows, read from the database alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nasablate.figures.deletion import DeletionFigures, deletion_figures
from nasablate.genome import DeletionSpec
from nasablate.report.environment import Environment, environment_of
from nasablate.search.deletion_networks import networks_name
from nasablate.search.deletion_result import DeletionResult, load_deletion_result
from nasablate.search.deletion_study import DATA, KIND, NETWORKS
from nasablate.search.spec_guard import stored_spec
from nasablate.store import Database, TrialRecord


@dataclass(frozen=True)
class DeletionReport:
    """A deletion study with all that is told of it."""

    result: DeletionResult
    spec: DeletionSpec
    attributes: Mapping[str, Any]
    """Of the study."""
    trainings: tuple[TrialRecord, ...]
    """Of the networks that the study trained."""

    @cached_property
    def environment(self) -> Environment:
        """What the networks were trained on."""
        return environment_of(self.trainings)

    @cached_property
    def figures(self) -> DeletionFigures:
        """What is drawn."""
        return deletion_figures(self.result.networks, self.result.ensembles)

    @property
    def image_counts(self) -> dict[str, int]:
        """Images of each part: ``num_train`` and so on."""
        return dict(self.attributes.get(DATA, {}))

    def document(self) -> dict[str, Any]:
        """Return the whole report as plain JSON data."""
        return {
            **self.result.document(),
            "protocol": {
                "data": self.spec.data.document(),
                "data_fingerprint": self.attributes.get("data_fingerprint"),
                "images": self.image_counts,
                "recipes": {item["name"]: item["recipe"] for item in self.attributes[NETWORKS]},
                "seed": self.spec.seed,
                "margin": self.spec.margin,
            },
            "genomes": {item["name"]: item["genome"] for item in self.attributes[NETWORKS]},
            "environment": [fact.document() for fact in self.environment.facts],
            "spec": self.spec.document(),
            "figures": {figure.key: figure.document() for figure in self.figures.present()},
        }


def load_deletion_report(database: Database, name: str) -> DeletionReport:
    """Read the report of a deletion study, whether it is finished or not.

    Raises:
        StoreError: there is no deletion study of that name, or it cannot be read.
        SpecError: another version wrote its file.
    """
    study = database.study(name)
    spec = DeletionSpec.parse(json.loads(stored_spec(study, KIND)))
    networks = database.find(networks_name(spec))
    return DeletionReport(
        result=load_deletion_result(database, spec),
        spec=spec,
        attributes=study.attributes(),
        trainings=() if networks is None else tuple(networks.trials()),
    )
