"""Fractional designs: resolution, aliases and minimum aberration by enumeration."""

import itertools
from collections import Counter

import numpy as np
import pytest

from nasablate.analysis.fractional import MAX_FACTORS, fractional
from nasablate.errors import SpecError

LETTERS = "ABCDEFGHJKLM"
EVERY = [(k, resolution) for k in range(1, MAX_FACTORS + 1) for resolution in (3, 4, 5)]

PATTERNS = {
    # k, runs: number of words of length 3, 4, ... (Chen, Sun and Wu 1993, Int. Stat. Review 61)
    (8, 16): [0, 14, 0, 0, 0, 1],
    (9, 16): [4, 14, 8, 0, 4, 1, 0],
    (10, 16): [8, 18, 16, 8, 8, 5, 0, 0],
    (11, 16): [12, 26, 28, 24, 20, 13, 4, 0, 0],
    (12, 16): [16, 39, 48, 48, 48, 39, 16, 0, 0, 1],
    (9, 32): [0, 6, 8, 0, 0, 1, 0],
    (10, 32): [0, 10, 16, 0, 0, 5, 0, 0],
    (11, 32): [0, 25, 0, 27, 0, 10, 0, 1, 0],
    (12, 32): [0, 38, 0, 52, 0, 33, 0, 4, 0, 0],
    (8, 64): [0, 0, 2, 1, 0, 0],
    (9, 128): [0, 0, 0, 3, 0, 0, 0],
    (10, 128): [0, 0, 3, 3, 1, 0, 0, 0],
    (11, 128): [0, 0, 6, 6, 2, 1, 0, 0, 0],
    (12, 256): [0, 0, 0, 12, 0, 3, 0, 0, 0, 0],
}


def design_of(k, resolution):
    return fractional(tuple(LETTERS[:k]), resolution)


def pattern(design):
    lengths = Counter(len(word.factors) for word in design.words)
    return [lengths.get(i, 0) for i in range(3, len(design.factors) + 1)]


def columns(design):
    runs = np.array(design.runs)
    return {name: runs[:, i] for i, name in enumerate(design.factors)}


def product(column, names):
    return np.prod([column[name] for name in names], axis=0)


@pytest.mark.parametrize(("k", "resolution"), EVERY)
def test_the_resolution_is_at_least_the_one_asked(k, resolution):
    design = design_of(k, resolution)
    runs = np.array(design.runs)
    assert len(set(design.runs)) == len(runs)
    assert len(runs) * 2 ** len(design.generators) == 2**k
    assert (runs[0] == -1).all()
    if not design.generators:
        assert (design.resolution, design.words) == (None, ())
        return
    assert design.resolution >= resolution
    assert design.resolution == min(len(word.factors) for word in design.words)
    # Every product of fewer factors takes both signs equally often.
    column = columns(design)
    for size in range(1, min(design.resolution, 6)):
        for names in itertools.combinations(design.factors, size):
            assert product(column, names).sum() == 0


@pytest.mark.parametrize(("k", "resolution"), EVERY)
def test_words_and_generators_hold_in_every_run(k, resolution):
    design = design_of(k, resolution)
    column = columns(design)
    assert len(design.words) == 2 ** len(design.generators) - 1
    for word in design.words:
        assert (product(column, word.factors) == word.sign).all()
    for name, word in design.generators.items():
        assert (column[name] == word.sign * product(column, word.factors)).all()


@pytest.mark.parametrize(("k", "resolution"), [pair for pair in EVERY if pair[0] > 2])
def test_aliases_are_the_equal_columns(k, resolution):
    design = design_of(k, resolution)
    column = columns(design)
    effects = [names for n in (1, 2) for names in itertools.combinations(design.factors, n)]
    signs = np.array([product(column, names) for names in effects])
    overlaps = signs @ signs.T // len(design.runs)
    assert set(np.unique(overlaps)) <= {-1, 0, 1}
    for i, names in enumerate(effects):
        expected = {(effects[j], int(overlaps[i, j])) for j in np.flatnonzero(overlaps[i])}
        found = {(word.factors, word.sign) for word in design.aliases[names]}
        assert found == expected - {(names, 1)}
    if design.resolution in {None, 5, 6, 7}:
        assert not any(design.aliases.values())


@pytest.mark.parametrize(("k", "resolution"), [pair for pair in EVERY if pair[0] > 7])
def test_word_lengths_are_the_published_ones(k, resolution):
    design = design_of(k, resolution)
    assert pattern(design) == PATTERNS[k, len(design.runs)]


def best_pattern(k, basic, shortest):
    """Return the least pattern of all designs with generators of at least so many factors."""
    bits = np.array([bin(i).count("1") for i in range(2**k)])
    products = [c for c in range(2**basic) if bits[c] >= shortest]
    chosen = np.array(list(itertools.combinations(products, k - basic)))
    generators = chosen | 1 << (basic + np.arange(k - basic))
    words = np.zeros((len(chosen), 1), dtype=int)
    for j in range(k - basic):
        words = np.concatenate([words, words ^ generators[:, j : j + 1]], axis=1)
    lengths = bits[words[:, 1:]]
    patterns = np.stack([(lengths == i).sum(axis=1) for i in range(3, k + 1)], axis=1)
    return min(map(tuple, np.unique(patterns, axis=0)))


SMALL = [
    (3, 2, 2), (4, 3, 2), (5, 3, 2), (5, 4, 2), (6, 3, 2), (6, 4, 2), (6, 5, 2), (7, 3, 2),
    (7, 4, 2), (7, 6, 2), (8, 4, 2), (8, 6, 2), (9, 4, 2), (9, 5, 2), (10, 4, 2), (11, 4, 2),
    (12, 4, 2), (9, 7, 2), (10, 5, 2), (11, 5, 3), (12, 5, 3), (10, 7, 4),
]  # fmt: skip


@pytest.mark.parametrize(("k", "basic", "shortest"), SMALL)
def test_no_design_of_the_size_has_less_aberration(k, basic, shortest):
    """Word lengths compared lexically (Fries and Hunter 1980), over all choices of generators.

    Where ``shortest`` is 3 or 4, over those that resolution 4 or 5 needs.
    """
    found = {len(d.runs): pattern(d) for d in (design_of(k, r) for r in (3, 4, 5))}
    assert tuple(found[2**basic]) == best_pattern(k, basic, shortest)


def test_the_half_fraction_by_hand():
    design = fractional(("stem", "se", "relu", "pool"), 4)
    assert [str(word) for word in design.words] == ["stem:se:relu:pool"]
    assert str(design.generators["pool"]) == "stem:se:relu"
    assert [str(w) for w in design.aliases["stem", "se"]] == ["relu:pool"]
    assert design.aliases["stem",] == ()


@pytest.mark.parametrize(
    ("factors", "resolution", "message"),
    [
        (list("abcdefghijklm"), 3, "factors = 13: a fractional design takes 1 to 12 factors"),
        ([], 3, "takes 1 to 12 factors"),
        (["a", "b", "a"], 3, "every factor needs a name of its own"),
        (["a", "b", "c"], 6, "resolution = 6: must be 3, 4 or 5"),
    ],
)
def test_what_is_not_tabulated_is_refused(factors, resolution, message):
    with pytest.raises(SpecError, match=message):
        fractional(factors, resolution)
