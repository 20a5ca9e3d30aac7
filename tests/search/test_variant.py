"""Images that are too small for a network are refused with the size that is not."""

import re

import pytest

from nasablate.blueprint import lower
from nasablate.errors import GenomeError
from nasablate.genome import Genome, load_genome
from nasablate.search.variant import on_data, on_large_enough
from tests.test_docs import images


@pytest.mark.parametrize(("preset", "size"), [("alexnet", 67), ("vgg-16", 32), ("googlenet", 224)])
def test_the_size_that_is_named_is_the_least(preset: str, size: int) -> None:
    genome = load_genome(preset)
    with pytest.raises(GenomeError) as caught:
        on_large_enough(genome, images(3, 8))
    message = str(caught.value)
    assert "input = '8 x 8': images of images are too small" in message
    [named] = map(int, re.findall(r"--size (\d+)", message))
    assert f"data: {{size: {named}}}" in message
    assert on_large_enough(genome, images(3, named)).input.height == named
    with pytest.raises(GenomeError):
        lower(on_data(genome, images(3, named - 1)))
    assert named <= size


def test_other_reasons_are_told_as_they_are() -> None:
    stages = {"stages": [{"units": 1, "unit": {"kind": "conv", "kernel": 9, "padding": 0}}]}
    genome = Genome.parse({**stages, "input": {"channels": 3, "height": 8, "width": 8}})
    with pytest.raises(GenomeError, match=r"for a 9x9 window.*scales all images"):
        on_large_enough(genome, images(3, 8))
