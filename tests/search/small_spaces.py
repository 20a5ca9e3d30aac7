"""Random small search spaces with illegal cells, limits and nested conditions."""

from hypothesis import strategies as st

from nasablate.data import load_info
from nasablate.genome import DataSpec, Genome, SearchSpec, load_recipe
from nasablate.search.axis import Axis
from nasablate.search.space import Space

BASE = {"stages": [{"units": 1}, {"units": 1, "stride": 2}], "width": 8}
POOL = {
    "unit.kind": {"choice": ["basic", "bottleneck"]},
    "unit.cardinality": {"choice": [1, 2, 3, 4]},
    "unit.inner_rounding": {"choice": ["nearest", "exact"]},
    "shortcut.kind": {"choice": ["projection", "identity"]},
    "width": {"int": [6, 10], "step": 2},
    "stages.0.units": {"int": [1, 3]},
    "placement": {
        "choice": {
            "original": {"placement": "original"},
            "pre": {"placement": "preactivation", "head.tail": ["bn", "relu"]},
            "bad": {"placement": "preactivation", "head.tail": ["dropout"]},
        }
    },
    "both": {"choice": {"a": {"width": 7, "training.epochs": 2}, "b": {"training.epochs": 0}}},
    "drop_path.final": {"float": [0.0, 0.2], "step": 0.1},
    "training.epochs": {"int": [0, 2]},
    "training.batch_size": {"choice": [1, 16, 32]},
    "training.optimizer.lr": {"choice": [0.1, 0.2]},
}
"""Cardinality 3 fits no width exactly, identity no second stage; epochs 0 are no recipe."""


def spec_of(axes, **changes):
    document = {"name": "small", "base": BASE, "axes": axes, "data": "digits", "trials": 4}
    spec = SearchSpec.parse({**document, **changes})
    genome = Genome.parse({"kind": "genome", **spec.base})
    recipe = load_recipe(spec.training)
    return spec.model_copy(update={"base": genome.document(), "training": recipe.document()})


def space_of(axes, **changes):
    return Space(spec_of(axes, **changes), load_info(DataSpec(name="digits")))


def label(axis, index):
    values = axis.values()
    return values[index % len(values)]


@st.composite
def small_spaces(draw, *, most_axes=5):
    """Spaces of at most some hundred cells."""
    names = draw(
        st.lists(st.sampled_from(sorted(POOL)), min_size=1, max_size=most_axes, unique=True)
    )
    axes = {name: dict(POOL[name]) for name in names}
    parsed = {axis.name: axis for axis in space_of(axes).axes}
    for place, name in enumerate(names[1:], start=1):
        if draw(st.booleans()):
            parents = draw(st.lists(st.sampled_from(names[:place]), min_size=1, max_size=2))
            axes[name]["when"] = {
                parent: [
                    label(parsed[parent], i) for i in draw(st.sets(st.integers(0, 3), min_size=1))
                ]
                for parent in parents
            }
    limit = draw(st.sampled_from([None, 3000, 6000, 12_000]))
    return space_of(axes, constraints={"params": {"max": limit}} if limit else {})


@st.composite
def axis_lists(draw):
    """Axes of all kinds with nested conditions, each after those it depends on."""
    axes = []
    for number in range(draw(st.integers(1, 6))):
        size = draw(st.integers(1, 4))
        conditions = (
            tuple(
                (
                    parent.name,
                    tuple(
                        sorted(draw(st.sets(st.sampled_from(list(parent.values())), min_size=1)))
                    ),
                )
                for parent in draw(
                    st.lists(st.sampled_from(axes), max_size=2, unique_by=lambda a: a.name)
                )
            )
            if axes
            else ()
        )
        match draw(st.sampled_from(["choice", "int", "float"])):
            case "choice":
                axis = Axis(f"x{number}", "choice", conditions, labels=tuple(range(size)))
            case "int":
                axis = Axis(f"x{number}", "int", conditions, low=3, high=3 + 2 * size, step=2)
            case _:
                axis = Axis(f"x{number}", "float", conditions, low=0.1, high=0.1 * size, step=0.1)
        axes.append(axis)
    return tuple(axes)


def walk(axes, given=()):
    """Yield all cells by recursion, as a definition of what a cell is."""
    if not axes:
        yield dict(given)
        return
    axis, rest = axes[0], axes[1:]
    if not all(dict(given).get(parent) in values for parent, values in axis.conditions):
        yield from walk(rest, given)
        return
    for value in axis.values():
        yield from walk(rest, (*given, (axis.name, value)))
