"""Compiled networks: the same function, and one compilation for all seeds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from nasablate.training.compiled import CompiledNet
from nasablate.training.execution import has_compiler
from nasablate.training.network import make_net
from nasablate.training.optimizer import make_optimizer
from nasablate.training.stepping import make_step
from tests.training.compiled_roles import GENOME, RECIPE
from tests.training.test_graphs import batches

ROOT = Path(__file__).parents[2]


def small(seed: int) -> nn.Module:
    return make_net(GENOME, RECIPE, seed, torch.device("cpu")).train()


def test_networks_are_what_they_were_when_compiling_is_undone() -> None:
    net = small(0)
    images = batches([16])[0][0]
    torch.manual_seed(0)
    (expected,) = net.all_logits(images)
    compiled = CompiledNet(net, 16)
    assert net.eval()(images).shape == (16, 10)  # evaluation is never compiled
    assert compiled.undo()
    assert not compiled.undo()
    torch.manual_seed(0)
    assert torch.equal(net.train().all_logits(images)[0], expected)


def test_compilers_that_fail_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ImportError("no triton\nhere")

    monkeypatch.setattr("nasablate.training.compiled._compiled_for", lambda _: broken)
    net, reasons = small(0), []
    chosen = RECIPE.model_copy(update={"execution": "auto"})
    data = batches([16, 16])
    step = make_step(net, make_optimizer(net, RECIPE.optimizer), chosen, "compile", reasons.append)
    assert all(torch.isfinite(step([batch])[0][1]) for batch in data)
    assert reasons == ["ImportError: no triton"]
    asked = make_step(small(0), make_optimizer(net, RECIPE.optimizer), RECIPE, "compile", print)
    with pytest.raises(ImportError):
        asked(data[:1])


@pytest.mark.slow
@pytest.mark.skipif(not has_compiler(), reason="torch.compile needs a C++ compiler")
def test_compiled_steps_equal_eager_ones_and_all_seeds_share_them() -> None:
    command = [sys.executable, "-m", "tests.training.compiled_roles"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found = json.loads(done.stdout)
    for seed in found["seeds"]:
        assert seed["compile"] == pytest.approx(seed["eager"], rel=1e-3)
        assert seed["compile"] != seed["eager"]  # else nothing was compiled
        assert seed["graphs"] == 1  # of the first seed
    first, second = found["trainings"]
    assert len(first) == 2
    assert first == second
