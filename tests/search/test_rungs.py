import math

from hypothesis import given
from hypothesis import strategies as st

from nasablate.genome.space import Halving, NoScheduler
from nasablate.search.rungs import RungRecord, goes_on, rung_epochs

ERRORS = st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.0, math.nan, math.inf]), max_size=30)


def records(errors: list[float]) -> list[RungRecord]:
    return [RungRecord(number, error) for number, error in enumerate(errors)]


@given(ERRORS, st.integers(2, 4), st.randoms())
def test_a_decision_depends_on_earlier_records_alone(errors, factor, rng):
    before = records(errors)
    for place, own in enumerate(before):
        then = goes_on(own, before[: place + 1], factor)
        later = list(before)
        rng.shuffle(later)
        assert goes_on(own, later, factor) == then


@given(ERRORS, st.integers(2, 4))
def test_what_is_worse_never_goes_on_where_better_would_not(errors, factor):
    before = records(errors)
    own_id = len(before)
    answers = [goes_on(RungRecord(own_id, error), before, factor) for error in (1.0, 2.0, 4.0)]
    assert answers == sorted(answers, reverse=True)


@given(ERRORS, st.integers(2, 4))
def test_not_a_number_never_goes_on_and_the_best_always_does(errors, factor):
    before = records(errors)
    assert not goes_on(RungRecord(len(before), math.nan), before, factor)
    assert goes_on(RungRecord(len(before), 0.5), before, factor)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40, unique=True), st.integers(2, 4))
def test_the_best_of_each_factor_go_on(errors, factor):
    for place, own in enumerate(records(errors)):
        rank = sorted(errors[: place + 1]).index(own.error)
        assert goes_on(own, records(errors), factor) == (rank < math.ceil((place + 1) / factor))


@given(st.integers(1, 10), st.integers(2, 5), st.integers(1, 400))
def test_rungs_lie_below_the_last_epoch(first, factor, epochs):
    rungs = rung_epochs(Halving(min_epochs=first, factor=factor), epochs)
    assert all(rung == first * factor**place for place, rung in enumerate(rungs))
    assert all(rung < epochs for rung in rungs)
    assert first * factor ** len(rungs) >= epochs


def test_no_scheduler_has_no_rungs():
    assert rung_epochs(NoScheduler(), 100) == ()
