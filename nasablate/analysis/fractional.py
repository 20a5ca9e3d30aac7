"""Two-level fractional factorial designs of stated resolution, and what is confounded in them.

Sources: Box and Hunter 1961, "The 2^(k-p) fractional factorial designs", Technometrics 3 (defining
relation, resolution); Fries and Hunter 1980, "Minimum aberration 2^(k-p) designs", Technometrics
22. The generators are those tabulated by Montgomery (Design and Analysis of Experiments, table
8.14), Box, Hunter and Hunter (Statistics for Experimenters, table 6.22) and the NIST/SEMATECH
e-Handbook (5.3.3.4.7); for 12 factors in 256 runs by our own enumeration. The tests compute every
resolution from all words, and minimum aberration by enumerating the rival designs.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nasablate.errors import Problem, SpecError

MAX_FACTORS = 12
RESOLUTIONS = (3, 4, 5)
_LETTERS = "ABCDEFGHJKLM"

_GENERATORS: Mapping[int, Mapping[int, str]] = {
    3: {3: "AB"},
    4: {4: "ABC"},
    5: {3: "AB AC", 5: "ABCD"},
    6: {3: "AB AC BC", 4: "ABC BCD", 6: "ABCDE"},
    7: {3: "AB AC BC ABC", 4: "ABC BCD ACD", 7: "ABCDEF"},
    8: {4: "BCD ACD ABC ABD", 5: "ABCD ABEF"},
    9: {3: "ABC BCD ACD ABD ABCD", 4: "BCDE ACDE ABDE ABCE", 6: "ACDFG BCEFG"},
    10: {3: "ABC BCD ACD ABD ABCD AB", 4: "ABCD ABCE ABDE ACDE BCDE", 5: "ABCG BCDE ACDF"},
    11: {
        3: "ABC BCD ACD ABD ABCD AB AC",
        4: "ABC BCD CDE ACD ADE BDE",
        5: "ABCG BCDE ACDF ABCDEFG",
    },
    12: {
        3: "ABC ABD ACD BCD ABCD AB AC AD",
        4: "ABC ABD ACD BCD ABE ACE ADE",
        6: "ABCDE ABCFG ABDFH ACEGH",
    },
}
"""By number of factors and resolution: the products that give the last factors their columns."""


@dataclass(frozen=True, slots=True)
class Word:
    """A product of factors that is the same in all runs, with its sign."""

    sign: int
    """-1 if the product of the levels is -1 in every run."""
    factors: tuple[str, ...]

    def __str__(self) -> str:
        """Return the word as in a defining relation.

        >>> str(Word(-1, ("stem", "se")))
        '-stem:se'
        """
        return ("-" if self.sign < 0 else "") + ":".join(self.factors)


@dataclass(frozen=True, slots=True)
class Fraction:
    """A fraction of all combinations of two-level factors, or all of them."""

    factors: tuple[str, ...]
    runs: tuple[tuple[int, ...], ...]
    """Level of each factor in each run, -1 or 1; the first run is -1 throughout, the baseline."""
    generators: Mapping[str, Word]
    """For each factor without a column of its own: the signed product its level equals."""
    words: tuple[Word, ...]
    """Defining relation: every product that is constant, shortest first. Empty for all runs."""
    resolution: int | None
    """Length of the shortest word; None for the full factorial, where nothing is confounded."""
    aliases: Mapping[tuple[str, ...], tuple[Word, ...]]
    """For every main effect and two-factor interaction: the others of these that the design
    cannot tell from it. The contrast of the key estimates its effect plus the signed aliases."""


def fractional(factors: Sequence[str], resolution: int) -> Fraction:
    """Return the smallest tabulated design of at least this resolution.

    Resolution 3 confounds main effects with two-factor interactions, 4 two-factor interactions
    with each other, 5 neither. The signs of the generators are chosen such that the run with all
    factors at -1 is part of the design: it is the baseline of an ablation.

    Args:
        factors: Names, 1 to 12, each once. The first ones get columns of their own.
        resolution: 3, 4 or 5.

    Raises:
        SpecError: too many factors, a name twice, or another resolution.

    >>> design = fractional(["stem", "se", "relu"], 3)
    >>> design.runs
    ((-1, -1, -1), (-1, 1, 1), (1, -1, 1), (1, 1, -1))
    >>> [str(word) for word in design.words]
    ['-stem:se:relu']
    >>> [str(word) for word in design.aliases["stem",]]
    ['-se:relu']
    """
    names = tuple(factors)
    _check(names, resolution)
    k = len(names)
    table = _GENERATORS.get(k, {})
    fitting = [found for found in table if found >= resolution]
    products = table[min(fitting)].split() if fitting else []
    basic = k - len(products)
    masks = [sum(1 << _LETTERS.index(letter) for letter in text) for text in products]
    words = _span([mask | 1 << (basic + j) for j, mask in enumerate(masks)])
    return Fraction(
        factors=names,
        runs=tuple(_runs(basic, masks)),
        generators={
            names[basic + j]: Word(_sign(mask.bit_count() + 1), _pick(names, mask))
            for j, mask in enumerate(masks)
        },
        words=tuple(_word(names, mask) for mask in words),
        resolution=words[0].bit_count() if words else None,
        aliases=_aliases(names, words),
    )


def _check(names: tuple[str, ...], resolution: int) -> None:
    if not 1 <= len(names) <= MAX_FACTORS:
        raise SpecError(
            Problem(
                "factors",
                len(names),
                f"a fractional design takes 1 to {MAX_FACTORS} factors",
                "leave some out, or split the study",
            )
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SpecError(
            Problem("factors", twice, "every factor needs a name of its own", "rename one")
        )
    if resolution not in RESOLUTIONS:
        raise SpecError(Problem("resolution", resolution, "must be 3, 4 or 5", "choose one"))


def _span(generators: Sequence[int]) -> list[int]:
    """Return all products of the generating words, shortest first, without the empty one."""
    words = [0]
    for word in generators:
        words += [word ^ other for other in words]
    return sorted(words[1:], key=lambda mask: (mask.bit_count(), _bits(mask)))


def _bits(mask: int) -> tuple[int, ...]:
    return tuple(i for i in range(mask.bit_length()) if mask >> i & 1)


def _pick(names: tuple[str, ...], mask: int) -> tuple[str, ...]:
    return tuple(names[i] for i in _bits(mask))


def _sign(length: int) -> int:
    """Return the product of so many levels in the baseline, where all are -1."""
    return -1 if length % 2 else 1


def _word(names: tuple[str, ...], mask: int) -> Word:
    return Word(_sign(mask.bit_count()), _pick(names, mask))


def _runs(basic: int, masks: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield the runs in standard order of the basic factors.

    With 0 for -1 and 1 for 1, a generated factor is the sum modulo 2 of the factors in its
    product, which keeps the baseline (all 0) in the design whatever the length of the word.
    """
    for chosen in itertools.product((0, 1), repeat=basic):
        generated = [sum(chosen[i] for i in _bits(mask)) % 2 for mask in masks]
        yield tuple(2 * bit - 1 for bit in (*chosen, *generated))


def _aliases(
    names: tuple[str, ...], words: Sequence[int]
) -> dict[tuple[str, ...], tuple[Word, ...]]:
    k = len(names)
    effects = [1 << i for i in range(k)]
    effects += [1 << i | 1 << j for i, j in itertools.combinations(range(k), 2)]
    found: dict[tuple[str, ...], tuple[Word, ...]] = {}
    for effect in effects:
        others = sorted(effect ^ word for word in words if 1 <= (effect ^ word).bit_count() <= 2)
        found[_pick(names, effect)] = tuple(
            Word(_sign((effect ^ other).bit_count()), _pick(names, other)) for other in others
        )
    return found
