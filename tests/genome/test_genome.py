import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from nasablate.blueprint import digest, lower
from nasablate.errors import SpecError
from nasablate.genome import Genome, Recipe, SearchSpec, genome_presets, load_genome
from nasablate.genome.placement import PRESETS, PlacementName, placement_name

OLD_GENOMES = Path(__file__).parents[1] / "old_genomes"


def small(**changes):
    return Genome.parse({"stages": [{"units": 2}, {"units": 2, "stride": 2}], **changes})


def test_canonical_json_comes_back_as_the_same_genome_and_text():
    genome = small(placement="pyramid", widening={"kind": "additive", "alpha": 7.5}, se={})
    again = Genome.parse(json.loads(genome.canonical_json()))
    assert again == genome
    assert again.canonical_json() == genome.canonical_json()


def test_canonical_json_does_not_depend_on_the_order_of_keys():
    one = Genome.parse({"stages": [{"units": 1, "stride": 2}], "width": 8})
    other = Genome.parse({"width": 8, "stages": [{"stride": 2, "units": 1}]})
    assert one.canonical_json() == other.canonical_json()


def test_a_placement_name_is_the_same_as_its_slots():
    assert small(placement="pyramid") == small(placement=PRESETS["pyramid"].document())
    assert placement_name(small(placement="pyramid").placement) == "pyramid"
    assert placement_name(small(placement={"pre": ["relu"]}).placement) == "custom"


def test_every_placement_name_has_slots():
    assert set(PRESETS) == set(PlacementName.__args__)


def test_genomes_cannot_be_changed():
    with pytest.raises(ValidationError):
        small().width = 3


@pytest.mark.parametrize(
    ("name", "network"), [("v1_pyramid", "933e45bc34382625"), ("v1_resnest", "e49afb880969dda2")]
)
def test_genomes_written_by_earlier_versions_are_still_the_same_networks(name, network):
    old = json.loads((OLD_GENOMES / f"{name}.json").read_text(encoding="utf-8"))
    genome = Genome.parse(old)
    assert digest(lower(genome)).startswith(network)
    assert all(same_as_far_as_it_goes(genome.document()[key], old[key]) for key in old)


def same_as_far_as_it_goes(new, old):
    """Later versions may have more fields."""
    match old:
        case dict():
            return all(same_as_far_as_it_goes(new[key], value) for key, value in old.items())
        case list():
            return len(new) == len(old) and all(map(same_as_far_as_it_goes, new, old))
        case _:
            return new == old


def test_every_old_genome_is_tried():
    assert {path.stem for path in OLD_GENOMES.glob("*.json")} == {"v1_pyramid", "v1_resnest"}


@pytest.mark.parametrize("model", [Genome, Recipe, SearchSpec])
def test_json_schema_describes_every_field(model):
    schema = model.model_json_schema()
    assert set(schema["properties"]) == set(model.model_fields)
    assert json.loads(json.dumps(schema)) == schema


def test_json_schema_has_the_texts_under_the_fields():
    kinds = {**Genome.model_json_schema()["$defs"], **SearchSpec.model_json_schema()["$defs"]}
    texts = {
        ("DropPath", "final"): "Probability at the last unit.",
        ("Custom", "class"): "``package.module:Class``.",
        ("IntAxis", "int"): "[low, high]",
        ("IntAxis", "when"): (
            "Other axes and the value (or list of values) under which this axis exists."
        ),
    }
    found = {(kind, key): kinds[kind]["properties"][key]["description"] for kind, key in texts}
    assert found == texts


def test_every_preset_loads_and_says_where_it_comes_from():
    assert "pyramidnet-110-a48" in genome_presets()
    for name in genome_presets():
        genome = load_genome(name)
        assert genome.name == name
        assert genome.source, name


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"stagess": []}, "stagess = []: unknown key; did you mean 'stages'?"),
        ({}, "stages: required key is missing"),
        ({"stages": []}, "stages = []: needs at least 1 item, found 0"),
        ({"stages": [{"units": "2"}]}, "stages[0].units = '2': must be a valid integer"),
        ({"stages": [{"units": 2.0}]}, "stages[0].units = 2.0: must be a valid integer"),
        ({"stages": [{"units": -1}]}, "stages[0].units = -1: must be greater than or equal to 0"),
        ({"stages": [{"units": 1, "stride": 5}]}, "stages[0].stride = 5: must be one of 1, 2"),
        ({"stages": 3}, "stages = 3: must be a valid array"),
        ({"classes": True}, "classes = True: must be a valid integer"),
        ({"classes": None}, "classes = None: must be a valid integer"),
        ({"classes": 0}, "classes = 0: must be greater than or equal to 1"),
        (
            {"unit": {"kind": "botleneck"}},
            "unit.kind = 'botleneck': must be one of single, b",
        ),
        ({"unit": {"kind": "bottleneck", "cardinalty": 4}}, "did you mean 'cardinality'?"),
        ({"unit": {"kind": "basic", "cardinality": 4}}, "unit.cardinality = 4: unknown key"),
        ({"unit": {}}, "unit = {}: must say which kind it is"),
        ({"unit": 3}, "unit = 3: must be an object"),
        ({"placement": "pyramyd"}, "did you mean 'pyramid'?"),
        ({"placement": {"pre": ["bn", "rleu"]}}, "placement.pre[1] = 'rleu': must be one of bn"),
        ({"widening": {"kind": "additive"}}, "widening.alpha: required key is missing"),
        ({"widening": {"kind": "explicit", "widths": []}}, "widening.widths = []: needs at least"),
        ({"drop_path": {"final": 1.0}}, "drop_path.final = 1.0: must be less than 1"),
        ({"schema_version": 2}, "schema_version = 2: must be"),
        ({"activation": "rleu"}, "did you mean 'relu'?"),
        ({"stem": {"kind": "deep", "pool": {"kernel": 0}}}, "stem.pool.kernel = 0: must be great"),
    ],
)
def test_a_bad_genome_names_path_value_and_rule(document, message):
    if "stages" not in document and document not in ({}, {"stagess": []}):
        document = {"stages": [{"units": 1}], **document}
    with pytest.raises(SpecError) as caught:
        Genome.parse(document)
    assert message in str(caught.value)


def test_all_mistakes_are_reported_at_once():
    with pytest.raises(SpecError) as caught:
        Genome.parse({"stages": [{"units": 0.5}], "clases": 3, "width": 0})
    assert [problem.path for problem in caught.value.problems] == [
        "stages[0].units", "width", "clases",
    ]  # fmt: skip
