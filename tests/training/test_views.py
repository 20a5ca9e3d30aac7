"""Final errors over several views: against the plain sum, at the right epoch, repeatable."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from nasablate.data import load_test, load_train
from nasablate.data.augment import EvalBatches
from nasablate.data.images import ImageSet
from nasablate.data.views import all_views
from nasablate.genome import load_recipe
from nasablate.training import EpochRecord, evaluate_test, fit
from nasablate.training.evaluation import evaluate, evaluate_as
from nasablate.training.network import make_net
from nasablate.training.predictions import PREDICTIONS
from tests.training.test_fit import DATA, GENOME, go_on, job

CPU = torch.device("cpu")
TEN: dict[str, Any] = {"crops": 10, "size": 7, "sides": [8, 9]}
HELD = DATA.model_copy(update={"size": 8, "hold": 10, "subset": 80})


def recipe(evaluation: dict[str, Any] | None) -> Any:
    return load_recipe({"recipe": "quick", "epochs": 3, "evaluation": evaluation})


def batches() -> EvalBatches:
    data = load_train(HELD)
    assert isinstance(data.val, ImageSet)
    assert data.val.shape == (1, 10, 10)
    return EvalBatches(data.val, data.info, 16, CPU)


@pytest.mark.parametrize("average", ["probabilities", "logits"])
def test_the_average_is_that_of_the_views_one_by_one(average: str) -> None:
    net = make_net(GENOME, recipe(None), 3, CPU).eval()
    spec = recipe({**TEN, "average": average})
    found = evaluate_as(net, batches(), spec, final=True)
    losses, correct = [], []
    for seen, labels in batches().seen(all_views(spec.evaluation)):
        with torch.inference_mode():
            logits = torch.stack([net(images).double() for images in seen])
        scores = logits.mean(0).softmax(1) if average == "logits" else logits.softmax(2).mean(0)
        losses.append(functional.nll_loss(scores.log(), labels, reduction="none"))
        correct.append(scores.argmax(1) == labels)
    each = torch.cat(losses)
    assert found.loss == pytest.approx(float(each.mean()), rel=1e-9)
    assert found.true_probability == pytest.approx(float((-each).exp().mean()), rel=1e-9)
    assert torch.equal(found.correct, torch.cat(correct))


def test_without_an_evaluation_nothing_changes() -> None:
    net = make_net(GENOME, recipe(None), 3, CPU)
    plain = evaluate(net, batches())
    for final in (False, True):
        found = evaluate_as(net, batches(), recipe(None), final=final)
        assert (found.loss, found.true_probability) == (plain.loss, plain.true_probability)
        assert torch.equal(found.correct, plain.correct)


def test_only_the_last_epoch_looks_at_all_views(tmp_path: Path) -> None:
    def records(name: str, evaluation: dict[str, Any]) -> list[EpochRecord]:
        training = {"epochs": 2, "evaluation": evaluation}
        return list(fit(job(tmp_path / name, data=HELD, training=training), go_on).records)

    ten, always = records("ten", TEN), records("always", TEN | {"every_epoch": True})
    one, again = records("one", {"size": 7, "sides": [9]}), records("again", TEN)
    losses = [[record.val_loss for record in records] for records in (ten, always, one, again)]
    assert losses[0][0] == losses[2][0]  # the centre of the larger side
    assert losses[0][1] == losses[1][1] != losses[2][1]
    assert losses[0] == losses[3]
    assert losses[1][0] != losses[0][0]
    assert len({record.train_loss for record in (ten[1], always[1], one[1])}) == 1
    saved = json.loads((tmp_path / "ten" / PREDICTIONS).read_text())
    bits = np.frombuffer(base64.b64decode(saved["correct"]), dtype=np.uint8)
    right = int(np.unpackbits(bits, count=saved["num_images"]).sum())
    assert saved["loss"] == ten[1].val_loss
    assert 100 * (1 - right / saved["num_images"]) == pytest.approx(ten[1].val_error)


def test_the_test_part_is_read_over_all_views(tmp_path: Path) -> None:
    results = []
    for name, evaluation in (("ten", TEN), ("none", None)):
        asked = job(tmp_path / name, data=HELD, training={"epochs": 1, "evaluation": evaluation})
        fit(asked, go_on)
        results.append(evaluate_test(asked))
    assert results[0].loss != results[1].loss
    assert results[0].fingerprint == results[1].fingerprint
    assert results[0].num_images == len(load_test(HELD))
