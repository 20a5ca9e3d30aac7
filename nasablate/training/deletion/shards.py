"""Chains evaluated in several processes, each with a part of the images and one thread."""

import itertools
import multiprocessing
import pickle
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import torch

from nasablate.data.batches import eval_batches
from nasablate.data.images import DataInfo, ImageSet, Part
from nasablate.data.streaming import StreamedSet
from nasablate.errors import RunError
from nasablate.nets import Net
from nasablate.training.deletion.chains import Chain, check_chains
from nasablate.training.deletion.evaluation import evaluate_chains
from nasablate.training.deletion.results import ChainResults, joined


def evaluate_sharded(  # noqa: PLR0913 - the chains, and how they are shared out
    net: Net,
    chains: Sequence[Chain],
    part: Part,
    info: DataInfo,
    *,
    batch: int,
    workers: int,
    keep_logits: bool = False,
) -> ChainResults:
    """Return what ``evaluate_chains`` returns on one thread, bit for bit, on a CPU.

    Every process gets whole batches of images, the same as a single process would make, so their
    number changes nothing. Called from a script, it needs the usual
    ``if __name__ == "__main__"``, since processes are spawned.

    Args:
        net: The trained network, on the CPU.
        chains: What to run.
        part: The images.
        info: What they are normalised by.
        batch: Images per batch.
        workers: Processes; 1 evaluates here, with the threads torch has.
        keep_logits: Whether results hold the logits too.

    Raises:
        InputError: a chain cannot be run.
        RunError: a process died.
    """
    check_chains(net.blueprint, chains)
    spans = shard_spans(len(part), batch, workers)
    if len(spans) == 1:
        return _evaluate(net, chains, part, info, batch, keep_logits=keep_logits)
    payload = pickle.dumps((net, tuple(chains), info, batch, keep_logits))
    pieces = [_take(part, span) for span in spans]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(spans), mp_context=context) as pool:
        try:
            return joined(list(pool.map(_serve, itertools.repeat(payload), pieces)))
        except BrokenProcessPool as error:
            message = "a process that evaluated images died; memory may be short: use fewer"
            raise RunError(message) from error


def shard_spans(num_images: int, batch: int, workers: int) -> list[range]:
    """Return at most ``workers`` spans of images that begin where a batch begins.

    >>> shard_spans(10, 3, 2)
    [range(0, 6), range(6, 10)]
    """
    starts = np.array_split(np.arange(0, num_images, batch), workers)
    edges = [int(part[0]) for part in starts if len(part)] + [num_images]
    return [range(low, high) for low, high in itertools.pairwise(edges)]


def _serve(payload: bytes, part: Part) -> ChainResults:
    torch.set_num_threads(1)
    net, chains, info, batch, keep_logits = pickle.loads(payload)  # noqa: S301 - our own bytes
    return _evaluate(net, chains, part, info, batch, keep_logits=keep_logits)


def _evaluate(
    net: Net, chains: Sequence[Chain], part: Part, info: DataInfo, batch: int, *, keep_logits: bool
) -> ChainResults:
    batches = eval_batches(part, info, batch, torch.device("cpu"))
    return evaluate_chains(net, chains, batches, form="depth", keep_logits=keep_logits)


def _take(part: Part, span: range) -> Part:
    indices = np.arange(span.start, span.stop)
    if isinstance(part, StreamedSet):
        return StreamedSet(part.source, part.indices[indices], part.form)
    assert isinstance(part, ImageSet)
    return part.take(indices)
