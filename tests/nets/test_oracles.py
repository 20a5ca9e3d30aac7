"""Logits, gradients and running statistics equal to torchvision's and timm's in float64.

Neither is a dependency: without them (``pip install nasablate[oracle]``) these tests skip.
"""

import pytest

from benchmarks.oracles import Oracle, available, compare
from tests.nets.oracle_roles import ORACLES, PADDED_POOL, QUICK, SUITE

pytestmark = pytest.mark.skipif(
    not available(), reason="torchvision and timm are not installed: pip install nasablate[oracle]"
)

LIMIT = 1e-9
BY_NAME = {oracle.name: oracle for oracle in reversed(ORACLES)}


def check(oracle: Oracle) -> None:
    errors = compare(oracle)
    assert errors.largest < LIMIT, errors


@pytest.mark.parametrize("name", QUICK)
def test_same_network(name: str) -> None:
    check(BY_NAME[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITE)
def test_same_network_of_the_slow_suite(name: str) -> None:
    check(BY_NAME[name])


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("timm/resnet10t", "stem.pool.kernel", 2),
        ("timm/resnet10t", "shortcut.reduce", "stride"),
        ("timm/resnest14d", "unit.avd", "before"),
        ("timm/resnest14d", "activation", "silu"),
        ("timm/legacy_seresnet18", "placement.post", ["bn"]),
        ("timm/legacy_seresnet18", "stem.pool", PADDED_POOL),
        ("timm/rexnet_100", "unit.depthwise_activation", "relu"),
        ("timm/rexnet_100", "shortcut", {"kind": "none"}),
        ("timm/resnetv2_18", "shortcut.reads", "raw"),
        ("timm/resnetv2_18", "norm.eps", 1e-3),
    ],
)
def test_a_difference_is_noticed(name: str, path: str, value: object) -> None:
    oracle = BY_NAME[name]
    changed = Oracle(oracle.preset, oracle.other, oracle.roles, oracle.edits | {path: value})
    errors = compare(changed)
    assert min(errors.logits, errors.train_logits, errors.gradients) > 1e-4, errors


def test_another_momentum_is_noticed_by_the_running_statistics_alone() -> None:
    oracle = BY_NAME["timm/resnet10t"]
    errors = compare(Oracle(oracle.preset, oracle.other, oracle.roles, {"norm.momentum": 0.2}))
    assert errors.statistics > 1e-3
    assert max(errors.logits, errors.train_logits, errors.gradients) < LIMIT


def test_names_are_those_of_comparisons() -> None:
    assert len({(oracle.preset, oracle.name) for oracle in ORACLES}) == len(ORACLES)
    assert set(QUICK) | set(SUITE) <= set(BY_NAME)
    assert not set(QUICK) & set(SUITE)
