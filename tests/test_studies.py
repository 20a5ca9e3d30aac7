"""The ablations that come with the project: each loads, can be answered, and invents no number."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from nasablate.blueprint import digest, lower
from nasablate.data import DataInfo
from nasablate.errors import GenomeError
from nasablate.genome import AblationSpec, file_kind, genome_presets, load_ablation, load_genome
from nasablate.genome.ablation import Reported
from nasablate.genome.reported import reported_of
from nasablate.search.ablation import run_ablation
from nasablate.search.answerable import needed_seeds, why_undecided
from nasablate.search.arms import Arm, Arms, resolve_arms
from nasablate.search.confounds import find_differences
from nasablate.search.variant import on_data

FOLDER = Path(__file__).resolve().parents[1] / "studies"
FILES = sorted(path for path in FOLDER.glob("*/*.yaml") if file_kind(path) == "ablation")
NAMES = [str(path.relative_to(FOLDER)) for path in FILES]
PAPER = [name for name in NAMES if "/paper" in name]
LECTURES = {
    "alexnet-parts": {"reduced.yaml", "smoke.yaml"},
    "alexnet-vgg": {"smoke.yaml"},
    "auxiliary-classifiers": {"reduced.yaml", "smoke.yaml"},
    "grid-reduction": {"reduced.yaml", "smoke.yaml"},
    "stems": {"reduced.yaml", "smoke.yaml"},
    "window-forms": {"reduced.yaml", "smoke.yaml"},
}
"""Tables of lectures, of which no paper has an ablation whose recipe we can say."""
SMOKE = [name for name in NAMES if "/smoke" in name]
SERIOUS = [name for name in NAMES if name not in SMOKE]

_CIFAR = DataInfo(
    name="cifar10",
    num_train=2700,
    num_val=300,
    num_test=10_000,
    channels=3,
    height=32,
    width=32,
    classes=10,
    class_names=(),
    mean=(0.5,) * 3,
    std=(0.25,) * 3,
    fingerprint="none",
)
INFOS = {
    "cifar10": _CIFAR,
    "cifar10-jpeg": replace(_CIFAR, name="cifar10-jpeg"),
    "digits": replace(
        _CIFAR, name="digits", channels=1, height=8, width=8, mean=(0.5,), std=(0.25,)
    ),
    "parquet:imagenet-1k": replace(
        _CIFAR, name="parquet:imagenet-1k", height=224, width=224, classes=1000
    ),
}
DATA_SETS = {"cifar10": "cifar10", "parquet:imagenet-1k": "imagenet"}

# Numbers that nasablate/genome/reported.yaml does not have, since the network is no preset or the
# number stands in another table too; all were read in copies of these tables.
QUOTED = {
    ("arXiv 1512.03385 Table 2", "plain, d34", 28.54),
    ("arXiv 1512.03385 Table 2", "residual, d34", 25.03),
    (
        "arXiv 1512.03385 Table 6, as quoted in akamaster/pytorch_resnet_cifar10 README.md"
        " @d5489e8",
        "residual, d110",
        6.61,
    ),
    ("arXiv 1603.05027 Table 1", "baseline", 6.61),
    ("arXiv 1603.05027 Table 2", "baseline", 6.61),
    ("arXiv 1603.05027 Table 2", "preactivation", 6.37),
    ("arXiv 1603.05027 Table 2", "keep, without", 6.37),
    ("arXiv 1603.05027 Table 2", "baseline", 5.93),
    ("arXiv 1603.05027 Table 2", "preactivation", 5.46),
    ("arXiv 1603.09382, as printed in arXiv 1608.06993 Table 2", "off, d110", 6.41),
    ("arXiv 1709.01507 Table 10", "r16", 22.28),
    ("arXiv 1709.01507 Table 10", "r2", 22.29),
    ("arXiv 1709.01507 Table 10", "r4", 22.25),
    ("arXiv 1709.01507 Table 10", "r8", 22.26),
    ("arXiv 1709.01507 Table 10", "r32", 22.72),
    ("arXiv 1709.01507 Table 10", "no_gates", 23.3),
    ("arXiv 1904.01169 Table 3", "baseline", 23.85),
}


@cache
def spec_of(name: str) -> AblationSpec:
    return load_ablation(FOLDER / name)


@cache
def arms_of(name: str) -> tuple[Arm, ...]:
    spec = spec_of(name)
    return resolve_arms(spec, INFOS[spec.data.name]).arms


def comment_of(name: str) -> str:
    """Return the lines that a file begins with, as one line."""
    lines = (FOLDER / name).read_text().splitlines()
    first = next(index for index, line in enumerate(lines) if not line.startswith("#"))
    return " ".join(line.lstrip("# ") for line in lines[:first])


def test_every_study_has_its_three_sizes() -> None:
    folders = {path.parent.name for path in FILES} - LECTURES.keys()
    assert len(folders) == 12
    for folder in folders:
        sizes = {name.removeprefix(f"{folder}/") for name in NAMES if name.startswith(f"{folder}/")}
        assert {"paper.yaml", "reduced.yaml", "smoke.yaml"} <= sizes
        # what follows a hyphen is another form of the question, in one size or in all of them
        forms: dict[str, set[str]] = {}
        for name in sizes:
            size, _, form = name.removesuffix(".yaml").partition("-")
            forms.setdefault(form, set()).add(size)
        assert all(found in ({"paper", "reduced", "smoke"}, {"paper"}) for found in forms.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_study_says_what_it_asks_whence_and_how_it_is_run(name: str) -> None:
    said = comment_of(name)
    assert re.search(r"arXiv \d{4}\.\d{4,5}", said)
    assert f"nasablate plan studies/{name}" in said
    assert f"nasablate ablate studies/{name}" in said
    spec = spec_of(name)
    assert spec.question.endswith("?")
    assert spec.name == name.removesuffix(".yaml").replace("/", "-")


@pytest.mark.parametrize("folder", LECTURES)
def test_a_study_of_a_lecture_has_the_sizes_it_can_have(folder: str) -> None:
    assert {path.name for path in FILES if path.parent.name == folder} == LECTURES[folder]


def test_no_two_studies_share_a_name() -> None:
    names = [spec_of(name).name for name in NAMES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", NAMES)
def test_all_arms_are_networks_of_their_own_and_every_edit_acts(name: str) -> None:
    arms = arms_of(name)
    assert len(arms) > 1
    assert len({arm.variant.network_digest for arm in arms}) == len(arms)
    assert not any(arm.variant.ignored for arm in arms)


@pytest.mark.parametrize("name", SERIOUS)
def test_the_seeds_can_give_a_verdict_on_every_arm_and_effect(name: str) -> None:
    spec = spec_of(name)
    arms = resolve_arms(spec, INFOS[spec.data.name])
    assert why_undecided(spec, arms) is None
    assert spec.seeds >= max(needed_seeds(spec, arms).values())
    assert spec.margin is not None
    assert not spec.accept_undecided


@pytest.mark.parametrize("name", NAMES)
def test_a_study_whose_arms_differ_in_cost_says_why(name: str) -> None:
    own = arms_of(name)[0].variant.cost
    gaps = {
        arm.name: min(
            abs(arm.variant.cost.params / own.params - 1), abs(arm.variant.cost.macs / own.macs - 1)
        )
        for arm in arms_of(name)[1:]
    }
    unmatched = {arm for arm, gap in gaps.items() if gap > 0.01}
    assert not unmatched or re.search("Costs: [^.]+[.]", comment_of(name)), unmatched
    labelled = find_differences(Arms(arms_of(name)))
    assert all("params" in labelled[arm].text for arm in unmatched - _matched_as_can_be(name))


def _matched_as_can_be(name: str) -> set[str]:
    """Return the arms that the file's own match tells of."""
    return {arm.name for arm in arms_of(name) if arm.matching is not None}


@pytest.mark.parametrize("name", SERIOUS)
def test_arms_to_be_matched_can_be(name: str) -> None:
    for arm in arms_of(name)[1:]:
        assert (arm.matching is None) == (not spec_of(name).match)
        twins = {other.cell for other in arms_of(name) if other.matching is not None}
        assert arm.matching is None or arm.matching.is_within or arm.name in twins


@pytest.mark.parametrize("name", [name for name in SERIOUS if name not in PAPER])
def test_a_reduced_study_is_judged_on_the_test_images_and_says_its_size(name: str) -> None:
    spec, said = spec_of(name), comment_of(name)
    assert spec.data.name == "cifar10-jpeg"
    assert spec.evaluate == "test"
    assert 7 <= spec.seeds <= 9
    assert spec.data.subset is not None
    assert f"{round(spec.data.subset * 0.9):,} training images" in said
    assert f"{spec.training['epochs']} epochs" in said
    assert re.search(r"\d+ layers", said)


@pytest.mark.parametrize("name", SMOKE)
def test_a_smoke_study_is_tiny_and_says_that_it_shows_nothing(name: str) -> None:
    spec = spec_of(name)
    assert spec.data.name == "digits"
    assert spec.seeds == 2
    assert spec.training["epochs"] == 1
    assert "shows the machinery only" in comment_of(name)
    assert all(arm.variant.cost.params < 60_000 for arm in arms_of(name))


@pytest.mark.parametrize("name", PAPER)
def test_a_paper_study_counts_its_trainings_and_uses_official_data(name: str) -> None:
    spec = spec_of(name)
    assert spec.data.name in DATA_SETS
    assert spec.data.subset is None
    trainings = spec.seeds * len(arms_of(name))
    assert f"{trainings} trainings of {spec.training['epochs']} epochs" in comment_of(name)


@pytest.mark.parametrize("name", PAPER)
def test_a_paper_study_has_networks_that_are_presets(name: str) -> None:
    known = presets_on(spec_of(name).data.name)
    assert any(arm.variant.network_digest in known for arm in arms_of(name))


@pytest.mark.parametrize(
    ("name", "arm", "preset"),
    [
        ("preactivation-placements/paper.yaml", "preactivation", "preactresnet-110"),
        ("preactivation-placements/paper-resnet164.yaml", "preactivation", "preactresnet-164"),
        ("pyramidnet-blocks/paper.yaml", "first_relu=remove, final_bn=with", "pyramidnet-110-a48"),
        ("pyramidnet-shortcuts/paper.yaml", "shortcut=projected", "pyramidnet-110-a48-projection"),
        ("pyramidnet-widening/paper.yaml", "widening=multiplicative", "pyramidnet-110-m4.75"),
        ("shortcut-forms/paper.yaml", "conv1x1", "resnet-110-c"),
        ("plain-vs-residual/paper.yaml", "shortcuts=plain, depth=d110", "plain-110"),
        ("resnext-cardinality/paper.yaml", "32x4d", "resnext50-32x4d"),
        ("resnest-radix/paper.yaml", "4s2x40d", "resnest-50-fast-4s2x40d"),
        ("se-ratio-position/paper.yaml", "position=after_3x3", "seresnet-50-3x3"),
        ("res2net-scale/paper.yaml", "14w8s", "res2net-50-14w8s"),
        ("wrn-width-depth/paper.yaml", "depth=d16, width=k8", "wrn-16-8"),
        ("stochastic-depth/paper.yaml", "skipping=per_batch", "resnet-110-stochastic-depth"),
    ],
)
def test_an_arm_is_the_papers_network(name: str, arm: str, preset: str) -> None:
    found = next(known for known in arms_of(name) if known.name == arm)
    assert preset in presets_on(spec_of(name).data.name)[found.variant.network_digest]


@cache
def presets_on(data: str) -> dict[str, list[str]]:
    """Return the presets by their digest on a data set."""
    found: dict[str, list[str]] = {}
    for preset in genome_presets():
        try:
            network = digest(lower(on_data(load_genome(preset), INFOS[data])))
        except GenomeError:
            continue  # another image size than this network can read
        found.setdefault(network, []).append(preset)
    return found


def arm_of(name: str, row: Reported) -> Arm:
    arms = arms_of(name)
    if isinstance(row.arm, str):
        return next(arm for arm in arms if arm.name == row.arm)
    wanted = {**arms[0].levels, **row.arm}
    return next(arm for arm in arms if arm.levels == wanted)


ROWS = [
    pytest.param(name, row, id=f"{name}-{index}")
    for name in NAMES
    for index, row in enumerate(spec_of(name).reported)
]


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_every_reported_number_was_read(name: str, row: Reported) -> None:
    if row.value is None:
        assert re.search("Table|Fig", row.source)
        assert re.search("could not be read|above", row.note)
        return
    assert row.protocol != type(row.protocol)()
    data = spec_of(name).data.name
    arm = arm_of(name, row)
    presets = presets_on(data).get(arm.variant.network_digest, ())
    known = {
        (number.source, number.error_percent)
        for preset in presets
        for number in reported_of(preset)
        if number.dataset == DATA_SETS[data]
    }
    label = row.arm if isinstance(row.arm, str) else ", ".join(row.arm.values())
    assert (row.source, row.value) in known or (row.source, label, row.value) in QUOTED


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["pyramidnet-blocks", "resnext-cardinality"])
def test_a_smoke_study_runs(folder: str, tmp_path: Path) -> None:
    spec = spec_of(f"{folder}/smoke.yaml")
    result = run_ablation(spec, f"sqlite:///{tmp_path}/smoke.db", "inline")
    assert result.is_complete
    assert [arm.name for arm in result.arms] == [
        arm.name for arm in arms_of(f"{folder}/smoke.yaml")
    ]
    assert {arm.verdict for arm in result.arms[1:]} == {"undecided"}
