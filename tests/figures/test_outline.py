"""What the picture of a network shows."""

import pytest

from nasablate.blueprint import lower
from nasablate.blueprint.ops import Conv, Custom, PadChannels, Pool, Scale
from nasablate.figures.outline import outline, shortcut_kind, shortcut_ops
from nasablate.figures.unit_tree import Box, Fork, op_label, unit_chain
from nasablate.genome import Genome, genome_presets, load_genome


def outlined(name):
    return outline(lower(load_genome(name)), name)


def texts(chain):
    """All words of a chain, references as their number."""
    for item in chain:
        if isinstance(item, Box):
            yield f"#{item.mark}" if item.is_reference else item.text
        else:
            for branch in item.branches:
                yield from texts(branch)
            yield item.join


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("resnet-20", ["identity", "zero padding"]),
        ("resnet-50", ["projection", "identity"]),
        ("resnet-34-c", ["projection"]),
        ("plain-34", ["none"]),
        ("pyramidnet-110-a270", ["zero padding"]),
        ("resnet-110-scaled-shortcut", ["weighted"]),
        ("resnet-110-shortcut-dropout", ["weighted"]),
        ("resnet-110-exclusive-gating", ["weighted"]),
        ("seresnet-50", ["projection", "identity"]),
        ("seresnet-50-identity", ["weighted"]),
        ("preactresnet-164", ["projection", "identity"]),
        ("rexnet-1.0", ["none", "zero padding"]),
    ],
)
def test_kinds_of_shortcuts_are_read_from_the_layers(name, kinds):
    assert outlined(name).shortcuts == kinds


def test_the_words_of_a_shortcut_name_its_own_layers_only():
    form = next(form for form in outlined("pyramidnet-110-a48").forms if form.strides)
    assert (form.shortcut_text, form.pools) == ("avg pool 2×2 /2, zero channels", True)
    shared = next(form for form in outlined("preactresnet-164").forms if form.strides)
    assert (shared.shortcut_text, shared.pools) == ("conv 1×1 /2", False)
    assert next(f for f in outlined("resnet-50d").forms if f.strides).shortcut_text == (
        "avg pool 2×2 /2, conv 1×1, BN"
    )


def test_kinds_follow_from_the_operations():
    assert shortcut_kind(None) == "none"
    assert shortcut_kind([]) == "identity"
    assert shortcut_kind([Pool("avg", 2, 2), PadChannels(0, 4)]) == "zero padding"
    assert shortcut_kind([PadChannels(0, 4), Scale(0.5)]) == "weighted"
    assert shortcut_kind([Conv(1, 2, 1)]) == "projection"
    custom = Custom("a:B", "", "{}", 1, 1, 1, (1, 1, 1), 0, 0, 0, 0, 0)
    assert shortcut_kind([custom]) == "other"


def test_units_of_one_form_make_runs_that_end_with_their_stage():
    found = outlined("resnet-110")
    runs = [(found.forms[run.form].letter, run.stop - run.start) for run in found.runs]
    assert runs == [("A", 18), ("B", 1), ("A", 17), ("B", 1), ("A", 17)]
    assert [form.count for form in found.forms] == [52, 2]


def test_units_that_differ_in_width_alone_have_one_form():
    found = outlined("pyramidnet-272-a200")
    assert [form.count for form in found.forms] == [88, 2]
    widths = [unit.width for unit in found.units]
    assert widths == sorted(widths)
    assert len(set(widths)) == 90
    assert [stage.channels for stage in found.stages] == [(72, 332), (340, 596), (608, 864)]


@pytest.mark.parametrize("name", genome_presets())
def test_nothing_of_a_network_is_left_out(name):
    blueprint = lower(load_genome(name))
    found = outline(blueprint, name)
    inner = [part for part in blueprint.parts if part.stage >= 0]
    assert [unit.name for unit in found.units] == [part.name for part in inner]
    assert sum(form.count for form in found.forms) == len(inner)
    assert [run.stop for run in found.runs][-1] == len(inner)
    outside = [blueprint.parts[0].fragment, blueprint.parts[-1].fragment]
    params = sum(unit.params for unit in found.units)
    params += sum(head.part.fragment.cost.params for head in blueprint.auxiliary)
    assert params + sum(fragment.cost.params for fragment in outside) == found.params


@pytest.mark.parametrize("name", genome_presets())
def test_every_layer_of_a_unit_is_drawn_once(name):
    for part in lower(load_genome(name)).parts[::5]:
        fragment = part.fragment
        live = [layer for index, layer in enumerate(fragment.layers) if index in fragment.live]
        drawn = [
            word for text in texts(unit_chain(fragment)) for word in text.split(", ")
            if not text.startswith("#")
        ]  # fmt: skip
        joins = {"Add": "add", "Gate": "multiply"}
        wanted = [joins.get(type(layer.op).__name__) or op_label(layer.op) for layer in live]
        assert sorted(drawn) == sorted(word for text in wanted for word in text.split(", "))


def test_the_branch_is_the_straight_way_and_the_shortcut_beside_it():
    fragment = lower(load_genome("resnet-20")).parts[1].fragment
    fork, relu = unit_chain(fragment)
    assert isinstance(fork, Fork)
    assert fork.is_merge
    assert list(texts(fork.branches[0])) == ["conv 3×3", "BN, ReLU", "conv 3×3", "BN"]
    assert fork.branches[1] == ()
    assert (fork.join, relu) == ("add", Box("ReLU", small=True))


def test_a_shared_preactivation_stands_before_the_fork():
    blueprint = lower(load_genome("preactresnet-164"))
    first, fork = unit_chain(blueprint.parts[1].fragment)
    assert first == Box("BN, ReLU", small=True)
    assert isinstance(fork, Fork)
    assert list(texts(fork.branches[1])) == ["conv 1×1"]


def test_results_that_several_branches_use_are_numbered():
    blueprint = lower(load_genome("res2net-50-26w4s"))
    drawn = list(texts(unit_chain(blueprint.parts[2].fragment)))
    assert [text for text in drawn if text.startswith("#")] == ["#1", "#2"]
    gated = lower(load_genome("resnet-110-exclusive-gating")).parts[1].fragment
    assert [text for text in texts(unit_chain(gated)) if text.startswith("#")] == ["#1"]
    ops = shortcut_ops(gated)
    assert ops is not None
    assert len(ops) == 1


def test_stem_and_head_show_their_channels():
    found = outlined("resnet-50")
    assert list(texts(found.stem)) == ["conv 7×7 /2, 64", "BN, ReLU", "max pool 3×3 /2"]
    assert list(texts(found.head))[-1] == "linear, 1000"
    assert found.stem_output == (64, 56, 56)


def test_a_network_without_units_in_a_stage_is_no_special_case():
    genome = Genome.parse({"stages": [{"units": 0}, {"units": 2}]})
    found = outline(lower(genome), "odd")
    assert [stage.index for stage in found.stages] == [1]


def test_the_data_of_a_picture_are_plain():
    document = outlined("resnet-20").document()
    assert document["forms"][0]["letter"] == "A"
    assert document["units"][0]["name"] == "stages.0.0"
    assert document["stages"][0]["channels"] == (16, 16)
