"""Stratified splits that depend on a named seed and on nothing else."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from nasablate.data.images import Labels

Indices = NDArray[np.int64]


def stratified(labels: Labels, count: int, seed: int, purpose: str) -> tuple[Indices, Indices]:
    """Draw ``count`` indices with the class proportions of ``labels``; return (drawn, rest).

    Both are ascending. The draw depends on ``seed`` and ``purpose`` only. It sorts raw 64-bit
    outputs of PCG64, which numpy promises never to change, unlike those of ``permutation``.

    >>> drawn, rest = stratified(np.array([0, 0, 0, 0, 1, 1]), 3, seed=0, purpose="doc")
    >>> len(drawn), len(rest)
    (3, 3)
    """
    assert 0 <= count <= len(labels)
    keys = np.random.PCG64(_seed(seed, purpose)).random_raw(len(labels))
    drawn: list[Indices] = []
    classes, sizes = np.unique(labels, return_counts=True)
    for label, quota in zip(classes, _quotas([int(size) for size in sizes], count), strict=True):
        members = np.flatnonzero(labels == label)
        order = np.argsort(keys[members], kind="stable")
        drawn.append(members[order[:quota]])
    chosen = np.zeros(len(labels), dtype=np.bool_)
    chosen[np.concatenate(drawn)] = True
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def folded(labels: Labels, folds: int, fold: int, seed: int) -> tuple[Indices, Indices]:
    """Return fold number ``fold`` of ``folds`` stratified folds, and the rest.

    Both are ascending. The folds of one seed are disjoint, cover everything, and differ by at most
    one image in size and in the number of images of a class.

    >>> parts = [folded(np.array([0, 0, 0, 1, 1]), 2, fold, seed=0)[0] for fold in (0, 1)]
    >>> sorted(np.concatenate(parts).tolist())
    [0, 1, 2, 3, 4]
    """
    assert 0 <= fold < folds <= len(labels)
    keys = np.random.PCG64(_seed(seed, "folds")).random_raw(len(labels))
    # Dealt like cards, class after class, so that no fold gets every class's odd image.
    order = np.lexsort((keys, labels))
    dealt = np.empty(len(labels), dtype=np.int64)
    dealt[order] = np.arange(len(labels)) % folds
    return np.flatnonzero(dealt == fold), np.flatnonzero(dealt != fold)


def _quotas(sizes: list[int], count: int) -> list[int]:
    """Share ``count`` among classes in proportion to their sizes, by largest remainder."""
    total = sum(sizes)
    quotas = [size * count // total for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda i: (-(sizes[i] * count % total), i))
    for index in by_remainder[: count - sum(quotas)]:
        quotas[index] += 1
    return quotas


def _seed(seed: int, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{purpose}".encode()).digest()[:16])
