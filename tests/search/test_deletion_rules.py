"""What a deletion file may say, how it may grow, what it asks and costs; nothing is trained."""

import copy
import dataclasses
import json

import pytest

from nasablate.blueprint import lower
from nasablate.data import load_info
from nasablate.errors import DataError, SpecError, StoreError
from nasablate.genome import DataSpec, DeletionSpec, Genome, load_deletion, load_genome
from nasablate.search.deletion_cases import questions
from nasablate.search.deletion_plan import plan_deletion
from nasablate.search.deletion_trials import Images, deletion_from, deletion_key
from nasablate.search.spec_guard import check_unchanged
from nasablate.training.deletion.tree import shared_work

FILE = """
kind: deletion
name: try
networks: {one: resnet-20, two: {base: preactresnet-110, edits: {width: 8}}}
data: digits
"""


def document(**changes):
    return {"name": "try", "networks": {"one": "resnet-20"}, "data": "digits", **changes}


def load(tmp_path, text):
    path = tmp_path / "try.yaml"
    path.write_text(text)
    return load_deletion(path)


def test_a_loaded_file_depends_on_no_other(tmp_path):
    spec = load(tmp_path, FILE)
    assert spec.networks["one"].base == load_genome("resnet-20").document()
    assert spec.networks["two"].edits == {"width": 8}
    assert spec.training["epochs"] == 15
    assert DeletionSpec.parse(spec.document()) == spec


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("deletee: {}", r"try.yaml:6.*deletee.*unknown key; did you mean 'delete'"),
        ("delete: {each: no, pairs: near}", r"delete\.pairs"),
        ("delete: {each: false}", "nothing is asked of the networks; set delete.each: true"),
        ("delete: {random: {counts: [2, 2]}}", "delete.random.counts names a number twice"),
        ("delete: {random: {counts: [0]}}", r"delete\.random\.counts\[0\] = 0"),
        ("scale: {factors: []}", r"scale\.factors.*needs at least 1 item"),
        ("delete: {random: {counts: some}}", r"delete\.random\.counts = 'some': .*or one of all"),
        ("memory: 2 gig", r"memory = '2 gig': .*such as 2GiB"),
        ("memory: 10KiB", r"memory = '10KiB': must be from 1MiB"),
        ("images: {random: 1}", r"images\.random = 1"),
        ("seeds: 0", "seeds = 0"),
    ],
)
def test_what_breaks_a_rule_is_told_with_its_place(tmp_path, line, message):
    with pytest.raises(SpecError, match=message):
        load(tmp_path, f"{FILE}{line}\n")


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("resnet-21", r"networks\.one.*resnet-21|no genome preset"),
        ("{base: resnet-20, edit: {}}", r"networks\.one\.edit.*did you mean 'edits'"),
        ("{trained: a/b/c}", r"networks\.one\.trained"),
        ("{weights: [], genome: resnet-20}", "needs at least 1 item"),
    ],
)
def test_a_network_that_cannot_be_is_told_with_its_place(tmp_path, network, message):
    with pytest.raises(SpecError, match=message):
        load(tmp_path, f"kind: deletion\nname: try\nnetworks: {{one: {network}}}\ndata: digits\n")


BEFORE = document(
    delete={"random": {"counts": [1, 2], "repeats": 3}}, scale={"factors": [0.5]}, seeds=3
)


@pytest.mark.parametrize(
    ("path", "value", "may"),
    [
        ("seeds", 4, True),
        ("seeds", 2, False),
        ("delete.random.counts", [1, 2, 4], True),
        ("delete.random.counts", [1, 4], False),
        ("delete.random.counts", "all", True),
        ("memory", "512MiB", True),
        ("delete.random.repeats", 5, True),
        ("delete.random.repeats", 2, False),
        ("delete.stages", True, True),
        ("delete.each", False, False),
        ("delete.pairs", "adjacent", True),
        ("scale", None, False),
        ("scale.factors", [0.0, 0.5], True),
        ("reorder", {"swaps": [1]}, True),
        ("paths", {"samples": 3}, True),
        ("question", "Why?", True),
        ("margin", 1.0, True),
        ("evaluate", "test", False),
        ("images", {"random": 10}, False),
        ("networks.two", {"base": "resnet-32"}, False),
    ],
)
def test_a_file_may_ask_more_but_nothing_else(path, value, may):
    now = copy.deepcopy(BEFORE)
    place = now
    *parents, last = path.split(".")
    for key in parents:
        place = place[key]
    place[last] = value
    before, spec = DeletionSpec.parse(BEFORE), DeletionSpec.parse(now)
    if may:
        check_unchanged(before.readable_json(), spec, 0)
        return
    with pytest.raises(StoreError, match=path.split(".", maxsplit=1)[0]):
        check_unchanged(before.readable_json(), spec, 0)


def asked(**changes):
    return questions(DeletionSpec.parse(document(**changes)), lower(load_genome("resnet-20")))


def test_all_counts_go_from_one_unit_to_all_that_can_be_deleted():
    found = asked(delete={"each": False, "random": {"counts": "all", "repeats": 2}})
    counts = [deletion.count for deletion in found.deletions if deletion.kind == "random"]
    assert counts == [count for count in range(1, 10) for _ in range(2)]
    assert found.notes == ()


def test_exchanges_that_would_undo_others_are_named():
    found = asked(reorder={"swaps": [4, 5], "repeats": 2})
    assert [d.swaps for d in found.deletions if d.kind == "reordering"] == [4, 4]
    assert found.notes == ("no 5 exchanges: after 4 every further one undoes others",)


def test_every_question_is_asked_once_and_survives_the_database():
    found = asked(
        delete={"stages": True, "downsampling": True, "pairs": "adjacent",
                "random": {"counts": [1], "repeats": 3}},
        scale={"factors": [0.0, 0.5]}, reorder={"swaps": [2], "repeats": 2},
    )  # fmt: skip
    kinds = [deletion.kind for deletion in found.deletions]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "intact": 1, "single": 9, "stage": 3, "downsampling": 1, "random": 3, "pair": 8,
        "scaling": 18, "reordering": 2,
    }  # fmt: skip
    images = Images("test", "f" * 64, 100, 100, 0)
    keys = {deletion_key("net", images, deletion) for deletion in found.deletions}
    assert len(keys) == len(found.deletions)
    for deletion in found.deletions:
        text = json.dumps(dataclasses.asdict(deletion))
        assert deletion_from(json.loads(text)) == deletion


def test_a_key_depends_on_network_images_and_deletion():
    one, two = asked(delete={"each": True}).deletions[1:3]
    whole = Images("test", "f" * 64, 100, 100, 0)
    keys = [
        deletion_key("a", whole, one),
        deletion_key("b", whole, one),
        deletion_key("a", whole, two),
        deletion_key("a", Images("validation", "f" * 64, 100, 100, 0), one),
        deletion_key("a", Images("test", "e" * 64, 100, 100, 0), one),
        deletion_key("a", Images("test", "f" * 64, 100, 50, 0), one),
        deletion_key("a", Images("test", "f" * 64, 100, 50, 1), one),
    ]
    assert len(set(keys)) == len(keys)
    # all images are all images, whatever seed would have drawn some of them
    assert deletion_key("a", Images("test", "f" * 64, 100, 100, 9), one) == keys[0]


def test_lengths_of_paths_are_spread_from_none_to_all():
    assert asked(paths={}).path_lengths == tuple(range(10))
    assert asked(paths={"lengths": [3, 1, 99]}).path_lengths == (1, 3)
    long = questions(
        DeletionSpec.parse(document(paths={})), lower(load_genome("preactresnet-110"))
    ).path_lengths
    assert (long[0], long[-1], len(long)) == (0, 54, 24)


def plan_of(**changes):
    spec = DeletionSpec.parse(
        document(
            networks={"one": {"base": load_genome("resnet-20").document()},
                      "two": {"base": load_genome("plain-20").document()}},
            training={"recipe": "quick", "epochs": 10, "batch_size": 10}, **changes,
        )
    )  # fmt: skip
    return plan_deletion(spec, "sqlite:///nowhere/n.db", timer=lambda _: 0.36)


def test_a_plan_adds_up_trainings_and_passes():
    plan = plan_of(seeds=6, resources={"concurrent": 1})
    info = load_info(DataSpec(name="digits"))
    one, two = plan.networks
    blueprint = lower(Genome.parse({**load_genome("resnet-20").document(),
        "input": {"channels": 1, "height": 8, "width": 8}}))  # fmt: skip
    chains = [deletion.chain for deletion in one.questions.deletions]
    assert one.passes == pytest.approx(shared_work(blueprint, chains).macs / one.macs)
    assert one.train_hours == pytest.approx(0.036 * 10 * (info.num_train + info.num_val / 3) / 3600)
    assert one.evaluation_hours == pytest.approx(0.012 * one.passes * info.num_val / 3600)
    assert plan.hours == pytest.approx(
        6 * sum(n.train_hours + n.evaluation_hours for n in (one, two))
    )
    assert plan.num_trials == 6 * (10 + 8)
    assert plan.warnings == ()
    assert "stages.1.0 cannot be deleted" in plan.text()
    assert plan.document()["evaluations"] == 108


def test_a_plan_warns_of_too_few_seeds_and_of_unequal_sizes():
    plan = plan_of(seeds=5)
    assert "5 cannot decide between networks" in plan.warnings[0]
    spec = DeletionSpec.parse(
        document(seeds=6, networks={name: {"base": load_genome(name).document()}
                                    for name in ("resnet-20", "resnet-32")})
    )  # fmt: skip
    unequal = plan_deletion(spec, "sqlite:///nowhere/n.db", measure=False)
    assert unequal.hours is None
    assert "differ in size" in unequal.warnings[0]


def test_a_plan_refuses_more_images_than_there_are():
    with pytest.raises(DataError, match=r"images\.random = 5000: digits has 360 validation images"):
        plan_of(images={"random": 5000})
