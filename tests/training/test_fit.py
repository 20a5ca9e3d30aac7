import base64
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nasablate.data import load_test
from nasablate.errors import DataError, InputError, RunError
from nasablate.genome import DataSpec, Genome, Recipe, load_recipe
from nasablate.training import EpochRecord, Outcome, TrainJob, evaluate_test, fit, job_digest
from nasablate.training.checkpoint import CHECKPOINT, WEIGHTS
from nasablate.training.predictions import PREDICTIONS
from nasablate.training.schedule import learning_rate

GENOME = Genome.parse(
    {
        "input": {"channels": 1, "height": 8, "width": 8},
        "width": 4,
        "stem": {"kind": "conv3x3", "width": 4},
        "stages": [{"units": 1}, {"units": 1, "stride": 2}],
        "dropout": 0.2,  # so that resuming must restore this stream, too
        "drop_path": {"final": 0.2},
    }
)
DATA = DataSpec(name="digits", subset=200)


def job(folder: Path | None = None, **changes: Any) -> TrainJob:
    training: dict[str, Any] = {"recipe": "quick", "epochs": 4, "batch_size": 32}
    training |= changes.pop("training", {})
    fields: dict[str, Any] = {"genome": GENOME, "data": DATA, "seed": 0, "keep_weights": True}
    return TrainJob(recipe=load_recipe(training), folder=folder, **{**fields, **changes})


def go_on(_: EpochRecord) -> bool:
    return True


def timeless(records: tuple[EpochRecord, ...]) -> list[EpochRecord]:
    return [dataclasses.replace(record, seconds=0.0) for record in records]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / WEIGHTS, weights_only=True)


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert torch.equal(values, second[name]), name


def without_steps(records: tuple[EpochRecord, ...]) -> list[EpochRecord]:
    return [dataclasses.replace(record, steps=()) for record in timeless(records)]


class Interrupt:
    """Lets the training die, as a signal would, when an epoch is reported."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def __call__(self, record: EpochRecord) -> bool:
        if record.epoch == self.epoch:
            raise KeyboardInterrupt
        return True


def interrupted(task: TrainJob, epoch: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(task, Interrupt(epoch))


def test_learns_and_reports_every_epoch(tmp_path: Path) -> None:
    seen: list[EpochRecord] = []
    outcome = fit(job(tmp_path, training={"epochs": 6}), lambda r: not seen.append(r))
    assert outcome.state == "completed"
    assert outcome.reason == ""
    assert outcome.records == tuple(seen)
    assert [record.epoch for record in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[-1].train_loss < seen[0].train_loss
    assert all(0 <= record.val_error <= 100 and record.seconds > 0 for record in seen)
    assert seen[0].lr > seen[-1].lr > 0
    assert {path.name for path in tmp_path.iterdir()} == {WEIGHTS, PREDICTIONS}


def test_leaves_the_predictions_of_the_last_epoch(tmp_path: Path) -> None:
    last = fit(job(tmp_path, training={"epochs": 2}), go_on).records[-1]
    found = json.loads((tmp_path / PREDICTIONS).read_text())
    bits = np.unpackbits(np.frombuffer(base64.b64decode(found["correct"]), np.uint8))
    correct = bits[: found["num_images"]]
    assert 100 * (1 - correct.mean()) == pytest.approx(last.val_error, abs=1e-9)
    assert found["loss"] == last.val_loss
    # Jensen: the mean probability is at least exp(-mean cross-entropy)
    assert math.exp(-last.val_loss) <= found["true_probability"] <= 1


def test_same_job_same_bits_other_seed_other_result(tmp_path: Path) -> None:
    first = fit(job(tmp_path / "a"), go_on)
    torch.rand(7)  # the state outside must not matter
    second = fit(job(tmp_path / "b"), go_on)
    assert timeless(first.records) == timeless(second.records)
    assert_same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    other = fit(job(seed=1), go_on)
    assert timeless(other.records) != timeless(first.records)


def test_records_within_epochs_cover_every_step_once_and_change_nothing(tmp_path: Path) -> None:
    plain = fit(job(tmp_path / "plain"), go_on)
    asked = job(tmp_path / "asked", record_every=2)
    interrupted(asked, 3)
    found = fit(asked, go_on)  # the epochs of the checkpoint come with their steps
    assert job_digest(asked) == job_digest(job())
    assert without_steps(found.records) == timeless(plain.records)
    assert_same(weights(tmp_path / "asked"), weights(tmp_path / "plain"))
    assert plain.records[0].steps == ()
    images = [32] * 4 + [22]  # 150 images: a record of two steps, one of two, one of the last
    for record in found.records:
        first = 5 * (record.epoch - 1)
        assert [step.step - first for step in record.steps] == [2, 4, 5]
        assert record.steps[-1].lr == record.lr
        total = sum(
            step.train_loss * sum(part)
            for step, part in zip(record.steps, (images[:2], images[2:4], images[4:]), strict=True)
        )
        assert total / sum(images) == pytest.approx(record.train_loss, rel=1e-12)


@pytest.mark.parametrize("epoch", [1, 3, 4])
def test_resumed_equals_undisturbed_bit_for_bit(tmp_path: Path, epoch: int) -> None:
    whole = fit(job(tmp_path / "whole"), go_on)
    interrupted(job(tmp_path / "torn"), epoch)
    assert (tmp_path / "torn" / CHECKPOINT).exists()  # written before the epoch was reported
    replayed: list[int] = []
    resumed = fit(job(tmp_path / "torn"), lambda r: not replayed.append(r.epoch))
    assert replayed == [1, 2, 3, 4]
    assert timeless(resumed.records) == timeless(whole.records)
    assert_same(weights(tmp_path / "torn"), weights(tmp_path / "whole"))
    assert not (tmp_path / "torn" / CHECKPOINT).exists()


def test_resuming_does_not_train_finished_epochs_again(tmp_path: Path) -> None:
    interrupted(job(tmp_path), 3)
    document = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    saved = [record["seconds"] for record in document["records"]]
    assert document["epoch"] == 3
    resumed = fit(job(tmp_path), go_on)
    assert [record.seconds for record in resumed.records[:3]] == saved


@pytest.mark.parametrize("damage", ["truncate", "flip", "nonsense", "empty"])
def test_a_damaged_checkpoint_is_ignored(tmp_path: Path, damage: str) -> None:
    whole = fit(job(), go_on)
    interrupted(job(tmp_path), 2)
    path = tmp_path / CHECKPOINT
    content = path.read_bytes()
    place = len(content) // 3
    flipped = bytes([*content[:place], content[place] ^ 255, *content[place + 1 :]])
    broken = {"truncate": content[:-500], "flip": flipped, "nonsense": b"x" * 99, "empty": b""}
    path.write_bytes(broken[damage])
    again = fit(job(tmp_path), go_on)
    assert timeless(again.records) == timeless(whole.records)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"threads": 2},
        {"data": DataSpec(name="digits", subset=201)},
        {"training": {"label_smoothing": 0.3}},
        {"genome": GENOME.model_copy(update={"dropout": 0.1})},
    ],
)
def test_the_checkpoint_of_another_job_is_ignored(tmp_path: Path, change: dict[str, Any]) -> None:
    interrupted(job(tmp_path, training={"epochs": 1}), 1)
    interrupted(job(tmp_path), 2)
    assert job_digest(job(**change)) != job_digest(job())
    alone = fit(job(**change), go_on)
    beside = fit(job(tmp_path, **change), go_on)
    assert timeless(beside.records) == timeless(alone.records)


def test_labels_are_no_part_of_the_job() -> None:
    renamed = GENOME.model_copy(update={"name": "other", "source": "elsewhere"})
    assert job_digest(job(genome=renamed)) == job_digest(job(Path("x"), device="cuda"))


@pytest.mark.parametrize("resumed", [False, True])
def test_stops_when_told(tmp_path: Path, *, resumed: bool) -> None:
    if resumed:
        interrupted(job(tmp_path), 2)
    outcome = fit(job(tmp_path), lambda record: record.epoch < 2)
    assert outcome.state == "stopped"
    assert len(outcome.records) == 2
    assert [path.name for path in tmp_path.iterdir()] == [WEIGHTS]


def test_stopping_does_not_change_the_epochs_before(tmp_path: Path) -> None:
    whole = fit(job(), go_on)
    stopped = fit(job(tmp_path), lambda record: record.epoch < 2)
    assert timeless(stopped.records) == timeless(whole.records)[:2]


def test_divergence_ends_the_job_and_is_not_reported(tmp_path: Path) -> None:
    seen: list[EpochRecord] = []
    wild = {"optimizer": {"lr": 1e30}, "warmup": {"epochs": 0}}
    outcome = fit(job(tmp_path, training=wild), lambda r: not seen.append(r))
    assert outcome == Outcome("diverged", (), "loss became nan at epoch 1")
    assert seen == []
    assert list(tmp_path.iterdir()) == []


def test_divergence_keeps_the_epochs_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(job(), go_on)

    def explode(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
        wild = step >= 2 * steps_per_epoch
        return 1e30 if wild else learning_rate(recipe, step, steps_per_epoch)

    monkeypatch.setattr("nasablate.training.loop.learning_rate", explode)
    outcome = fit(job(tmp_path), go_on)
    assert (outcome.state, outcome.reason) == ("diverged", "loss became nan at epoch 3")
    assert timeless(outcome.records) == timeless(whole.records)[:2]
    assert list(tmp_path.iterdir()) == []


def test_label_smoothing_reaches_the_training() -> None:
    plain = fit(job(training={"epochs": 1, "label_smoothing": 0.0}), go_on).records[0]
    smooth = fit(job(training={"epochs": 1, "label_smoothing": 0.5}), go_on).records[0]
    assert smooth.train_loss != plain.train_loss


def test_leaves_no_trace_in_the_process() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    threads = torch.get_num_threads()
    torch.manual_seed(5)
    fit(job(training={"epochs": 1}, threads=3), go_on)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_uses_the_threads_of_the_job() -> None:
    seen: list[int] = []
    fit(job(training={"epochs": 1}, threads=2), lambda _: not seen.append(torch.get_num_threads()))
    assert seen == [2]


def test_refuses_data_the_network_cannot_read() -> None:
    wrong = GENOME.model_copy(update={"classes": 7})
    with pytest.raises(DataError, match="of 7 classes, data 'digits' has 1x8x8 images of 10 cl"):
        fit(job(genome=wrong), go_on)


@pytest.mark.parametrize("name", ["toaster", "cuda:99"])
def test_refuses_devices_that_are_not_there(name: str) -> None:
    with pytest.raises(InputError, match=f"device = '{name}'"):
        fit(job(device=name), go_on)


def test_test_part_is_evaluated_from_the_kept_weights(tmp_path: Path) -> None:
    task = job(tmp_path)
    fit(task, go_on)
    result = evaluate_test(task)
    assert result.num_images == 359
    bits = np.unpackbits(np.frombuffer(result.correct, np.uint8))[:359]
    assert result.error == pytest.approx(100 * (1 - bits.mean()))
    assert 0 < result.error < 100
    assert result.loss > 0
    assert evaluate_test(task) == result


def test_test_part_needs_weights_of_this_network(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="train the job with keep_weights"):
        evaluate_test(job(tmp_path))
    with pytest.raises(RunError, match="without a folder"):
        evaluate_test(job())
    fit(job(tmp_path, training={"epochs": 1}), go_on)
    wider = GENOME.model_copy(update={"width": 8})
    with pytest.raises(RunError, match="not the weights of this network"):
        evaluate_test(job(tmp_path, genome=wider))


def test_training_never_reads_the_test_part(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(spec: DataSpec) -> None:
        raise AssertionError(spec)

    monkeypatch.setattr("nasablate.training.evaluation.load_test", refuse)
    monkeypatch.setattr("nasablate.data.load_test", refuse)
    assert fit(job(training={"epochs": 1}), go_on).state == "completed"
    with pytest.raises(AssertionError):
        evaluate_test(job())
    assert len(load_test(DATA)) == 359


@pytest.mark.slow
@pytest.mark.parametrize("placement", ["original", "preactivation", "pyramid"])
def test_quick_recipe_is_good_on_digits(placement: str) -> None:
    genome = Genome.parse(
        {
            "input": {"channels": 1, "height": 8, "width": 8},
            "stages": [{"units": 1}, {"units": 1, "stride": 2}],
            "placement": placement,
            "head": {"tail": [] if placement == "original" else ["bn", "relu"]},
        }
    )
    task = TrainJob(genome, load_recipe("quick"), DataSpec(name="digits"), seed=0)
    assert fit(task, go_on).records[-1].val_error < 4
