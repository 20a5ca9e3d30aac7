import pytest

from nasablate.errors import SpecError
from nasablate.genome import Genome, Recipe
from nasablate.genome.edits import apply_edits, check_path, split_path

BASE = Genome.parse({"stages": [{"units": 1}, {"units": 2, "stride": 2}]}).document()


def edited(**changes):
    document, ignored = apply_edits(Genome, BASE, changes.pop("edits"))
    return Genome.parse(document), ignored


def test_indices_may_be_dotted_or_bracketed():
    assert split_path("stages.1.units") == split_path("stages[1].units") == ("stages", 1, "units")


def test_one_item_or_every_item_of_a_list():
    genome, _ = edited(edits={"stages.1.units": 5})
    assert [stage.units for stage in genome.stages] == [1, 5]
    genome, _ = edited(edits={"stages.*.units": 3})
    assert [stage.units for stage in genome.stages] == [3, 3]


def test_choosing_a_variant_comes_before_its_fields_whatever_the_order():
    genome, ignored = edited(edits={"unit.cardinality": 4, "unit.kind": "bottleneck"})
    assert genome.unit.kind == "bottleneck"
    assert genome.unit.cardinality == 4
    assert ignored == ()


def test_a_key_the_variant_lacks_is_ignored_and_named():
    genome, ignored = edited(edits={"unit.cardinality": 4})
    assert genome.unit.kind == "basic"
    assert ignored == ("unit.cardinality",)


def test_changing_the_variant_drops_only_what_it_lacks():
    document, _ = apply_edits(
        Genome,
        BASE,
        {"widening": {"kind": "additive", "alpha": 9.0, "multiple_of": 4}},
    )
    document, _ = apply_edits(Genome, document, {"widening.kind": "step"})
    widening = Genome.parse(document).widening
    assert (widening.kind, widening.multiple_of, widening.factor) == ("step", 4, 2.0)


def test_a_key_that_means_something_else_in_the_new_variant_is_dropped():
    """``shortcut.reduce`` has other values in each kind, ``alpha`` another meaning."""
    genome, _ = edited(edits={"shortcut.kind": "zero_pad"})
    assert genome.shortcut.reduce == "subsample"
    additive, _ = apply_edits(Genome, BASE, {"widening": {"kind": "additive", "alpha": 48}})
    multiplicative, _ = apply_edits(Genome, additive, {"widening.kind": "multiplicative"})
    with pytest.raises(SpecError, match=r"widening\.alpha: required key is missing"):
        Genome.parse(multiplicative)


def test_a_placement_name_then_one_of_its_slots():
    genome, _ = edited(edits={"placement.post": ["bn"], "placement": "preactivation"})
    assert genome.placement.pre == ("bn", "relu")
    assert genome.placement.post == ("bn",)


def test_below_null_there_is_nothing_to_edit():
    genome, ignored = edited(edits={"se.ratio": 0.25})
    assert genome.se is None
    assert ignored == ("se.ratio",)


def test_the_document_given_is_left_alone():
    before = Genome.parse(BASE).canonical_json()
    apply_edits(Genome, BASE, {"stages.0.units": 9, "placement.pre": ["relu"]})
    assert Genome.parse(BASE).canonical_json() == before


@pytest.mark.parametrize(
    "path",
    ["unit.kind", "unit.cardinality", "widening.alpha", "stages.0.units", "stages[*].units",
     "stages.*", "placement.pre", "head.tail", "drop_path.final", "stem.pool.kernel", "se.ratio"],
)  # fmt: skip
def test_paths_that_exist_in_some_variant(path):
    check_path(Genome, path)


@pytest.mark.parametrize(
    ("model", "path", "hint"),
    [
        (Genome, "unit.knd", "no such key in unit; did you mean 'kind'?"),
        (Genome, "wdith", "no such key in a genome; did you mean 'width'?"),
        (Genome, "stages.0.depth", "no such key in stages.0"),
        (Genome, "width.more", "no such key in width"),
        (Genome, "0.*", "0.* = 0: a genome is no list; drop '0'"),
        (Genome, "width.*", "width is no list; drop '*'"),
        (Genome, "stages.0.units.1", "stages.0.units is no list; drop '1'"),
        (Recipe, "optimizer.learning_rate", "no such key in optimizer"),
    ],
)
def test_paths_that_exist_nowhere(model, path, hint):
    with pytest.raises(SpecError) as caught:
        check_path(model, path)
    assert hint in str(caught.value)


def test_an_index_beyond_the_list():
    with pytest.raises(SpecError, match="the list has 2 items, counted from 0; use 0 to 1"):
        apply_edits(Genome, BASE, {"stages.2.units": 1})
