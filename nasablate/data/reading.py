"""One part of a data set, decoded into memory or streamed, in the form asked for."""

import contextlib
import json
from dataclasses import asdict, dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nasablate.data.decoded import Stamp, cache_key, decoded_once, stamp
from nasablate.data.encoded import Encoded, Form, decode_all, survey
from nasablate.data.folders import cache_root
from nasablate.data.images import Images, ImageSet, Labels, Part, Source, frozen
from nasablate.data.limits import memory_budget
from nasablate.data.packed import packed_once
from nasablate.data.parquet import ParquetImages
from nasablate.data.pictures import Channels, scaled
from nasablate.data.sources import Stored
from nasablate.data.streaming import StreamedSet, write_atomically


@dataclass(frozen=True)
class ReadPart:
    """A whole part, before any split."""

    labels: Labels
    class_names: tuple[str, ...]
    images: ImageSet | None
    """None when it is streamed."""
    source: Encoded | None
    form: Form | None

    @property
    def streamed(self) -> bool:
        """Whether its pictures are decoded when they are needed."""
        return self.images is None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        part = self.images or self.form
        assert part is not None
        return part.shape

    def take(self, indices: NDArray[np.int64]) -> Part:
        """Return the images at ``indices``."""
        if self.images is not None:
            return self.images.take(indices)
        assert self.source is not None
        assert self.form is not None
        return StreamedSet(self.source, indices, self.form)

    def whole(self) -> Part:
        """Return all images."""
        return self.images or self.take(np.arange(len(self.labels)))


def read_part(stored: Stored, size: int | None, channels: Channels | None = None) -> ReadPart:
    """Read one part.

    Args:
        stored: Where it lies.
        size: What its images are scaled to; None keeps them.
        channels: Of the training part, for the other parts; grey images then become colour.

    Raises:
        DataError: an image or a file is damaged, or the images have no common size.
    """
    files = stamp(stored.files)
    match stored.kind:
        case "pictures":
            return _pictures(stored, files, size, channels)
        case "arrays":
            return _in_memory(_scaled(cast("Source", stored.read()), size))
        case "packed arrays":
            variant = stored.inside + (f"size={size}" if size else "")
            return _in_memory(
                decoded_once(files, lambda: _scaled(cast("Source", stored.read()), size), variant)
            )


def _pictures(
    stored: Stored, files: Stamp, size: int | None, channels: Channels | None
) -> ReadPart:
    part = cast("Encoded", stored.read())
    form = _survey_once(part, files, size)
    variant = f"size={size}" if size else ""
    if channels == 3 and form.channels == 1:
        form = Form(3, form.height, form.width, form.size)
        variant += "colour"
    if len(part.labels) * form.num_bytes <= memory_budget():
        pixels = decoded_once(files, lambda: decode_all(part, form), variant).images.images
        # Labels and names are not the files' alone: folders, links and the training part give them.
        return _in_memory(Source(frozen(pixels, part.labels), part.class_names))
    if isinstance(part, ParquetImages):
        part = packed_once(part, stored.files, cache_key(files, "packed"))
    return ReadPart(part.labels, part.class_names, None, part, form)


def _in_memory(source: Source) -> ReadPart:
    return ReadPart(source.images.labels, source.class_names, source.images, None, None)


def _survey_once(part: Encoded, files: Stamp, size: int | None) -> Form:
    """Read all headers, or what an earlier process found in them."""
    path = cache_root() / "surveyed" / f"{cache_key(files, f'survey {size}')}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        form = Form(**json.loads(path.read_text(encoding="utf-8")))
        if form.channels in {1, 3} and form.size == size and form.num_bytes > 0:
            return form
    form = survey(part, size)
    write_atomically(path, json.dumps(asdict(form)).encode())
    return form


def _scaled(source: Source, size: int | None) -> Source:
    """Scale images that are arrays already, as pictures are."""
    images = source.images.images
    if size is None or images.shape[2:] == (size, size):
        return source
    result = np.empty((*images.shape[:2], size, size), dtype=np.uint8)
    for image, target in zip(images, result, strict=True):
        _scale_into(target, image, size)
    return Source(frozen(result, source.images.labels), source.class_names)


def _scale_into(target: Images, image: Images, size: int) -> None:
    pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
    values = np.asarray(scaled(Image.fromarray(pixels), size))
    target[:] = values[None] if len(image) == 1 else values.transpose(2, 0, 1)
