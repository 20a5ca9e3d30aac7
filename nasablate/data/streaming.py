"""Parts of data sets that are larger than the memory budget: decoded whenever they are needed.

A streamed part yields the same bytes in the same order as the part in memory would, so the
fingerprint and every batch are the same either way.
"""

import contextlib
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nasablate.data.encoded import Encoded, Form, decode_into
from nasablate.data.folders import cache_root
from nasablate.data.images import Facts, Images, Labels, examine
from nasablate.data.pictures import quiet_decoding

_CHUNK_BYTES = 16 * 2**20


@dataclass(frozen=True, eq=False)
class StreamedSet:
    """Pictures of ``source`` at ``indices``, decoded when they are asked for."""

    source: Encoded
    indices: NDArray[np.int64]
    form: Form

    @property
    def labels(self) -> Labels:
        """The class of every image, int64 [n]."""
        return self.source.labels[self.indices]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        return self.form.shape

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.indices)

    def decode(self, positions: Sequence[int]) -> Images:
        """Return the images at ``positions`` of this part, uint8 [k, channels, height, width].

        Raises:
            DataError: a picture cannot be decoded.
        """
        images = np.empty((len(positions), *self.shape), dtype=np.uint8)
        indices = [int(self.indices[position]) for position in positions]
        decode_into(images, self.source, indices, self.form)
        return images

    def chunks(self) -> Iterator[Images]:
        """Yield all images in order, decoded in threads: Pillow works beside the interpreter.

        Raises:
            DataError: a picture cannot be decoded.
        """
        step = max(1, _CHUNK_BYTES // self.form.num_bytes)
        num_threads = os.cpu_count() or 1
        waiting: deque[Future[Images]] = deque()
        # Warnings are silenced outside of the threads, which share that setting.
        with quiet_decoding(), ThreadPoolExecutor(num_threads) as pool:
            for start in range(0, len(self), step):
                span = range(start, min(start + step, len(self)))
                waiting.append(pool.submit(self.decode, span))
                if len(waiting) > num_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


def facts_once(train: StreamedSet, val: StreamedSet, key: str) -> Facts:
    """Return the facts of a streamed set; the pass over all its pictures is made once.

    Args:
        train: The training part.
        val: The validation part.
        key: Names the files, how they are decoded and the split.

    Raises:
        DataError: a picture cannot be decoded.
    """
    path = cache_root() / "streamed" / f"{key}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        saved = json.loads(path.read_text(encoding="utf-8"))
        means = tuple(float(value) for value in saved["mean"])
        stds = tuple(float(value) for value in saved["std"])
        if len(means) == len(stds) == train.shape[0] and len(saved["fingerprint"]) == 64:
            return Facts(str(saved["fingerprint"]), means, stds)
    facts = examine(train, val)
    write_atomically(path, json.dumps(asdict(facts)).encode())
    return facts


def write_atomically(path: Path, content: bytes) -> None:
    """Write a cache file, whole or not at all; a disk that refuses costs only time."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
