"""Where a mistake that shows only later stands in the file it came from."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from nasablate.errors import DataError, SpecError
from nasablate.genome.yaml_source import read_yaml


@contextmanager
def located_in(path: Path) -> Generator[None]:
    """Give the errors raised inside their place in a file that was read before.

    Raises:
        SpecError: with file, line and column.
        DataError: with those of the data set's name.
    """
    try:
        yield
    except DataError as error:
        message = f"{read_yaml(path).where(('data', 'name'))}: {error}"
        raise DataError(message) from None
    except SpecError as error:
        if all(problem.where for problem in error.problems):
            raise
        raise read_yaml(path).locate(error) from None
