"""Units, pools, normalisations and heads of the networks before residual ones."""

from typing import Any

import pytest

from nasablate.blueprint import digest, lower
from nasablate.blueprint.ops import Conv, Lrn, Pool
from nasablate.errors import GenomeError
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits

PLAIN: dict[str, Any] = {
    "stem": {"kind": "none"},
    "stages": [{"units": 2, "pool": {}}],
    "width": 8,
    "unit": {"kind": "conv", "kernel": 5},
    "placement": {"pre": [], "between": ["relu"], "post": ["relu"], "merged": []},
    "shortcut": {"kind": "none"},
    "head": {"pool": "flatten"},
}


def names(**edits: Any) -> list[str]:
    blueprint = lower(Genome.parse(PLAIN | edits))
    return [layer.name.removeprefix("stages.") for layer in blueprint.layers]


def convs(**unit: Any) -> list[Conv]:
    blueprint = lower(Genome.parse(PLAIN | {"unit": {"kind": "conv", **unit}}))
    return [op for op in (layer.op for layer in blueprint.layers) if isinstance(op, Conv)]


def test_a_pool_at_the_end_follows_the_last_unit_and_one_at_the_start_comes_before_the_first() -> (
    None
):
    units = ["0.0.conv1", "0.0.post_relu", "0.1.conv1", "0.1.post_relu"]
    assert names()[:5] == [*units, "0.1.stage_pool"]
    at_start = [{"units": 2, "pool": {"at": "start"}}]
    assert names(stages=at_start)[:5] == ["0.0.stage_pool", *units]


def test_the_normalisation_stands_on_either_side_of_the_pool_and_dropout_last() -> None:
    stages = [{"units": 1, "pool": {"kernel": 3}, "dropout": 0.5}]
    before, after = (
        [name.rsplit("_", 1)[-1] for name in names(stages=stages, lrn={"at": at})[2:5]]
        for at in ("before_pool", "after_pool")
    )
    assert (before, after) == (["lrn", "pool", "dropout"], ["pool", "lrn", "dropout"])


def test_a_shortcut_reads_what_the_pool_at_the_start_makes() -> None:
    stages = [{"units": 1, "pool": {"at": "start"}}]
    blueprint = lower(Genome.parse({"stages": stages, "shortcut": {"kind": "identity"}}))
    unit = blueprint.units[1]
    assert unit.shortcut is not None
    assert isinstance(blueprint.layers[unit.shortcut].op, Pool)


def test_forms_of_one_window() -> None:
    assert [conv.kernel for conv in convs(kernel=5, form="stacked")[:2]] == [3, 3]
    assert [conv.kernel for conv in convs(kernel=5, form="row_column")[:2]] == [(1, 5), (5, 1)]
    assert [conv.kernel for conv in convs(kernel=5, form="column_row")[:2]] == [(5, 1), (1, 5)]
    side_by_side = convs(kernel=5, form="parallel", width=9)[:2]
    assert [(conv.outputs, conv.padding) for conv in side_by_side] == [(4, (0, 2)), (5, (2, 0))]


def test_the_width_of_grouped_convolutions_is_a_multiple_of_the_groups() -> None:
    unit = {"kind": "conv", "cardinality": 4, "width": 10}
    blueprint = lower(Genome.parse(PLAIN | {"input": {"channels": 4}, "unit": unit}))
    assert blueprint.layers[0].op == Conv(4, 12, 3, 1, 1, 4, bias=True)


def test_a_stage_may_have_a_unit_of_its_own_or_one_for_each_place() -> None:
    stages = [
        {"units": 2, "unit": [{"kind": "conv", "kernel": 7}, {"kind": "conv", "kernel": 1}]},
        {"units": 1, "unit": {"kind": "mlpconv"}},
        {"units": 1},
    ]
    blueprint = lower(Genome.parse(PLAIN | {"stages": stages}))
    kernels = [layer.op.kernel for layer in blueprint.layers if isinstance(layer.op, Conv)]
    assert kernels == [7, 1, 3, 1, 1, 5]


def test_inception_has_the_schedule_s_width_or_its_own() -> None:
    unit: dict[str, Any] = {"kind": "inception"}
    width = {"unit": unit, "width": 64}
    scheduled = lower(Genome.parse(PLAIN | width)).units[1]
    own = lower(Genome.parse(PLAIN | width | {"unit": unit | {"widths": "own"}})).units[1]
    shapes = [
        lower(Genome.parse(PLAIN | width | {"unit": one})).parts[1].fragment.output_shape[0]
        for one in (unit, unit | {"widths": "own"})
    ]
    assert shapes == [64, 256]
    assert scheduled.kind == own.kind == "inception"


def test_overlap_response_and_helpers_are_axes() -> None:
    plain = load_genome("alexnet").document()
    edits: list[dict[str, Any]] = [
        {"stages.*.pool.kernel": 2},
        {"lrn": None},
        {"activation": "tanh"},
        {"lrn.at": "after_pool"},
        {"auxiliary": [{"stage": 1, "kernel": 5}]},
        {"head.dropout_at": "hidden"},
    ]
    found = {digest(lower(load_genome("alexnet")))}
    for edit in edits:
        document, ignored = apply_edits(Genome, plain, edit)
        assert not ignored
        found.add(digest(lower(Genome.parse(document))))
    assert len(found) == 1 + len(edits)


def test_the_weight_of_a_helper_s_loss_is_part_of_the_network() -> None:
    digests = {
        digest(lower(Genome.parse(PLAIN | {"auxiliary": [{"stage": 0, "weight": weight}]})))
        for weight in (0.3, 0.5, 0.3)
    }
    assert len(digests) == 2


def test_no_stage_is_normalised_but_those_named() -> None:
    blueprint = lower(load_genome("googlenet"))
    found = [layer.name for layer in blueprint.layers if isinstance(layer.op, Lrn)]
    assert found == ["stages.0.0.stage_lrn", "stages.1.1.stage_lrn"]


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        (
            {"unit": {"kind": "conv", "kernel": 4}},
            "stages[0].units[0] kernel = 4: padding same needs an odd kernel; use an odd one",
        ),
        (
            {"unit": {"kind": "conv", "cardinality": 2}},
            "cardinality = 2: must divide the 3 channels of the unit's input; use 1",
        ),
        (
            {"unit": {"kind": "conv", "kernel": 5, "padding": 1, "form": "stacked"}},
            "padding = 1: form stacked needs padding same or 0",
        ),
        (
            {"unit": {"kind": "conv", "kernel": 5, "padding": 0, "form": "parallel"}},
            "padding = 0: form parallel needs padding same",
        ),
        (
            {"unit": {"kind": "mlpconv", "widths": [8, 8]}},
            "widths = (8, 8): needs one width for each of pointwise + 1 = 3 convolutions",
        ),
        (
            {"stages": [{"units": 2, "unit": [{"kind": "conv"}]}]},
            "stages[0].unit = ['conv']: names 1 units, the stage has 2; name one for each",
        ),
        (
            {"unit": {"kind": "conv", "padding": 0}, "shortcut": {"kind": "projection"}},
            "the branch makes 8 x 30 x 30 of what the shortcut makes 8 x 32 x 32",
        ),
        (
            {"unit": {"kind": "inception", "branches": [{"pool": "max", "pool_kernel": 2}]}},
            "pool_kernel = 2: the pool of a branch needs an odd kernel",
        ),
        (
            {
                "unit": {
                    "kind": "inception",
                    "padding": "valid",
                    "branches": [{"reduce": 4}, {"convs": [{"kernel": 3, "width": 4}]}],
                }
            },
            "branches = '30 x 30, 32 x 32': the branches of an inception unit must agree in size",
        ),
        (
            {
                "stages": [{"units": 1, "stride": 2}],
                "unit": {"kind": "inception", "branches": [{}]},
            },
            "stride = 2: a branch without layers cannot stride; give it a pool",
        ),
        (
            {"lrn": {"at": ["before_pool"]}},
            "lrn.at = ('before_pool',): a list of sides needs one for each of lrn.stages",
        ),
        (
            {"head": {"pool": "flatten", "classifier": "conv"}},
            "head.pool = 'flatten': a convolutional classifier is averaged over all positions",
        ),
        (
            {"auxiliary": [{"stage": 3}]},
            "auxiliary[0].stage = 3: no such stage, or a stage without units",
        ),
        (
            {"auxiliary": [{"stage": 0, "unit": 2}]},
            "auxiliary[0].unit = 2: stage 0 has 2 units, counted from 0; use at most 1",
        ),
        (
            {"auxiliary": [{"stage": 0, "kernel": 17}]},
            "auxiliary[0] = 17: the unit's 16 x 16 map is too small for the 17 x 17 pool",
        ),
    ],
)
def test_what_describes_no_network_is_refused(edits: dict[str, Any], message: str) -> None:
    with pytest.raises(GenomeError) as refused:
        lower(Genome.parse(PLAIN | edits))
    assert message in str(refused.value)
