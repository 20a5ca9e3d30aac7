"""Two workers that share every batch train as one process does."""

import pytest
import torch
from torch import multiprocessing

from tests.training.team_roles import job, records, work

TOLERANCE = 2e-3
"""Of losses and weights, after ten steps: sums of single-precision numbers in another order."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("team")
    multiprocessing.spawn(work, (2, str(folder)), nprocs=2)
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def weights(folder):
    return torch.load(folder / "weights.pt", weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "accumulate"), [("plain", 1), ("grouped", 2)])
def test_the_result_is_that_of_one_process(folder, found, tmp_path, name, accumulate):
    alone = records(job(tmp_path, 1, accumulate=accumulate))
    for record, theirs in zip(alone, found[0][name], strict=True):
        assert theirs["train_loss"] == pytest.approx(record.train_loss, rel=TOLERANCE)
        assert theirs["val_loss"] == pytest.approx(record.val_loss, rel=TOLERANCE)
        assert theirs["lr"] == record.lr
        for one, other in zip(theirs["steps"], record.steps, strict=True):
            assert one["train_loss"] == pytest.approx(other.train_loss, rel=TOLERANCE)
    ours, theirs = weights(tmp_path), weights(folder / name)
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        torch.testing.assert_close(theirs[key], value, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.slow
def test_all_workers_see_the_same_and_the_first_alone_writes(folder, found):
    for name in ("plain", "grouped", "resumed"):
        for one, other in zip(found[0][name], found[1][name], strict=True):
            assert one | {"seconds": 0} == other | {"seconds": 0}
    assert {path.name for path in (folder / "plain").iterdir()} == {"weights.pt", "validation.json"}


@pytest.mark.slow
def test_an_interrupted_team_goes_on_bit_for_bit(folder, found):
    for one, other in zip(found[0]["plain"], found[0]["resumed"], strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    plain, resumed = weights(folder / "plain"), weights(folder / "resumed")
    assert all(torch.equal(resumed[key], value) for key, value in plain.items())
