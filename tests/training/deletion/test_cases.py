"""Which units can be deleted and why not, the usual cases, and chains that no network can run."""

import random
from pathlib import Path

import pytest
from scipy import stats

from nasablate.blueprint import Blueprint, lower
from nasablate.errors import InputError
from nasablate.genome import Genome, load_genome
from nasablate.nets.custom import allow_code
from nasablate.training.deletion.candidates import deletable
from nasablate.training.deletion.cases import (
    branch_scalings,
    downsampling_deletion,
    kendall_tau,
    most_exchanges,
    pair_deletions,
    possible_units,
    random_deletions,
    reorderings,
    single_deletions,
    stage_deletions,
)
from nasablate.training.deletion.chains import Step, check_chains, deleted_units, intact, scaled


def preset(name: str) -> Blueprint:
    return lower(load_genome(name))


def test_every_part_has_a_candidate_or_a_reason() -> None:
    for name in ("resnet-110", "plain-20", "rexnet-1.0", "pyramidnet-110-a48", "resnet-50"):
        blueprint = preset(name)
        candidates = deletable(blueprint)
        assert [c.name for c in candidates] == [unit.name for unit in blueprint.units]
        assert [c.unit for c in candidates] == list(range(len(blueprint.units)))
        assert all(c.possible or c.reason for c in candidates)
        assert [c.way for c in (candidates[0], candidates[-1])] == ["none", "none"]
        assert "stem" in candidates[0].reason
        assert "head" in candidates[-1].reason


def test_units_that_downsample_or_change_shape() -> None:
    resnet = deletable(preset("resnet-110"))
    assert [c.name for c in resnet if c.downsampling] == ["stages.1.0", "stages.2.0"]
    assert [c.name for c in resnet[:-1] if c.changes_shape] == ["stem", "stages.1.0", "stages.2.0"]
    pyramid = deletable(preset("pyramidnet-110-a48"))
    assert [c.name for c in pyramid if c.downsampling] == ["stages.1.0", "stages.2.0"]
    assert sum(c.changes_shape for c in pyramid if c.stage >= 0) == 48
    assert all(c.way == "shortcut" for c in pyramid if c.stage >= 0)


def test_plain_units_are_identities_or_impossible() -> None:
    candidates = deletable(preset("plain-20"))
    assert [c.way for c in candidates[1:-1]] == ["identity"] * 3 + (["none"] + ["identity"] * 2) * 2
    assert candidates[4].reason == "no shortcut, and the shape changes from 16x32x32 to 32x16x16"
    assert candidates[4].refuses(0.0) == candidates[4].reason
    assert not candidates[4].refuses(1.0)
    assert not candidates[3].refuses(0.0)
    assert "no branch" in candidates[3].refuses(0.5)


def test_networks_before_residual_ones() -> None:
    candidates = {c.name: c for c in deletable(preset("vgg-16"))}
    assert candidates["stages.2.1"].way == "identity"
    assert candidates["stages.2.2"].downsampling  # its pool belongs to it
    assert candidates["stages.2.2"].way == "none"
    assert "from 256x56x56 to 256x28x28" in candidates["stages.2.2"].reason


def test_partial_shortcuts_leave_some_units_without() -> None:
    candidates = deletable(preset("rexnet-1.0"))
    striding = [c for c in candidates if c.downsampling]
    assert len(striding) == 4
    assert all(c.way == "none" and "no shortcut" in c.reason for c in striding)
    assert sum(c.way == "shortcut" for c in candidates) == 16 - 4 - 1  # the first unit narrows


def test_custom_units_are_deleted_like_others(tmp_path: Path) -> None:
    code = (
        "from torch import nn\n\nclass Own(nn.Conv2d):\n    def __init__(self, i, o, stride):\n"
        "        super().__init__(i, o, 3, stride, 1)\n"
    )
    (tmp_path / "own_deletion_unit.py").write_text(code)
    document = {
        "stages": [{"units": 2}],
        "unit": {"kind": "custom", "class": "own_deletion_unit:Own"},
    }
    with allow_code(str(tmp_path)):
        joined = lower(Genome.parse(document))
        plain = lower(Genome.parse(document | {"shortcut": {"kind": "none"}}))
    assert [c.way for c in deletable(joined)[1:-1]] == ["shortcut", "shortcut"]
    assert [c.way for c in deletable(plain)[1:-1]] == ["identity", "identity"]


def test_cases_delete_what_they_say() -> None:
    blueprint = preset("resnet-20")
    singles = single_deletions(blueprint)
    assert [deleted_units(case.chain) for case in singles] == [(unit,) for unit in range(1, 10)]
    assert singles[3].name == "stages.1.0"
    pairs = pair_deletions(blueprint)
    assert len({deleted_units(case.chain) for case in pairs}) == len(pairs) == 36
    assert pairs[0].name == "stages.0.0 + stages.0.1"
    adjacent = pair_deletions(blueprint, "adjacent")
    assert [case.units for case in adjacent] == [(unit, unit + 1) for unit in range(1, 9)]
    stages = stage_deletions(blueprint)
    assert [(case.name, case.units) for case in stages] == [
        ("stages.0", (1, 2, 3)), ("stages.1", (4, 5, 6)), ("stages.2", (7, 8, 9)),
    ]  # fmt: skip
    assert [case.units for case in downsampling_deletion(blueprint)] == [(4, 7)]
    assert downsampling_deletion(preset("plain-20")) == ()
    assert [case.units for case in stage_deletions(preset("plain-20"))] == [
        (1, 2, 3), (5, 6), (8, 9),
    ]  # fmt: skip
    for case in (*singles, *pairs, *stages):
        assert deleted_units(case.chain) == case.units
        assert {step.branch for step in case.chain} == {0.0, 1.0}


def test_random_deletions_are_uniform_and_stay_when_more_are_drawn() -> None:
    blueprint = preset("resnet-110")
    few = random_deletions(blueprint, [1, 10], 3, seed=4)
    more = random_deletions(blueprint, [1, 10, 54], 5, seed=4)
    assert set(few) < set(more)
    assert len({case.name for case in more}) == len(more)
    assert all(len(deleted_units(case.chain)) == int(case.name.split()[0]) for case in more)
    assert few != random_deletions(blueprint, [1, 10], 3, seed=5)
    drawn = [u for case in random_deletions(blueprint, [9], 600, seed=0) for u in case.units]
    counts = [drawn.count(unit) for unit in range(1, 55)]
    # without replacement within a draw, so the counts vary less than chi squared allows
    assert stats.chisquare(counts).pvalue > 0.01
    for count in (0, 55):
        with pytest.raises(InputError, match="from 1 to 54"):
            random_deletions(blueprint, [count], 1, seed=0)


def test_branch_scalings() -> None:
    blueprint = preset("resnet-20")
    each = branch_scalings(blueprint, [0.0, 0.5])
    assert len(each) == 18
    assert each[1].name == "stages.0.0 x 0.5"
    assert [step.branch for step in each[1].chain] == [0.5] + [1.0] * 8
    assert each[0].chain == single_deletions(blueprint)[0].chain
    (together,) = branch_scalings(blueprint, [0.5], together=True)
    assert {step.branch for step in together.chain} == {0.5}
    assert branch_scalings(preset("plain-20"), [0.5]) == ()
    assert branch_scalings(preset("plain-20"), [0.5], together=True) == ()


def test_reorderings_stay_within_equal_shapes() -> None:
    blueprint = preset("resnet-110")
    assert most_exchanges(blueprint) == 17 + 16 + 16
    cases = reorderings(blueprint, [1, 2, 5, 40, 49], 20, seed=0)
    check_chains(blueprint, [case.chain for case in cases])
    for case in cases:
        order = [step.unit for step in case.chain]
        assert sorted(order) == list(range(1, 55))
        assert case.kendall_tau == pytest.approx(stats.kendalltau(range(54), order).statistic)
        assert case.units == tuple(u for u, now in enumerate(order, start=1) if u != now)
        # the first units of stages 2 and 3 keep their places, 18 and 17 and 17 units move
        assert (order[18], order[36]) == (19, 37)
        groups = [order[:18], order[19:36], order[37:]]
        pairs = sum(len(group) * (len(group) - 1) // 2 for group in groups)
        taus = [stats.kendalltau(range(len(group)), group).statistic for group in groups]
        weights = [len(group) * (len(group) - 1) / 2 for group in groups]
        expected = sum(t * w for t, w in zip(taus, weights, strict=True)) / pairs
        assert case.group_tau == pytest.approx(expected)
        assert case.kendall_tau >= case.group_tau
        # with fewer exchanges the order cannot be had: each joins two cycles of the permutation
        assert 54 - num_cycles([unit - 1 for unit in order]) == case.swaps
    assert all(case.group_tau < 1 for case in cases)
    far = [case.group_tau for case in cases if case.swaps == 49]
    assert abs(sum(far) / len(far)) < 0.1
    assert cases[:20] == reorderings(blueprint, [1], 20, seed=0)
    assert cases[20:25] == reorderings(blueprint, [2], 5, seed=0)


def num_cycles(permutation: list[int]) -> int:
    left, count = set(range(len(permutation))), 0
    while left:
        place, count = left.pop(), count + 1
        while (place := permutation[place]) in left:
            left.remove(place)
    return count


def test_draws_whose_exchanges_undo_one_another_are_passed_over() -> None:
    blueprint = preset("resnet-20")  # 3, 2 and 2 units that keep their shape
    two = reorderings(blueprint, [2], 60, seed=0)
    assert [case.repeat for case in two] != list(range(60))
    assert all(case.units for case in two)
    # of the nine orders that need two exchanges, 3-cycles can be drawn in three of 5 x 5 ways, ...
    assert len({case.chain for case in two}) == 9
    assert most_exchanges(blueprint) == 4
    assert len({case.chain for case in reorderings(blueprint, [4], 20, seed=0)}) == 2
    with pytest.raises(InputError, match="swaps = 5: must be from 1 to 4"):
        reorderings(blueprint, [5], 1, seed=0)


def test_orders_that_no_network_allows() -> None:
    blueprint = preset("pyramidnet-110-a270")
    with pytest.raises(InputError, match="no two units have equal"):
        reorderings(blueprint, [1], 1, seed=0)
    with pytest.raises(InputError, match="swaps = 0: must be from 1 to 4"):
        reorderings(preset("resnet-20"), [0], 1, seed=0)


def test_kendall_tau_is_that_of_scipy() -> None:
    rng = random.Random(0)
    for length in (2, 3, 10, 30):
        for _ in range(10):
            order = rng.sample(range(100), length)
            expected = stats.kendalltau(sorted(order), order).statistic
            assert kendall_tau(order) == pytest.approx(expected)
    assert kendall_tau([3, 2, 1]) == -1
    assert kendall_tau([5]) == 1


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        (tuple(Step(unit) for unit in range(1, 9)), "every unit from 1 to 9 exactly once"),
        ((Step(1), *(Step(unit) for unit in range(1, 9))), "exactly once"),
        (tuple(Step(unit, float("nan")) for unit in range(1, 10)), "finite number"),
        (
            tuple(Step(unit) for unit in (1, 2, 4, 3, 5, 6, 7, 8, 9)),
            "chain 1: stages.0.2 reads 16x32x32 but stages.1.0 before it gives 32x16x16",
        ),
        (tuple(Step(unit) for unit in (1, 2, 3, 7, 5, 6, 4, 8, 9)), "reads 32x16x16"),
    ],
)
def test_chains_that_cannot_run(chain: tuple[Step, ...], message: str) -> None:
    blueprint = preset("resnet-20")
    check_chains(blueprint, [intact(blueprint)])
    with pytest.raises(InputError, match=message):
        check_chains(blueprint, [intact(blueprint), chain])


def test_units_without_a_shortcut_refuse() -> None:
    blueprint = preset("plain-20")
    check_chains(blueprint, [scaled(intact(blueprint), possible_units(blueprint))])
    with pytest.raises(InputError, match=r"stages\.1\.0: no shortcut, and the shape changes"):
        check_chains(blueprint, [scaled(intact(blueprint), [4])])
    with pytest.raises(InputError, match=r"stages\.0\.0: no shortcut, so there is no branch"):
        check_chains(blueprint, [scaled(intact(blueprint), [1], 0.5)])
