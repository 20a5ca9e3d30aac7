"""What a sequential ablation is likely to take, and the forms its plan has."""

import pytest

from nasablate.analysis.expected import expect
from nasablate.analysis.sequential import SequentialPlan
from nasablate.cli.ablation_plan_text import ablation_plan_text
from nasablate.search.ablation_plan import plan_ablation
from tests.search.test_looks import spec_of

PLAN = SequentialPlan((2, 3, 4, 6, 8, 10), 24, tuple("abcdef"), 0.3, "worse")


def test_large_effects_and_none_take_fewer_trainings_than_one_of_interest():
    none, of_interest, large = (expect(PLAN, effect, sd=0.17) for effect in (0.0, 0.3, 1.5))
    assert none.trainings < of_interest.trainings < 24 + 6 * 10
    assert large.trainings < none.trainings
    assert none.called < 0.05
    assert of_interest.called > 0.85
    assert large.called == 1.0
    assert of_interest.trainings == pytest.approx(24 + 6 * of_interest.seeds)


def test_without_interest_arms_without_effect_go_on_to_the_last_look():
    plan = SequentialPlan((2, 4), 24, ("a", "b"))
    assert expect(plan, 0.0, sd=1.0).trainings == pytest.approx(24 + 2 * 4, abs=0.3)


def test_correlated_arms_need_fewer_seeds():
    alone, together = (expect(PLAN, 0.3, sd=0.3, correlation=r) for r in (0.0, 0.9))
    assert together.called > alone.called


def test_a_spread_of_zero_is_refused():
    with pytest.raises(ValueError, match="above zero"):
        expect(PLAN, 0.0, sd=0.0)


def test_a_plan_has_looks_bounds_and_what_they_are_likely_to_take():
    plan = plan_ablation(spec_of(pilot={"sd": 1.0}), measure=False)
    assert plan.num_trials == 21 + 3 * 5
    found = plan.document()["sequential"]
    assert found["looks"] == [2, 3, 5]
    assert found["bounds"] == sorted(found["bounds"], reverse=True)
    least = found["expected_without_effects"]["trainings"]
    assert 21 + 3 * 2 <= least < found["trainings_at_most"] == 36
    fixed = found["fixed_design"]
    assert fixed["trainings"] == 4 * fixed["seeds"]
    text = ablation_plan_text(plan)
    assert "at most 36 trainings" in text
    assert f"{fixed['trainings']} trainings" in text
    assert not plan.is_refused


def test_looks_that_cost_more_than_fixed_seeds_are_warned_of():
    arms = {"bad": {"activation": "silu"}}
    dear = plan_ablation(spec_of(arms=arms, pilot={"sd": 0.3}), measure=False)
    fixed = dear.document()["sequential"]["fixed_design"]
    (warning,) = dear.warnings
    assert warning.startswith("sequential: 2")
    assert "21 of them of the baseline" in warning
    assert warning.endswith(
        f"power take {fixed['trainings']}: give seeds: {fixed['seeds']} instead"
    )
    assert f"warning: {warning}" in ablation_plan_text(dear)
    assert plan_ablation(spec_of(arms=arms, pilot={"sd": 3.0}), measure=False).warnings == ()


def test_a_plan_without_a_pilot_says_what_it_lacks():
    plan = plan_ablation(spec_of(), measure=False)
    assert plan.document()["sequential"]["expected_without_effects"] is None
    assert "needs a pilot" in ablation_plan_text(plan)


def test_looks_of_one_seed_are_refused_unless_accepted():
    looks = {"looks": [1], "baseline_seeds": 24, "interest": 1}
    assert plan_ablation(spec_of(sequential=looks), measure=False).is_refused
    accepted = spec_of(sequential=looks, accept_undecided=True)
    assert not plan_ablation(accepted, measure=False).is_refused
