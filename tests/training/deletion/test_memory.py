"""Activations stay within the stated memory, counted tensor by tensor as torch makes them."""

import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nasablate.errors import InputError
from nasablate.training.deletion.cases import (
    intact_case,
    pair_deletions,
    random_deletions,
    single_deletions,
)
from nasablate.training.deletion.evaluation import evaluate_chains
from nasablate.training.deletion.memory import largest_batch, needed_bytes
from nasablate.training.deletion.tree import grow
from tests.training.deletion.families import family, images, trained


class AliveBytes(TorchDispatchMode):
    """Adds up the bytes of all storages made inside it, and how many were alive at most."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.worst = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        known = {
            leaf.untyped_storage()._cdata
            for leaf in tree_leaves((args, kwargs))
            if isinstance(leaf, torch.Tensor)
        }
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self._count(leaf, known)
        return result

    def _count(self, tensor: torch.Tensor, known: set[int]) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in known | self._seen:
            return
        size, key = storage.nbytes(), storage._cdata
        self._seen.add(key)
        self.now += size
        self.worst = max(self.worst, self.now)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size


@pytest.mark.parametrize("form", ["depth", "growing"])
@pytest.mark.parametrize(
    "name", ["identity, merged relu", "projection", "zero-padded, pooled", "split attention",
             "res2net", "exclusive gating", "se", "linear bottleneck"],
)  # fmt: skip
def test_what_is_alive_fits_the_estimate(name: str, form: str) -> None:
    net = family(name)
    blueprint = net.blueprint
    cases = (intact_case(blueprint), *single_deletions(blueprint), *pair_deletions(blueprint),
             *random_deletions(blueprint, [3], 4, seed=0))  # fmt: skip
    chains = [case.chain for case in cases]
    batch = images(net, 2)
    needed = needed_bytes(blueprint, grow(chains), 2, form)
    with AliveBytes() as alive:
        evaluate_chains(net, chains, [batch], form=form)
    results = 64 * len(chains) * 4  # predictions and losses, which the estimate leaves out
    assert alive.worst <= needed + results
    assert alive.worst >= 0.4 * needed


def test_single_deletions_keep_one_activation_however_deep_the_network() -> None:
    needs = []
    for units in (2, 20):
        blueprint = trained("resnet-20", {}, (units, units)).blueprint
        chains = [case.chain for case in single_deletions(blueprint)]
        needs.append(needed_bytes(blueprint, grow(chains), 1, "depth"))
    assert needs[0] == needs[1]
    one = 16 * 16 * 16 * 4  # an activation of the first stage
    assert needs[0] == 5 * one  # kept, input, branch, another, scratch


def test_largest_batch_is_the_largest_that_fits() -> None:
    blueprint = trained("pyramidnet-110-a48", {"widening.alpha": 9}, (3, 3, 3)).blueprint
    chains = [case.chain for case in single_deletions(blueprint)]
    for form in ("depth", "growing"):
        for budget in (3 * 2**20, 50 * 2**20):
            batch = largest_batch(blueprint, chains, budget, form)
            root = grow(chains)
            assert needed_bytes(blueprint, root, batch, form) <= budget
            assert needed_bytes(blueprint, root, batch + 1, form) > budget
        least = needed_bytes(blueprint, grow(chains), 1, form)
        assert largest_batch(blueprint, chains, least, form) == 1
        remedy = f"allow at least {-(-least // 2**20)}MiB"
        with pytest.raises(InputError, match=f"one image under .* needs {least:,}; {remedy}"):
            largest_batch(blueprint, chains, least - 1, form)
    assert largest_batch(blueprint, chains, 2**50) == 4096
