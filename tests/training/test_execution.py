"""How steps are executed: chosen from counts, kept when a training is taken up again."""

import dataclasses
from pathlib import Path

import pytest
import torch

from nasablate.blueprint import lower
from nasablate.errors import SpecError
from nasablate.genome import load_genome, load_recipe
from nasablate.training import execution, fit, job_digest
from nasablate.training.checkpoint import CHECKPOINT
from nasablate.training.execution import FormCost, choose, execution_of, expected_costs
from nasablate.training.job import Execution
from tests.training.test_fit import GENOME, Interrupt, go_on, job

COSTS = {
    "eager": FormCost(0.0, 1.0),
    "compile": FormCost(100.0, 0.8),
    "graphs": FormCost(2.0, 0.9),
}


@pytest.mark.parametrize(
    ("steps", "form"),
    [
        (10, "eager"),  # 11 s, 108 s
        (38, "eager"),  # 36.2 s of 38: not enough is saved
        (41, "graphs"),  # 38.9 s of 41
        (979, "graphs"),  # 883.1 s, 883.2 s
        (981, "compile"),  # 884.9 s, 884.8 s
    ],
)
def test_the_least_expected_time_decides(steps: int, form: str) -> None:
    assert choose(COSTS, steps).form == form


def test_a_choice_costs_at_most_a_twentieth_more_than_the_best_form() -> None:
    for steps in range(1, 2000, 7):
        taken = COSTS[choose(COSTS, steps).form].total(steps)
        assert taken <= min(each.total(steps) for each in COSTS.values()) / 0.95


def test_nothing_is_chosen_where_only_eager_steps_are_possible() -> None:
    assert choose({"eager": FormCost(0, 1)}, 10**9).form == "eager"


def test_what_is_expected_of_pyramidnet_is_about_what_was_worked_out_by_hand() -> None:
    costs = expected_costs(lower(load_genome("pyramidnet-110-a48")), 128)
    assert 391 * costs["eager"].step_seconds == pytest.approx(3.9, rel=0.1)
    assert 391 * costs["graphs"].step_seconds == pytest.approx(1.5, rel=0.2)
    assert 300 < costs["compile"].setup_seconds < 700


def test_a_cpu_stays_eager_unless_a_recipe_asks() -> None:
    assert execution_of(job(), "cpu", 10**9).form == "eager"
    assert execution_of(job(training={"execution": "compile"}), "cpu", 1).form == "compile"
    asked = execution_of(job(training={"execution": "graphs"}), "cpu", 1)
    assert asked == Execution("eager", "graphs was asked for, but graphs are those of CUDA")


def test_a_gpu_has_graphs_for_long_trainings_alone() -> None:
    assert execution_of(job(), "cuda", 100).form == "eager"
    assert execution_of(job(), "cuda", 100_000).form == "graphs"
    assert execution_of(job(training={"execution": "eager"}), "cuda", 100_000).form == "eager"


def test_trainings_on_other_seeds_share_what_is_set_up() -> None:
    assert execution_of(job(), "cuda", 1000).form == "eager"
    assert execution_of(job(trainings=50), "cuda", 1000).form == "graphs"
    assert job_digest(job(trainings=5)) == job_digest(job())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"training": {"accumulate": 2, "execution": "graphs"}}, "a step has several batches"),
        ({"workers": 2, "training": {"execution": "graphs"}}, "several workers share every batch"),
        ({"workers": 2, "training": {"execution": "compile"}}, "several workers share every batch"),
    ],
)
def test_what_hinders_is_said(changes: dict[str, object], reason: str) -> None:
    found = execution_of(job(**changes), "cuda", 10**6)
    assert found.form == "eager"
    assert found.reason.endswith(f"was asked for, but {reason}")


def test_compiling_without_a_compiler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution.shutil, "which", lambda _: None)
    with pytest.raises(SpecError, match=r"training\.execution = 'compile': .*no C\+\+ comp"):
        fit(job(training={"execution": "compile"}), go_on)
    assert execution_of(job(training={"accumulate": 2}), "cuda", 10**9).form == "eager"


def test_the_form_is_in_the_digest_once_it_is_set() -> None:
    plain = load_recipe("quick")
    assert load_recipe({"recipe": "quick", "execution": "auto"}).digest() == plain.digest()
    assert load_recipe({"recipe": "quick", "execution": "compile"}).digest() != plain.digest()


def test_a_resumed_training_keeps_its_form(tmp_path: Path) -> None:
    task = job(tmp_path, training={"epochs": 2})
    with pytest.raises(KeyboardInterrupt):
        fit(task, Interrupt(1))
    saved = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert saved["execution"]["form"] == "eager"
    told = dataclasses.asdict(Execution("eager", "graphs failed: as told"))
    torch.save(saved | {"execution": told}, tmp_path / CHECKPOINT)
    assert fit(task, go_on).execution == Execution(**told)


def test_the_test_genome_is_small_enough_for_these_steps() -> None:
    assert expected_costs(lower(GENOME), 32)["eager"].step_seconds < 1e-2
