"""Reading the test set: each network once, each reading kept as it comes."""

import pytest

from nasablate.genome import DataSpec
from nasablate.search.job import TestScore
from nasablate.search.observer import SilentObserver
from nasablate.search.readings import TestReader
from nasablate.store import open_database
from tests.search.pretend import ablation_of, pretend


class StoppedRunner:
    """Yields scores until it is stopped, and notes the trials it was asked for."""

    def __init__(self, stop_after):
        self.stop_after = stop_after
        self.read = []

    def map(self, function, jobs):
        del function
        for count, job in enumerate(jobs):
            if count == self.stop_after:
                raise KeyboardInterrupt
            self.read.append(job.number)
            yield TestScore(
                error=10.0, loss=0.5, num_images=8, correct=b"\xff", true_probability=0.9
            )


def test_an_interruption_reads_no_network_again(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    pretend(url, ablation_of(seeds=3, accept_undecided=True), lambda *_: 20.0)
    study = open_database(url).study("try")
    reader = TestReader(study, "arm", DataSpec(name="digits"), "none:none")
    trials = [trial for trial in study.trials() if trial.state == "complete"]
    first, second = StoppedRunner(5), StoppedRunner(None)
    with pytest.raises(KeyboardInterrupt):
        reader.read(trials, first, SilentObserver())
    assert [reading.number for reading in study.test_readings()] == first.read
    assert len(first.read) == 5
    reader.read(trials, second, SilentObserver())
    assert first.read + second.read == [trial.number for trial in trials]
    assert len(study.predictions.all("test")) == len(trials)
