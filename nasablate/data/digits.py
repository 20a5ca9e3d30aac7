"""``digits``: the 1,797 real 8x8 grey images of handwritten digits that scikit-learn ships.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998.
"""

import gzip
import importlib.util
from pathlib import Path

import numpy as np

from nasablate.data.images import ImageSet, Source, frozen
from nasablate.data.splits import stratified
from nasablate.errors import DataError

TEST_FRACTION = 0.2
NUM_TEST = 359
_TEST_SEED = 0
_FILE = Path("datasets", "data", "digits.csv.gz")


def read_digits() -> tuple[Source, ImageSet]:
    """Return everything but the test part, and the test part (20 %, stratified, always the same).

    Values 0..16 become 0..255 by ``round_half_up(value * 255 / 16)``.

    Raises:
        DataError: scikit-learn is not installed or its file cannot be read.
    """
    images = _read_all()
    num_test = round(TEST_FRACTION * len(images))
    test, rest = stratified(images.labels, num_test, _TEST_SEED, "digits test part")
    names = tuple(str(digit) for digit in range(10))
    return Source(images.take(rest), names), images.take(test)


def _read_all() -> ImageSet:
    # Reading the packaged file takes a twentieth of the time of importing scikit-learn.
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        message = "digits: needs the images packaged with scikit-learn; pip install scikit-learn"
        raise DataError(message)
    path = Path(spec.submodule_search_locations[0]) / _FILE
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.float64).astype(np.int64)
    except (OSError, EOFError, ValueError) as error:
        message = f"digits: cannot read {path} ({error}); reinstall scikit-learn"
        raise DataError(message) from error
    pixels = (table[:, :-1] * 255 + 8) // 16
    return frozen(pixels.reshape(-1, 1, 8, 8).astype(np.uint8), table[:, -1])
