"""Streams of randomness without state: each is a function of the seed, its name and its place."""

import hashlib

import torch


def stream_seed(seed: int, stream: str, place: int | str) -> int:
    """Return the 63-bit seed of one stream (``order``, ``augmentation``, ...) at one place.

    >>> stream_seed(0, "order", 1) == stream_seed(0, "order", 2)
    False
    """
    digest = hashlib.sha256(f"{seed}:{stream}:{place}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


def generator(seed: int, stream: str, place: int | str) -> torch.Generator:
    """Return a CPU generator for one stream at one place."""
    return torch.Generator().manual_seed(stream_seed(seed, stream, place))
