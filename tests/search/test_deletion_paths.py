"""Effective paths of a study, from the gradients that its database keeps."""

import pytest

from nasablate.analysis.paths import share_of_paths
from nasablate.report.deletion_tables import length_ranges
from nasablate.search.deletion_path_results import path_results
from nasablate.search.deletion_paths import paths_attribute


def attributes(shrinking: list[float], units: int = 54) -> dict[str, object]:
    """Return what a study keeps of trainings whose norms shrink so much with every branch."""
    lengths = list(range(0, units + 1, 3))
    return {
        paths_attribute("net", replicate): {
            "network": "net",
            "replicate": replicate,
            "units": units,
            "lengths": lengths,
            "norms": [factor**-length for length in lengths],
        }
        for replicate, factor in enumerate(shrinking)
    }


def test_gradients_that_shrink_threefold_come_through_few_of_all_paths() -> None:
    paths, effective = path_results("net", attributes([3.0, 3.0]))
    assert effective is not None
    # weights n choose k times 3^-k are binomial with 1/4 instead of 1/2
    assert effective.lengths == tuple(range(8, 21))
    assert effective.share_of_paths == pytest.approx(float(share_of_paths(54, 8, 20)))
    assert effective.share_of_paths < 0.04
    assert effective.each.values == {0: effective.share_of_paths, 1: effective.share_of_paths}
    assert (effective.paths, effective.paths_without_one) == (2**54, 2**53)
    assert [path.length for path in paths if path.is_effective] == list(effective.lengths)
    carried = sum(path.share_of_gradient.mean or 0 for path in paths if path.is_effective)
    assert 0.95 <= carried < 0.96


def test_each_training_has_effective_lengths_of_its_own() -> None:
    _, effective = path_results("net", attributes([1.0, 9.0]))
    assert effective is not None
    assert effective.each.values[0] > 0.95
    assert effective.each.values[1] < 0.001


def test_without_gradients_there_are_no_effective_paths() -> None:
    assert path_results("net", {}) == ((), None)
    assert path_results("other", attributes([3.0])) == ((), None)


def test_lengths_in_words() -> None:
    assert length_ranges([2, 3, 4, 7, 9, 10]) == "2 to 4, 7, 9 to 10"
    assert length_ranges([]) == ""
