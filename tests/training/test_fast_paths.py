"""What makes steps faster must change nothing but, where a recipe asks for it, the precision."""

import copy
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from nasablate.errors import SpecError
from nasablate.genome import load_recipe
from nasablate.training import fit
from nasablate.training.counters import counters_aside
from nasablate.training.network import make_net
from nasablate.training.precision import check_precision, has_bfloat16
from tests.training.test_fit import GENOME, go_on, job, timeless

CPU = torch.device("cpu")


def test_counters_end_where_they_would_have() -> None:
    aside = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.BatchNorm2d(3, momentum=None))
    plain = copy.deepcopy(aside)
    batches = [torch.rand(2, 3, 4, 4) for _ in range(5)]
    with counters_aside(aside, len(batches)):
        assert aside[0].num_batches_tracked is None
        found = [aside(batch) for batch in batches]
    assert all(torch.equal(a, plain(b)) for a, b in zip(found, batches, strict=True))
    other = plain.state_dict()
    assert aside.state_dict().keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in aside.state_dict().items())


def test_counters_come_back_when_training_breaks_off() -> None:
    net = nn.Sequential(nn.BatchNorm2d(3))
    with pytest.raises(KeyboardInterrupt), counters_aside(net, 5):
        raise KeyboardInterrupt
    assert "0.num_batches_tracked" in net.state_dict()


def test_bfloat16_is_refused_where_it_is_imitated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    check_precision("float32", CPU)
    with pytest.raises(SpecError, match=r"training\.precision: .*only imitated; use float32"):
        fit(job(training={"precision": "bfloat16"}), go_on)


def test_bfloat16_changes_feature_maps_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    assert has_bfloat16(CPU)
    net = make_net(GENOME, load_recipe({"recipe": "quick", "precision": "bfloat16"}), 0, CPU)
    assert {value.dtype for value in net.state_dict().values()} == {torch.float32, torch.int64}
    half = fit(job(training={"precision": "bfloat16", "epochs": 2}), go_on)
    again = fit(job(training={"precision": "bfloat16", "epochs": 2}), go_on)
    full = fit(job(training={"epochs": 2}), go_on)
    assert timeless(half.records) == timeless(again.records) != timeless(full.records)
    assert half.records[-1].val_loss == pytest.approx(full.records[-1].val_loss, rel=0.2)


@pytest.mark.parametrize(("given", "expected"), [(None, "8192"), ("77", "77")])
def test_onednn_keeps_more_primitives_unless_told_otherwise(
    given: str | None, expected: str
) -> None:
    code = (
        "import os, torch; from nasablate.training.network import make_net;"
        "from nasablate.genome import Genome, load_recipe;"
        "make_net(Genome.parse({'stages': [{'units': 1}]}), load_recipe('quick'), 0,"
        " torch.device('cpu')); print(os.environ['ONEDNN_PRIMITIVE_CACHE_CAPACITY'])"
    )
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    environment = {key: value for key, value in os.environ.items() if key != name}
    if given is not None:
        environment[name] = given
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == expected
