"""A few hundred inputs for every reader; ``make fuzz`` gives each 100,000."""

import random

import pytest

from nasablate.errors import RunError, SpecError
from tests.fuzz.mutations import mutate_bytes, mutate_document
from tests.fuzz.readers import Reader, UnclearMessageError, accepts, remove_scratch
from tests.fuzz.registry import READERS
from tests.fuzz.run import fuzz

COUNTS = {"search": 150, "database": 60}
CLEARS_THE_SCREEN = "\x1b[2J"


@pytest.fixture(scope="module", autouse=True)
def _no_files_left():
    yield
    remove_scratch()


@pytest.mark.parametrize("name", sorted(READERS))
def test_only_our_errors_come_out(name):
    count = COUNTS.get(name, 300)
    tally = fuzz(READERS[name], count, seed=random.Random(name).randrange(10**6))
    assert tally.crashes == {}
    assert tally.inputs == count
    assert tally.accepted > 0
    assert tally.refused > 0


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (lambda _: {}["lost"], "KeyError"),
        (lambda _: _raise(SpecError(())), "UnclearMessageError"),
        (lambda _: _raise(RunError(CLEARS_THE_SCREEN)), "UnclearMessageError"),
        (lambda _: _spin(), "TooSlowError"),
    ],
    ids=["exception", "silent", "loud", "slow"],
)
def test_a_crash_is_found(read, kind, monkeypatch):
    monkeypatch.setattr("tests.fuzz.run.SECONDS_PER_INPUT", 0.05)
    tally = fuzz(Reader("broken", read, lambda rng: rng.random()), 3)
    assert [name.split()[0] for name in tally.crashes] == [kind]
    assert next(iter(tally.crashes.values()))[0] == 3


def test_a_message_of_control_characters_is_unclear():
    with pytest.raises(UnclearMessageError):
        accepts(Reader("loud", lambda _: _raise(RunError(CLEARS_THE_SCREEN)), id), None)


def test_damage_depends_on_the_seed_alone():
    for damage, valid in ((mutate_bytes, b"kind: genome"), (mutate_document, {"a": [1, {"b": 2}]})):
        made = [damage(random.Random(seed), valid) for seed in range(50)]
        assert made == [damage(random.Random(seed), valid) for seed in range(50)]
        assert sum(one != valid for one in made) > 40


def _raise(error: Exception) -> None:
    raise error


def _spin() -> None:
    while True:
        pass
