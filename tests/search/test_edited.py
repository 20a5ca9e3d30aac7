import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasablate.blueprint import cost, digest, lower
from nasablate.errors import SpecError
from nasablate.genome import Genome, Recipe, load_genome, load_recipe
from nasablate.genome.edits import apply_edits
from nasablate.search.edited import EditedRecords, key_of
from nasablate.search.variant import Variants
from tests.search.small_spaces import small_spaces

EDITS = {
    "unit.kind": ["basic", "bottleneck", "conf"],
    "unit.cardinality": [1, 2, 0, True, 2.0],
    "unit": [{"kind": "basic"}, {"kind": "bottleneck", "radix": 1}],
    "stages.0.units": [0, 1, 5000, -1],
    "stages.*.units": [1, 1000],
    "stages.7.units": [1],
    "placement": ["original", "preactivation", "nowhere"],
    "placement.pre": [["bn"], []],
    "dropout": [0, 0.5, -0.0, 1],
    "widening": [{"kind": "additive", "alpha": 4}, {"kind": "step"}],
    "widening.alpha": [2, 2.5],
    "se": [None, {"ratio": 0.25}],
    "se.ratio": [0.5],
    "name": ["x"],
}
edits_of_some_paths = st.lists(st.sampled_from(sorted(EDITS)), max_size=5, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: st.sampled_from(EDITS[name]) for name in names})
)
BASE = load_genome("resnet-20")
RECORDS = EditedRecords(BASE)


def plainly(edits):
    """Return the record as it is defined: edit the document, parse all of it."""
    try:
        document, ignored = apply_edits(Genome, BASE.document(), edits)
        return Genome.parse(document), set(ignored)
    except SpecError as error:
        return str(error)


def quickly(edits):
    try:
        found = RECORDS.edited(edits)
    except SpecError as error:
        return str(error)
    return found.record, set(found.ignored)


@settings(max_examples=300)
@given(edits=edits_of_some_paths)
def test_records_put_together_are_those_parsed_as_a_whole(edits):
    assert quickly(edits) == plainly(edits)
    assert quickly(edits) == plainly(edits)  # now from what is known


@settings(max_examples=200)
@given(one=edits_of_some_paths, other=edits_of_some_paths)
def test_equal_records_have_equal_keys_and_others_have_not(one, other):
    parts = [RECORDS.parts(edits) for edits in (one, other)]
    if None in parts or isinstance(plainly(one), str) or isinstance(plainly(other), str):
        return
    same = plainly(one)[0].canonical_json() == plainly(other)[0].canonical_json()
    assert (key_of(parts[0]) == key_of(parts[1])) == same


def test_a_rule_about_several_fields_is_still_checked():
    """Two stages that are each short enough, together with the others too long."""
    stages = [{"units": 1000, "stride": 1}] * 4
    records = EditedRecords(Genome.parse({**BASE.document(), "stages": stages}))
    assert records.edited({"stages.0.units": 900}).record.stages[0].units == 900
    with pytest.raises(SpecError, match="more than 5000"):
        records.edited({"stages": [{"units": 1000}] * 6})


def test_old_parts_make_room(monkeypatch):
    monkeypatch.setattr("nasablate.search.edited._MOST_PARTS", 3)
    records = EditedRecords(Recipe())
    for epochs in (*range(1, 9), *range(1, 9)):
        assert records.edited({"epochs": epochs}).record.epochs == epochs
        assert len(records._parts) <= 3


@settings(max_examples=30, deadline=None)
@given(space=small_spaces())
def test_the_quick_verdict_is_the_slow_one(space):
    for cell in space.cells():
        try:
            document, _ = apply_edits(
                Genome,
                space.base.document(),
                {p: v for p, v in space.edits(cell).items() if not p.startswith("training.")},
            )
            blueprint = lower(Genome.parse(document))
        except SpecError:
            assert space.variants.cost(space.edits(cell)) is None
            assert space.valid_candidate(cell) is None
            continue
        assert space.variants.cost(space.edits(cell)) == cost(blueprint)
        found = space.valid_candidate(cell)
        assert space.is_valid(cell) == (found is not None)
        if found is not None:
            assert found.network_digest == digest(blueprint)
            assert found.cost == cost(blueprint)


def test_few_costs_are_kept(monkeypatch):
    monkeypatch.setattr("nasablate.search.variant._MOST_COSTS", 2)
    variants = Variants(BASE, load_recipe("quick"))
    widths = (16, 32, 48, 64, 16, 32)
    params = [variants.cost({"width": width}).params for width in widths]
    assert params[:2] == params[4:]
    assert len(set(params)) == 4
    assert len(variants._costs) <= 2
