"""Arms that stop early: verdicts, resuming, failing closed, errors simulated."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nasablate.analysis.sequential import SequentialPlan, decide
from nasablate.errors import SpecError

ARMS = tuple("abcdefghijkl")
PLAN = SequentialPlan((3, 5, 8, 10), 24, ARMS, interest=0.5, interest_in="worse", margin=0.4)


def study(plan, effects, seed=0, sd=0.2, correlation=0.0):
    """Give a baseline and arms with the effects, all values up to the last look."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, math.sqrt(correlation), plan.baseline_seeds)
    rest = math.sqrt(1 - correlation)
    baseline = sd * (shared + rest * rng.normal(size=plan.baseline_seeds))
    last = plan.looks[-1]
    arms = {
        name: effects.get(name, 0.0) + sd * (shared[:last] + rest * rng.normal(size=last))
        for name in plan.arms
    }
    return rows(5 + baseline), {name: rows(5 + own) for name, own in arms.items()}


def rows(values):
    return dict(enumerate(np.asarray(values).tolist()))


def first(arms, seeds):
    return {name: {r: y for r, y in own.items() if r < seeds} for name, own in arms.items()}


def test_large_effects_stop_early_and_none_is_called_without_one():
    plan = replace(PLAN, margin=None)
    baseline, arms = study(plan, {"a": 3.0, "b": -3.0, "c": 0.9})
    found = decide(plan, baseline, arms)
    assert (found.arms["a"].verdict, found.arms["b"].verdict) == ("worse", "better")
    assert found.arms["a"].seeds == 3
    assert found.arms["c"].verdict == "worse"
    assert 3 < found.arms["c"].seeds <= 10
    others = [found.arms[name] for name in ARMS[3:]]
    assert {arm.verdict for arm in others} <= {"futile", "undecided"}
    assert found.next_seeds is None
    assert found.open_arms == ()


def test_the_interval_excludes_zero_exactly_if_the_arm_is_called():
    for seed in range(20):
        baseline, arms = study(PLAN, {"a": 0.6, "b": -0.4, "c": 1.5}, seed=seed)
        for arm in decide(PLAN, baseline, arms).arms.values():
            excludes = arm.interval.low > 0 or arm.interval.high < 0
            assert excludes == (arm.verdict in {"better", "worse"})
            assert arm.interval.low < arm.difference < arm.interval.high


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(PLAN.looks), st.randoms())
def test_a_look_sees_nothing_beyond_it_and_no_order(seed, seeds, random):
    """What is decided by the first rows stays; rows in another order decide the same."""
    baseline, arms = study(PLAN, {"a": 0.6, "b": 2.0, "c": -0.5}, seed=seed, correlation=0.4)
    part, whole = decide(PLAN, baseline, first(arms, seeds)), decide(PLAN, baseline, arms)
    for name, state in part.arms.items():
        if state.verdict != "go_on":
            assert whole.arms[name] == state
    if part.open_arms:
        assert part.next_seeds == PLAN.looks[part.looks]
    names = list(arms)
    random.shuffle(names)
    mixed = {name: dict(reversed(arms[name].items())) for name in names}
    assert decide(PLAN, dict(reversed(baseline.items())), mixed) == whole


def test_going_on_look_by_look_trains_only_what_is_open():
    baseline, arms = study(PLAN, {"a": 2.0, "b": 0.6})
    have = {name: {} for name in ARMS}
    state = decide(PLAN, baseline, have)
    assert (state.looks, state.next_seeds, state.open_arms) == (0, 3, ARMS)
    while state.next_seeds is not None:
        for name in state.open_arms:
            have[name] = {r: y for r, y in arms[name].items() if r < state.next_seeds}
        state = decide(PLAN, baseline, have)
    assert state == decide(PLAN, baseline, arms)
    assert sum(len(own) for own in have.values()) == sum(a.seeds for a in state.arms.values())
    assert len(have["a"]) < 10


def test_nothing_is_decided_while_a_value_is_missing():
    baseline, arms = study(PLAN, {"a": 3.0})
    del arms["f"][1]
    waiting = decide(PLAN, baseline, arms)
    assert (waiting.looks, len(waiting.open_arms)) == (0, 12)
    short = {r: y for r, y in baseline.items() if r != 23}
    assert decide(PLAN, short, study(PLAN, {"a": 3.0})[1]).looks == 0


def test_an_arm_that_is_lost_is_undecided_and_keeps_its_place():
    baseline, arms = study(PLAN, {"a": 3.0, "f": 3.0})
    del arms["f"][1]
    found = decide(PLAN, baseline, arms, lost={"f"})
    assert found.looks > 0
    assert found.arms["f"].verdict == "undecided"
    assert "failed for good" in found.arms["f"].reason
    assert found.arms["a"].verdict == "worse"
    _, whole = study(PLAN, {"a": 3.0, "f": 3.0})
    assert decide(PLAN, baseline, whole, lost={"f"}).arms["f"].verdict == "worse"


def test_holm_goes_on_with_the_level_that_is_left():
    """An arm between the bounds of 12 and of 1 is called only if the 11 others are."""
    plan = replace(PLAN, looks=(8,), interest=None, margin=None)
    strong = dict.fromkeys(ARMS[1:], 3.0)
    baseline, arms = study(plan, strong, seed=3)
    weak = np.array(list(arms["a"].values()))
    whole = np.mean(list(baseline.values()))
    weak += whole + 0.19 - weak.mean()
    alone = study(plan, {}, seed=3)[1]
    assert decide(plan, baseline, arms | {"a": rows(weak)}).arms["a"].verdict == "worse"
    assert decide(plan, baseline, alone | {"a": rows(weak)}).arms["a"].verdict == "undecided"


def test_one_look_of_a_paired_design_is_the_t_test_with_pooled_spread():
    plan = SequentialPlan((8,), 8, tuple("abcd"))
    baseline, arms = study(plan, {}, correlation=0.7, seed=4)
    found = decide(plan, baseline, arms)
    table = np.array([list(own.values()) for own in (baseline, *arms.values())])
    left = table - table.mean(axis=0) - table.mean(axis=1)[:, None] + table.mean()
    error = math.sqrt(2 / 8 * (left**2).sum() / 28)
    assert (found.spread.freedom, found.spread.correlation) == (28, 1.0)
    half = stats.t.isf(0.05 / 2 / 4, 28) * error
    for name, own in zip("abcd", table[1:], strict=True):
        arm, difference = found.arms[name], (own - table[0]).mean()
        assert (arm.verdict, arm.look) == ("undecided", 1)
        assert arm.difference == pytest.approx(difference, abs=1e-10)
        assert arm.interval.low == pytest.approx(difference - half, abs=1e-10)
        assert arm.interval.high == pytest.approx(difference + half, abs=1e-10)


def test_equivalence_and_futility_need_to_be_asked():
    baseline, arms = study(PLAN, {}, sd=0.05)
    verdicts = {arm.verdict for arm in decide(PLAN, baseline, arms).arms.values()}
    assert verdicts <= {"equivalent", "futile"}
    nothing = replace(PLAN, interest=None, margin=None)
    verdicts = {arm.verdict for arm in decide(nothing, baseline, arms).arms.values()}
    assert verdicts <= {"undecided", "better", "worse"}
    better = replace(PLAN, margin=None, interest_in="both")
    baseline, arms = study(better, {"a": -0.55}, sd=0.1, seed=2)
    assert decide(better, baseline, arms).arms["a"].verdict == "better"
    one_sided = replace(better, interest_in="worse", looks=(1, 3, 10))
    assert decide(one_sided, baseline, arms).arms["a"].verdict == "futile"


def test_a_single_training_is_never_called_different():
    plan = SequentialPlan((1, 2), 30, ARMS)
    baseline, arms = study(plan, dict.fromkeys(ARMS, 50.0))
    assert decide(plan, baseline, first(arms, 1)).open_arms == ARMS
    assert {arm.verdict for arm in decide(plan, baseline, arms).arms.values()} == {"worse"}


@pytest.mark.parametrize(
    ("plan", "correlation"),
    [
        (SequentialPlan((2, 4, 6, 8), 24, ARMS), 0.0),
        (SequentialPlan((2, 4, 6, 8), 24, ARMS, spending="power"), 0.7),
        (SequentialPlan((3, 6, 8), 8, ARMS), 0.5),
    ],
    ids=["shared", "shared, correlated", "paired"],
)
def test_equal_arms_are_rarely_called_different(plan, correlation):
    """400 null studies without futility, which would only lower it."""
    wrong = 0
    for seed in range(400):
        baseline, arms = study(plan, {}, seed=seed, correlation=correlation)
        states = decide(plan, baseline, arms).arms.values()
        wrong += any(arm.verdict in {"better", "worse"} for arm in states)
    assert wrong / 400 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"looks": ()}, r"looks = \[\]: must be numbers of seeds that grow"),
        ({"looks": (3, 3)}, "that grow"),
        ({"looks": (0, 3)}, "that grow"),
        ({"baseline_seeds": 9}, "baseline_seeds = 9: must be at least the last look, 10"),
        ({"arms": ()}, "names, each once"),
        ({"arms": ("a", "a")}, "names, each once"),
        ({"interest": 0.0}, "interest = 0.0: must be above zero"),
        ({"margin": -1.0}, "margin = -1.0: must be above zero"),
        (
            {"looks": (2, 10), "baseline_seeds": 10},
            "20 degrees of freedom .*look first at 3 seeds, or give the baseline 21",
        ),
    ],
)
def test_a_plan_that_cannot_work_is_refused(changes, message):
    with pytest.raises(SpecError, match=message):
        replace(PLAN, **changes)


def test_foreign_arms_and_no_numbers_are_refused():
    baseline, arms = study(PLAN, {})
    with pytest.raises(ValueError, match=r"not in the plan: \['z'\]"):
        decide(PLAN, baseline, arms | {"z": {}})
    arms["c"][1] = float("nan")
    with pytest.raises(ValueError, match="c: values must be finite"):
        decide(PLAN, baseline, arms)
