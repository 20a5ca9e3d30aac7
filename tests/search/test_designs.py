"""Designs name every arm once, the reference first."""

from typing import Any

import pytest

from nasablate.errors import SpecError
from nasablate.genome import AblationSpec
from nasablate.search.ablation_tables import alias_lines, count_effects, fraction_document
from nasablate.search.designs import MOST_ARMS, fraction_of, named_levels, path_steps


def spec_of(sizes: dict[str, int], **changes: Any) -> AblationSpec:
    factors = {name: {str(level): {} for level in range(size)} for name, size in sizes.items()}
    return AblationSpec.parse(
        {
            "kind": "ablation", "name": "try", "baseline": "resnet-20", "factors": factors,
            "seeds": 7, "data": "digits", **changes,
        }
    )  # fmt: skip


def arms(spec: AblationSpec) -> list[str]:
    return [name for name, _ in named_levels(spec, dict.fromkeys(spec.factors, "0"))]


def test_a_path_in_both_directions_adds_every_factor_first_and_last() -> None:
    spec = spec_of({"a": 2, "b": 2, "c": 2}, design="path", direction="both")
    assert arms(spec) == [
        "baseline",
        "a=1",
        "a=1 + b=1",
        "a=1 + b=1 + c=1",
        "c=1",
        "c=1 + b=1",
    ]
    steps = path_steps(spec)
    assert [step[0] for step in steps] == ["a", "b", "c", "c", "b", "a"]
    assert steps[3][1:] == ((), ("c",))
    assert steps[5][1:] == (("c", "b"), ("c", "b", "a"))


def test_both_directions_of_one_factor_are_one() -> None:
    spec = spec_of({"a": 2}, design="path", direction="both")
    assert arms(spec) == ["baseline", "a=1"]
    assert len(path_steps(spec)) == 1


@pytest.mark.parametrize(("resolution", "runs"), [(3, 8), (4, 16), (5, 16)])
def test_a_fraction_starts_with_the_baseline_and_is_balanced(resolution: int, runs: int) -> None:
    spec = spec_of(dict.fromkeys("abcde", 2), design="fractional", resolution=resolution)
    levels = [own for _, own in named_levels(spec, dict.fromkeys("abcde", "0"))]
    assert len(levels) == runs
    assert levels[0] == {}
    for factor in "abcde":
        assert sum(factor in own for own in levels) == runs / 2
    assert len({frozenset(own) for own in levels}) == runs


def test_a_fraction_says_what_it_mixes() -> None:
    spec = spec_of(dict.fromkeys("abc", 2), design="fractional", resolution=3)
    document = fraction_document(fraction_of(spec))
    assert (document["resolution"], document["runs"], document["of"]) == (3, 4, 8)
    assert document["aliases"]["a"] == ["-b:c"]
    assert alias_lines(fraction_of(spec)) == ["a = -b:c", "b = -a:c", "c = -a:b"]


def test_the_effects_of_a_design_are_counted() -> None:
    from nasablate.search.ablation_tables import CellErrors, effect_tables

    for spec in (
        spec_of({"a": 2, "b": 2, "c": 2}, design="factorial"),
        spec_of({"a": 3, "b": 2}, design="factorial"),
        spec_of(dict.fromkeys("abcde", 2), design="fractional", resolution=3),
        spec_of(dict.fromkeys("abcdef", 2), design="fractional", resolution=4),
    ):
        present = dict.fromkeys(spec.factors, "0")
        cells = [
            CellErrors(name, {**present, **own}, "", {})
            for name, own in named_levels(spec, present)
        ]
        (table,) = effect_tables(spec, cells)
        assert count_effects(spec) == len(table.effects)
    assert count_effects(spec_of({"a": 2}, design="one_at_a_time")) == 0


@pytest.mark.parametrize(
    ("sizes", "changes", "message"),
    [
        ({"a": 3}, {"design": "fractional", "resolution": 3}, "needs two levels in every factor"),
        (
            {f"f{i}": 2 for i in range(13)},
            {"design": "fractional", "resolution": 3},
            "factors = 13: a fractional design takes 1 to 12 factors",
        ),
        ({f"f{i}": 2 for i in range(10)}, {"design": "factorial"}, f"more than {MOST_ARMS}"),
    ],
)
def test_a_design_that_does_not_fit_is_refused(
    sizes: dict[str, int], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        arms(spec_of(sizes, **changes))
    assert message in str(caught.value)
