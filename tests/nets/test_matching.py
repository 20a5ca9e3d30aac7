"""Other libraries' names on our networks, and the list of what does not match."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.oracles import Oracle, _libraries, available
from nasablate.blueprint import Blueprint, lower
from nasablate.cli.import_weights import LAYOUTS as NAMED_IN_HELP
from nasablate.errors import SpecError
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits
from nasablate.nets.matching import check_whole, completed, match, wanted_tensors
from nasablate.nets.other_names import LAYOUTS
from nasablate.nets.weight_files import WeightFile
from tests.nets.oracle_roles import ORACLES

needs_oracles = pytest.mark.skipif(
    not available(), reason="torchvision and timm are not installed: pip install nasablate[oracle]"
)
CHOSEN = (
    "torchvision/resnet50",
    "timm/resnet50c",
    "timm/resnet50d",
    "torchvision/wide_resnet50_2",
    "torchvision/resnext50_32x4d",
    "timm/seresnet50",
    "timm/legacy_seresnet50",
    "timm/legacy_senet154",
    "timm/resnest50d",
    "timm/resnest50d_4s2x40d",
    "timm/res2net50_26w_4s",
    "timm/res2net50d",
    "timm/rexnet_100",
    "timm/resnetv2_50",
    "torchvision/vgg16(dropout=0.0)",
    "torchvision/vgg11_bn(dropout=0.0)",
    "torchvision/alexnet(dropout=0.0)",
    "torchvision/googlenet(init_weights=False, dropout=0.0, dropout_aux=0.0, aux_logits=True)",
    "torchvision/inception_v3(init_weights=False, dropout=0.0, aux_logits=True)",
    "timm/inception_v4",
)
BY_NAME = {oracle.name: oracle for oracle in reversed(ORACLES)}


def theirs(oracle: Oracle) -> dict[str, Tensor]:
    """Return the names and shapes of the other library's network, without memory."""
    torchvision, timm = _libraries()
    kind, _, model = oracle.other.partition("/")
    with torch.device("meta"):
        if kind == "torchvision":
            return torchvision.models.get_model(model, weights=None, **oracle.options).state_dict()
        return timm.create_model(model, pretrained=False, **oracle.options).state_dict()


def ours(oracle: Oracle) -> Blueprint:
    document, _ = apply_edits(Genome, load_genome(oracle.preset).document(), oracle.edits)
    return lower(Genome.parse(document))


def file(tensors: dict[str, Tensor]) -> WeightFile:
    return WeightFile(Path("w.pt"), tensors, {})


def small_vgg(depths: list[int], classes: int = 5) -> Genome:
    edits = {"input.height": 32, "input.width": 32, "classes": classes, "head.hidden": [8]}
    document, _ = apply_edits(Genome, load_genome("vgg-11").document(), edits)
    for stage, units in zip(document["stages"], depths, strict=True):
        stage["units"] = units
    document["widening"]["widths"] = [4, 8, 8, 8, 8]
    return Genome.parse(document)


def state(genome: Genome) -> dict[str, Tensor]:
    return {
        name: torch.full(value.shape, 1.0 + place)
        for place, (name, value) in enumerate(wanted_tensors(lower(genome)).items())
    }


@needs_oracles
@pytest.mark.parametrize("name", CHOSEN)
def test_every_name_of_the_other_library_is_found(name: str) -> None:
    oracle = BY_NAME[name]
    found = match(file(theirs(oracle)), ours(oracle))
    assert found.mismatches == ()
    assert found.layout != "nasablate"
    assert found.tensors.keys() == wanted_tensors(ours(oracle)).keys()


@needs_oracles
def test_another_depth_is_listed_by_name() -> None:
    found = match(
        file(theirs(BY_NAME["torchvision/resnet18"])), ours(BY_NAME["torchvision/resnet34"])
    )
    assert not found.unknown
    assert not found.misshapen
    assert {one.name.rsplit(".", 2)[0] for one in found.missing} == {
        *("stages.0.2", "stages.1.2", "stages.1.3", "stages.2.2", "stages.2.3", "stages.2.4"),
        *("stages.2.5", "stages.3.2"),
    }


def test_help_names_every_layout() -> None:
    assert tuple(LAYOUTS) == NAMED_IN_HELP


def test_all_kinds_of_mismatch_are_told_apart() -> None:
    genome = small_vgg([1, 1, 1, 1, 1])
    tensors = state(genome)
    tensors["head.fc.weight"] = torch.ones(7, 8)
    tensors["fc.bias"] = torch.ones(3)
    del tensors["head.hidden1.bias"]
    found = match(file(tensors), lower(genome))
    assert [one.name for one in found.missing] == ["head.hidden1.bias"]
    assert [(one.name, one.rule) for one in found.unknown] == [
        ("fc.bias", "the network has no such weights (shape 3)")
    ]
    assert [(one.name, one.rule) for one in found.misshapen] == [
        ("head.fc.weight", "has shape 7 x 8, head.fc.weight has 5 x 8")
    ]
    with pytest.raises(SpecError) as caught:
        check_whole(found, Path("w.pt"), "mend it")
    assert len(caught.value.problems) == 4
    assert str(caught.value).endswith("w.pt: 3 names do not match; mend it")
    assert all(str(one).startswith("w.pt: ") for one in caught.value.problems)


def test_a_long_list_ends_with_a_number() -> None:
    found = match(file(state(small_vgg([1] * 5))), lower(small_vgg([9] * 5)))
    with pytest.raises(SpecError) as caught:
        check_whole(found, Path("w.pt"), "mend it")
    assert len(caught.value.problems) == 21
    total = len(found.missing)
    last = f"w.pt: {total} names do not match, {total - 20} more than shown; mend it"
    assert str(caught.value).endswith(last)


def test_a_deeper_vgg_starts_from_a_shallower_one() -> None:
    shallow, deep = small_vgg([1, 1, 2, 2, 2]), small_vgg([2, 2, 3, 3, 3])
    given = state(shallow)
    found = match(file(given), lower(deep))
    assert found.tensors.keys() == given.keys()
    net = completed(deep, found, "kaiming_fan_out", 0)
    weights = net.state_dict()
    assert all(torch.equal(weights[name], given[name]) for name in given)
    fresh = weights["stages.0.1.conv1.weight"]
    assert fresh.std() > 0
    again = completed(deep, found, "kaiming_fan_out", 1).state_dict()["stages.0.1.conv1.weight"]
    assert not torch.equal(fresh, again)


def test_only_some_names_are_taken() -> None:
    genome = small_vgg([1] * 5)
    found = match(file(state(genome)), lower(genome), only=["stages.[01].*", "head.fc.*"])
    assert {name.partition(".conv")[0] for name in found.tensors} == {
        *("stages.0.0", "stages.1.0", "head.fc.weight", "head.fc.bias"),
    }
    assert {one.rule for one in found.missing} == {"not asked for"}


def test_what_fits_nothing_is_refused_with_both_first_names() -> None:
    given = file({"encoder.weight": torch.ones(3, 4)})
    with pytest.raises(SpecError, match=r"none of its 1 tensors fits.*'encoder.weight' \(3 x 4\)"):
        match(given, lower(small_vgg([1] * 5)))


def test_types_are_made_ours_and_counters_filled_in() -> None:
    blueprint = lower(load_genome("lenet-5"))
    tensors = {name: value.half() for name, value in state(load_genome("lenet-5")).items()}
    assert {value.dtype for value in match(file(tensors), blueprint).tensors.values()} == {
        torch.float32
    }
    blueprint = lower(load_genome("resnet-20"))
    older = {
        name: value
        for name, value in state(load_genome("resnet-20")).items()
        if not name.endswith("num_batches_tracked")
    }
    found = match(file(older), blueprint)
    assert found.mismatches == ()
    assert found.tensors["stem.post_bn.num_batches_tracked"] == 0


def test_a_classifier_may_be_a_convolution_but_a_kernel_no_other() -> None:
    blueprint = lower(load_genome("resnet-20"))
    tensors = {n: torch.ones_like(v, device="cpu") for n, v in wanted_tensors(blueprint).items()}
    tensors["head.fc.weight"] = torch.ones(10, 64, 1, 1)
    tensors["stem.conv.weight"] = torch.ones(16, 27, 1, 1)
    found = match(file(tensors), blueprint)
    assert found.tensors["head.fc.weight"].shape == (10, 64)
    assert [one.name for one in found.misshapen] == ["stem.conv.weight"]
