"""Several processes give what one gives, bit for bit."""

import numpy as np
import pytest
import torch

from nasablate.data.images import DataInfo, frozen
from nasablate.errors import InputError
from nasablate.training.deletion.cases import intact_case, single_deletions
from nasablate.training.deletion.chains import intact
from nasablate.training.deletion.shards import evaluate_sharded, shard_spans
from nasablate.training.onednn import avoid_strided_pointwise
from tests.training.deletion.families import trained

INFO = DataInfo("made", 3, 16, 16, 5, tuple("abcde"), 0, 0, 0, "", (0.5,) * 3, (0.2,) * 3)


def test_processes_change_nothing() -> None:
    net = trained("resnet-20-b", {"width": 8, "stem.width": 8}, (2, 2))
    avoid_strided_pointwise(net)
    net.to(memory_format=torch.channels_last)
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(45, 3, 16, 16), dtype=np.uint8)
    part = frozen(images, rng.integers(5, size=45))
    blueprint = net.blueprint
    chains = [case.chain for case in (intact_case(blueprint), *single_deletions(blueprint))]
    alone = evaluate_sharded(net, chains, part, INFO, batch=10, workers=1)
    shared = evaluate_sharded(net, chains, part, INFO, batch=10, workers=2)
    assert (shared.labels == part.labels).all()
    assert (shared.predicted == alone.predicted).all()
    assert (shared.cross_entropy == alone.cross_entropy).all()
    assert alone.cross_entropy.shape == (5, 45)
    with pytest.raises(InputError, match="exactly once"):
        evaluate_sharded(net, [intact(blueprint)[1:]], part, INFO, batch=10, workers=2)


@pytest.mark.parametrize("images", [1, 7, 64, 65])
@pytest.mark.parametrize("workers", [1, 2, 3, 100])
def test_spans_hold_every_image_once_in_whole_batches(images: int, workers: int) -> None:
    spans = shard_spans(images, 8, workers)
    assert [i for span in spans for i in span] == list(range(images))
    assert all(span.start % 8 == 0 for span in spans)
    assert len(spans) == min(workers, -(-images // 8))
    sizes = [-(-len(span) // 8) for span in spans]
    assert max(sizes) - min(sizes) <= 1
