"""Reads the test set with trained networks, each once, and records that it was read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nasablate.analysis.wording import plural
from nasablate.genome import DataSpec
from nasablate.search.job import Job, TestScore
from nasablate.search.observer import Observer
from nasablate.search.runner import Runner
from nasablate.search.trials import Trial, known_of
from nasablate.store import Predictions, StudyStore, TestReading, TrialRecord, now


@dataclass(frozen=True)
class TestReader:
    """Readings of one study for one purpose."""

    __test__ = False  # no test case, whatever pytest makes of the name

    store: StudyStore
    purpose: str
    data: DataSpec
    function: str
    """What a worker runs, ``module:function``."""

    def read(self, trials: Sequence[TrialRecord], runner: Runner, observer: Observer) -> None:
        """Evaluate the weights that these trials kept, but for those read before."""
        read = {
            reading.number
            for reading in self.store.test_readings()
            if reading.purpose == self.purpose
        }
        unread = [trial for trial in trials if trial.number not in read]
        if not unread:
            return
        observer.on_phase(f"reading the test set with {plural(len(unread), 'network')}")
        scores: Iterator[TestScore] = runner.map(
            self.function, [self._job(trial) for trial in unread]
        )
        # Each is stored as it comes, so that an interruption reads none of them again.
        for trial, score in zip(unread, scores, strict=True):
            self.store.predictions.add(
                Predictions(
                    number=trial.number,
                    part="test",
                    num_images=score.num_images,
                    correct=score.correct,
                    loss=score.loss,
                    true_probability=score.true_probability,
                )
            )
            self.store.add_test_reading(
                TestReading(
                    study=self.store.name,
                    number=trial.number,
                    purpose=self.purpose,
                    error=score.error,
                    loss=score.loss,
                    num_images=score.num_images,
                    correct=score.correct,
                    read_at=now(),
                )
            )

    def _job(self, record: TrialRecord) -> Job:
        folder = self.store.trial_folder(record.number)
        trial = Trial(known_of(record), dict(record.attributes), folder)
        return trial.job(self.store.name, self.data.canonical_json(), keep_weights=True)
