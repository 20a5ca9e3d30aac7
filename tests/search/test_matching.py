"""An arm's cost is brought to the reference's by what the arm is not about, and only by that."""

from typing import Any

import pytest

from nasablate.blueprint.widths import unit_widths
from nasablate.data import DataInfo, load_info
from nasablate.genome import DataSpec, Genome, load_genome, load_recipe
from nasablate.search.arms import resolve_arms
from nasablate.search.knobs import attempts
from nasablate.search.matching import Matching, match
from nasablate.search.variant import Variant, vary
from tests.search.pretend import BASELINE, ablation_of

RECIPE = load_recipe("quick")


@pytest.fixture(scope="module")
def info() -> DataInfo:
    return load_info(DataSpec(name="digits"))


def matched(
    base: str | Genome, edits: dict[str, Any], costs: dict[Any, float] | None = None
) -> tuple[Variant, Matching, Variant]:
    genome = load_genome(base) if isinstance(base, str) else base
    reference = vary(genome, RECIPE, {})
    arm = vary(genome, RECIPE, edits)
    return *match(arm, reference, costs or {"params": 0.01}, edits), reference


@pytest.mark.parametrize(
    ("base", "edits", "what"),
    [
        ("pyramidnet-110-a48", {"unit.kind": "bottleneck"}, ["alpha"]),
        ("pyramidnet-110-a48", {"width": 24}, ["alpha"]),
        ("pyramidnet-110-a48", {"widening.alpha": 84}, ["units of stages"]),
        (
            "resnet-20",
            {"widening.kind": "additive", "widening.alpha": 48},
            ["width of stem and start"],
        ),
        ("resnet-20", {"stages.*.units": 4}, ["width of stem and stages"]),
        ("resnet-20", {"width": 24}, ["units of stages"]),
        ("wrn-16-4", {"unit.kind": "bottleneck"}, ["width of stages"]),
        ("wrn-16-4", {"stages.*.units": 4}, ["width"]),
        (
            "resnet-20",
            {"widening": {"kind": "explicit", "widths": [20, 40, 80]}},
            ["units of stages"],
        ),
    ],
)
def test_width_is_moved_first_and_what_the_arm_says_stays(
    base: str, edits: dict[str, Any], what: list[str]
) -> None:
    variant, matching, reference = matched(base, edits)
    assert matching.is_within
    assert abs(variant.cost.params / reference.cost.params - 1) <= 0.01
    assert matching.gaps["params"] == variant.cost.params / reference.cost.params - 1
    assert abs(matching.plain_gaps["params"]) > 0.01
    assert [move.what for move in matching.moves] == what
    # the record is enough to make the network again
    again = vary(vary(load_genome(base), RECIPE, edits).genome, RECIPE, matching.edits or {})
    assert again.network_digest == variant.network_digest
    kept = variant.genome.document()
    for path in edits:
        if path in {"width", "widening"}:
            assert (
                kept[path]
                == Genome.parse({**load_genome(base).document(), **edits}).document()[path]
            )


def test_an_arm_within_the_tolerance_stays_as_it_is() -> None:
    variant, matching, reference = matched("resnet-20", {"activation": "silu"})
    assert (matching.is_within, matching.edits, matching.text) == (True, None, "")
    assert variant.cost == reference.cost


def test_an_arm_about_width_and_depth_is_labelled_with_its_gap() -> None:
    variant, matching, reference = matched("resnet-20", {"width": 24, "stages.*.units": 2})
    assert not matching.is_within
    assert matching.edits is None
    assert (variant.genome.width, variant.genome.stages[0].units) == (24, 2)
    gap = variant.cost.params / reference.cost.params - 1
    assert matching.text == f"NOT matched: {gap:+.2%} params; nothing is left to move"


def test_the_stem_moves_with_the_stages_only_if_it_was_as_wide() -> None:
    variant, _, _ = matched("resnet-20", {"stages.*.units": 4})
    widths = variant.genome.document()["widening"]["widths"]
    assert variant.genome.stem.width == widths[0] != 16
    variant, matching, _ = matched("resnet-20", {"stages.*.units": 4, "stem.width": 16})
    assert variant.genome.stem.width == 16
    assert matching.moves[0].what == "width of stages"


def test_no_stage_moves_far_from_the_others() -> None:
    """Else a tiny network is matched by 17 channels behind a stage of a single one."""
    document = {"stages": [{"units": 1}, {"units": 1, "stride": 2}], "width": 8}
    small = Genome.parse({**document, "stem": {"kind": "conv3x3", "width": 8}})
    variant, matching, _ = matched(small, {"unit.kind": "bottleneck"})
    widths = variant.genome.document()["widening"].get("widths", [8, 16])
    assert abs(widths[1] / widths[0] - 2) < 1
    assert matching.is_within == (abs(matching.gaps["params"]) <= 0.01)


def test_two_costs_can_be_matched_at_once() -> None:
    variant, matching, reference = matched(
        "pyramidnet-110-a48", {"unit.kind": "bottleneck"}, {"macs": 0.01, "params": 0.01}
    )
    assert matching.is_within
    assert abs(variant.cost.macs / reference.cost.macs - 1) <= 0.01
    assert abs(variant.cost.params / reference.cost.params - 1) <= 0.01


def test_what_cannot_be_reached_is_labelled_with_the_closest() -> None:
    edits = {"stages.*.units": 4, "widening": {"kind": "explicit", "widths": [16, 32, 64]}}
    _, matching, _ = matched("resnet-20", edits, {"params": 0.0001})
    assert "NOT matched: +36.04% params; nothing is left to move" in matching.text
    _, matching, _ = matched("resnet-20", {"width": 24}, {"params": 0.001})
    assert not matching.is_within
    found = "NOT matched: +0.30% params; closest by units of stages 3, 3, 3 -> 3, 3, 1"
    assert matching.text == found


def test_nothing_that_an_arm_touches_is_a_knob() -> None:
    genome = load_genome("resnet-20")
    names = {(a.coarse and a.coarse.name, a.fine.name) for a in attempts(genome, ["widening"])}
    assert names == {
        (None, "width of stem and start"),
        (None, "units of stages"),
        ("units of stages", "width of stem and start"),
    }
    assert attempts(genome, ["width", "stages.1"]) == []
    assert attempts(genome, ["width", "widening.kind", "stages[0].units"]) == []


def test_matched_and_plain_arms_stand_side_by_side(info: DataInfo) -> None:
    factors = {
        "unit": {"basic": {}, "bottleneck": {"unit.kind": "bottleneck"}},
        "act": {"relu": {}, "silu": {"activation": "silu"}},
    }
    stages = [{"units": 2}, {"units": 2, "stride": 2}]
    baseline = {**BASELINE, "stages": stages, "width": 16}
    spec = ablation_of(
        baseline=baseline, factors=factors, match={"params": "2%"}, match_mode="both"
    )
    arms = resolve_arms(spec, info).arms
    assert [(arm.name, arm.cell) for arm in arms] == [
        ("baseline", ""),
        ("unit=bottleneck", ""),
        ("unit=bottleneck (matched)", "unit=bottleneck"),
        ("act=silu", ""),
    ]
    plain, twin = arms[1].matching, arms[2].matching
    assert plain is not None
    assert twin is not None
    assert plain.text.startswith("not matched: +")
    assert twin.is_within
    assert twin.plain_gaps == plain.gaps
    only = resolve_arms(spec.model_copy(update={"match_mode": "matched"}), info).arms
    assert [arm.name for arm in only] == ["baseline", "unit=bottleneck", "act=silu"]
    assert only[1].variant.network_digest == arms[2].variant.network_digest


def test_changing_a_factor_back_is_not_undone(info: DataInfo) -> None:
    """In leave-one-out the reference is wider; the arm that is narrow again must stay so."""
    factors = {
        "width": {"8": {}, "12": {"width": 12}},
        "act": {"relu": {}, "silu": {"activation": "silu"}},
    }
    spec = ablation_of(factors=factors, design="leave_one_out", match={"params": "1%"})
    arms = {arm.name: arm for arm in resolve_arms(spec, info).arms}
    assert arms["all"].variant.genome.width == 12
    arm = arms["all but width"]
    assert arm.variant.genome.width == 8
    assert arm.matching is not None
    assert {move.what for move in arm.matching.moves} <= {"units of stages"}


NARROW: dict[str, Any] = {
    "stages": [{"units": 1}, {"units": 1, "stride": 2}],
    "stem": {"kind": "conv3x3", "width": 8},
    "width": 8,
    "unit": {"kind": "bottleneck"},
    "shortcut": {"kind": "projection"},
}


def gap_of(variant: Variant, reference: Variant, metric: str) -> float:
    return abs(getattr(variant.cost, metric) / getattr(reference.cost, metric) - 1)


@pytest.mark.parametrize("metrics", [("params",), ("macs",), ("params", "macs")])
@pytest.mark.parametrize(
    "edits",
    [
        {"unit.cardinality": 2, "unit.base_width": 40},
        {"unit.cardinality": 4, "unit.base_width": 24},
        {"shortcut.when": "always"},
        {"shortcut.kind": "zero_pad"},
    ],
)
def test_depth_is_moved_only_if_no_widths_near_the_shape_do(
    edits: dict[str, Any], metrics: tuple[Any, ...]
) -> None:
    """All widths of both stages are tried, in all pairs that keep their ratio within a tenth."""
    base = Genome.parse(NARROW)
    limit = dict.fromkeys(metrics, 0.02)
    variant, matching, reference = matched(base, edits, limit)
    arm = vary(base, RECIPE, edits).genome
    reached = [
        (first, second)
        for first in range(5, 13)
        for second in range(10, 26)
        if abs(second / first / 2 - 1) <= 0.1
        for widths in [{"kind": "explicit", "widths": [first, second]}]
        for found in [vary(arm, RECIPE, {"widening": widths, "stem.width": first})]
        if all(gap_of(found, reference, metric) <= 0.02 for metric in metrics)
    ]
    moved = {move.what for move in matching.moves}
    if reached:
        assert matching.is_within
        assert "units of stages" not in moved
    if matching.is_within:
        assert all(gap_of(variant, reference, metric) <= 0.02 for metric in metrics)
    else:
        assert matching.text.startswith("NOT matched")


PYRAMID: dict[str, Any] = {
    "stages": [{"units": 1}, {"units": 1, "stride": 2}],
    "stem": {"kind": "conv3x3", "width": 8},
    "width": 8,
    "widening": {"kind": "additive", "alpha": 12},
}


@pytest.mark.parametrize("metrics", [("params",), ("macs",), ("params", "macs")])
@pytest.mark.parametrize("kind", ["conv1x1", "gate", "se"])
def test_single_units_of_a_pyramid_reach_what_any_widths_reach(
    kind: str, metrics: tuple[Any, ...]
) -> None:
    edits: dict[str, Any] = {
        "conv1x1": {"shortcut": {"kind": "projection", "when": "always"}},
        "gate": {"shortcut.gate": "exclusive"},
        "se": {"se": {"ratio": 0.5}},
    }[kind]
    base = Genome.parse(PYRAMID)
    limit = dict.fromkeys(metrics, 0.02)
    variant, matching, reference = matched(base, edits, limit)
    arm = vary(base, RECIPE, edits).genome
    reached = [
        (first, second)
        for first in range(13, 16)
        for second in range(18, 23)
        for found in [vary(arm, RECIPE, {"widening": _explicit(first, second)})]
        if all(gap_of(found, reference, metric) <= 0.02 for metric in metrics)
    ]
    assert matching.is_within or not reached
    assert variant.cost.params == vary(arm, RECIPE, matching.edits or {}).cost.params
    if reached:
        assert "units of stages" not in {move.what for move in matching.moves}


def _explicit(*widths: int) -> dict[str, Any]:
    return {"kind": "explicit", "widths": list(widths)}


def test_a_bottleneck_ratio_reaches_what_whole_channels_do_not() -> None:
    base = Genome.parse(
        {**NARROW, "width": 16, "stem": {"kind": "conv3x3", "width": 16}, "stages": _STAGES}
    )
    edits = {"unit.cardinality": 4, "unit.base_width": 24}
    variant, matching, reference = matched(base, edits, {"params": 0.01, "macs": 0.01})
    assert matching.is_within
    assert [move.what for move in matching.moves] == [
        "width of stem and stages",
        "bottleneck ratio",
    ]
    ratio = variant.genome.document()["unit"]["bottleneck_ratio"]
    assert 0.225 <= ratio <= 0.275
    assert max(gap_of(variant, reference, metric) for metric in ("params", "macs")) <= 0.01
    assert variant.genome.document()["unit"]["cardinality"] == 4


_STAGES = [{"units": 2}, {"units": 2, "stride": 2}, {"units": 2, "stride": 2}]


def test_what_an_arm_says_of_the_ratio_or_the_width_keeps_the_ratio() -> None:
    base = Genome.parse(NARROW)
    names = {attempt.fine.name for attempt in attempts(base, ["unit.cardinality"])}
    assert "bottleneck ratio" in names
    for path in ("unit.bottleneck_ratio", "unit.kind", "width", "widening"):
        names = {attempt.fine.name for attempt in attempts(base, [path])}
        assert "bottleneck ratio" not in names


def test_the_widths_of_stages_are_told_where_a_schedule_moves_them() -> None:
    variant, matching, _ = matched("pyramidnet-110-a48", {"unit.kind": "bottleneck"})
    before, after = matching.widths or ((), ())
    assert before == (32, 48, 64)
    assert after == tuple(stage[-1] for stage in unit_widths(variant.genome))
    ends = f"stages end 32, 48, 64 -> {', '.join(map(str, after))} wide"
    assert ends in matching.text
    found = matching.document()["stage_widths"]
    assert found == {"before": list(before), "after": list(after)}
    _, matching, _ = matched("resnet-20", {"stages.*.units": 4})
    assert "stages end" not in matching.text  # the move says them


def test_a_network_out_of_reach_is_not_made_deeper_for_a_little_less() -> None:
    base = Genome.parse({**NARROW, "unit": {"kind": "bottleneck", "radix": 0, "avd": "before"}})
    _, matching, _ = matched(base, {"unit.radix": 2}, {"params": 0.001, "macs": 0.001})
    assert not matching.is_within
    assert "units of stages" not in matching.text
