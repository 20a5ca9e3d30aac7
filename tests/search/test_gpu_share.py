"""``gpus_per_trial: measured``: what pretended numbers lead to, and that a study keeps it."""

import json

import pytest

from nasablate.errors import RunError, SpecError
from nasablate.genome import load_genome, load_recipe
from nasablate.genome.space import Resources
from nasablate.search import gpu_share as module
from nasablate.search.gpu_share import (
    GPU_SHARE,
    ShareQuestion,
    decide,
    likely_largest,
    measure_here,
    settle_gpu_share,
)
from nasablate.search.job import Job
from nasablate.search.observer import SilentObserver
from nasablate.search.packing import COUNTS, Packed, Room, _Answer, _room
from nasablate.search.proposals import Setting, network_attributes
from nasablate.store import open_database
from tests.search.small_spaces import space_of

ONE = {"val_error": "minimize"}
GIB = 2**30
FOUR = {"gpus_per_trial": 0.25, "reason": "4 at once train 2.50 times as many images"}


class Pretended:
    """A runner whose GPU takes as many trials as it is told."""

    shares_devices = True

    def __init__(self, answer):
        self.answer = answer
        self.jobs = []
        self.placed = []

    def map(self, function, jobs):
        assert function == "nasablate.search.gpu_share:measure_here"
        self.jobs += jobs
        yield self.answer

    def place(self, gpus_per_trial):
        self.placed.append(gpus_per_trial)


@pytest.fixture
def study(tmp_path):
    database = open_database(f"sqlite:///{tmp_path}/toy.db")
    yield database.create("s", ONE, {"kind": "search"})
    database.close()


def question(study, gpus="measured"):
    space, setting = space_of({"width": {"int": [6, 10]}}), Setting("data", 0, 1)

    def trials():
        return (network_attributes(found, setting) for found in likely_largest(space))

    return ShareQuestion(study, Resources(gpus_per_trial=gpus), space.spec.data, trials)


def test_the_largest_network_is_measured_once_and_the_decision_never_changes(study):
    notes, observer = [], SilentObserver()
    observer.on_note = notes.append
    first, second = Pretended(FOUR), Pretended({**FOUR, "gpus_per_trial": 1.0})
    settle_gpu_share(question(study), first, observer)
    assert first.placed == [0.25]
    assert json.loads(first.jobs[0].genome)["width"] == 10
    assert study.attributes()[GPU_SHARE] == FOUR
    settle_gpu_share(question(study), second, observer)
    assert (second.jobs, second.placed) == ([], [0.25])
    assert notes == [f"gpus_per_trial: measured is 0.25: {FOUR['reason']}"] * 2


def test_a_share_that_is_given_is_left_alone(study):
    runner = Pretended(FOUR)
    settle_gpu_share(question(study, 0.5), runner, SilentObserver())
    assert (runner.jobs, runner.placed) == ([], [])
    assert GPU_SHARE not in study.attributes()


def pretend(monkeypatch, *, free_bytes, rates):
    """Have a GPU with so much room for trials of 1 GiB, on which k at once train at a rate."""
    asked = []

    def measured(_, counts, **__):
        asked.extend(counts)
        return [Packed(count, (rates[count],), 1) for count in counts]

    def room(*_):
        return Room(GIB, free_bytes)

    monkeypatch.setattr(module, "measure_room", room)
    monkeypatch.setattr(module, "measure_packing", measured)
    monkeypatch.setattr("nasablate.training.environment.device_name", lambda name: f"{name}: toy")
    return asked


def job():
    genome, recipe = load_genome("resnet-20"), load_recipe({"recipe": "quick"})
    texts = (genome.canonical_json(), recipe.canonical_json(), '{"name": "digits"}')
    return Job("s", -1, 0, *texts, 0, 1, 0, "", keep_weights=False, network_digest="abc")


@pytest.mark.parametrize(
    ("free", "rates", "tried", "share", "said"),
    [
        (80, {1: 100, 2: 150, 4: 260, 8: 240}, [1, 2, 4, 8], 0.25, "4 at once train 2.60 times"),
        (8, {1: 100, 2: 150, 4: 260, 8: 900}, [1, 2, 4], 0.25, "4 at once train 2.60 times"),
        (80, {1: 100, 2: 114, 4: 90, 8: 60}, [1, 2, 4, 8], 1.0, "gains 1.14 at most, less than"),
        (1.5, {1: 100}, [1], 1.0, "no more than one fits into the memory"),
    ],
)
def test_memory_and_gain_decide(monkeypatch, free, rates, tried, share, said):
    asked = pretend(monkeypatch, free_bytes=free * GIB, rates=rates)
    found = measure_here(job(), "cuda")
    assert asked == tried
    assert found["gpus_per_trial"] == share
    assert said in found["reason"]
    assert "1,024 MiB each" in found["reason"]
    assert (found["device"], found["network_digest"], found["batch_size"]) == (
        "cuda: toy",
        "abc",
        32,
    )
    assert 1 / found["gpus_per_trial"] in COUNTS


def test_a_gpu_on_which_two_do_not_survive_has_one(monkeypatch):
    pretend(monkeypatch, free_bytes=80 * GIB, rates={})

    def dies(*_):
        message = "a process died with 2 at once"
        raise RunError(message)

    monkeypatch.setattr(module, "measure_room", dies)
    found = measure_here(job(), "cuda")
    assert found["gpus_per_trial"] == 1
    assert "did not survive" in found["reason"]
    assert decide([], Room(GIB, 9 * GIB)).gpus_per_trial == 1


def test_the_second_process_shows_what_one_takes_and_others_hold():
    others, process = 30 * GIB, 2 * GIB
    one = [_Answer(1.0, GIB, others + process, 100 * GIB)]
    two = [
        _Answer(1.0, GIB, others + process, 100 * GIB),
        _Answer(1.0, GIB, others + 2 * process, 0),
    ]
    room = _room(one, two, resident_bytes=GIB)
    assert room == Room(process + GIB, 70 * GIB)
    assert room.holds(21)
    assert not room.holds(22)


def test_several_workers_cannot_share():
    with pytest.raises(SpecError, match="measured with 2 workers"):
        Resources.parse({"gpus_per_trial": "measured", "workers_per_trial": 2})


@pytest.mark.gpu
@pytest.mark.skipif("not __import__('torch').cuda.is_available()", reason="needs CUDA")
def test_a_real_gpu_is_measured():
    found = measure_here(job(), "cuda")
    assert 1 / found["gpus_per_trial"] in COUNTS
    assert found["trial_mib"] > 50
    assert found["gains"]["1"] == 1
    assert found["device"].startswith("cuda")
