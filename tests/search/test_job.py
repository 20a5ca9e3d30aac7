"""What a worker leaves in a trial's folder."""

import json
from pathlib import Path

from nasablate.search.job import MANIFEST_FILE, Job, train
from tests.training.test_fit import DATA, GENOME, job


def test_a_manifest_says_how_steps_were_executed(tmp_path: Path) -> None:
    recipe = job(training={"epochs": 1, "execution": "graphs"}).recipe
    asked = Job(
        study="s",
        number=0,
        attempt=1,
        genome=GENOME.readable_json(),
        recipe=recipe.readable_json(),
        data=DATA.canonical_json(),
        seed=0,
        threads=1,
        epochs=1,
        folder=str(tmp_path),
        keep_weights=False,
        trainings=3,
    )
    assert train(Job.from_json(asked.to_json()), "cpu", lambda _: True).state == "completed"
    found = json.loads((tmp_path / MANIFEST_FILE).read_text())
    assert found["execution"] == "eager"
    assert found["execution_reason"] == "graphs was asked for, but graphs are those of CUDA"
    assert found["threads"] == 1
