"""Deletion studies from beginning to end, on tiny networks."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from nasablate.analysis.finite_population import count_interval
from nasablate.blueprint import lower
from nasablate.cli.deletion_summary import deletion_summary
from nasablate.cli.main import main
from nasablate.data.batches import eval_batches
from nasablate.errors import DataError, InputError, SpecError, StoreError
from nasablate.genome import DeletionSpec, Genome, load_recipe
from nasablate.genome.deletion import TrainedHere
from nasablate.nets import build
from nasablate.report.deletion_csv import deletion_csv
from nasablate.search import deletion_evaluation
from nasablate.search.deletion import PURPOSE, run_deletion
from nasablate.search.deletion_records import write_deletion_records
from nasablate.search.deletion_trials import deletion_of
from nasablate.store import open_database

pytestmark = pytest.mark.slow

NET = {
    "stem": {"kind": "conv3x3", "width": 4},
    "stages": [{"units": 2, "stride": 1}, {"units": 2, "stride": 2}],
    "width": 4,
    "placement": "preactivation",
    "shortcut": {"kind": "zero_pad", "reduce": "avg_pool"},
    "head": {"tail": ["bn", "relu"]},
}
PLAIN = {**NET, "shortcut": {"kind": "none"}}
DELETE = {"stages": True, "downsampling": True, "random": {"counts": [2, 9], "repeats": 2}}


def spec_of(**changes):
    document = {
        "kind": "deletion", "name": "try", "networks": {"residual": NET, "plain": PLAIN},
        "seeds": 2, "data": {"name": "digits", "subset": 200}, "delete": DELETE,
        "training": {"recipe": "quick", "epochs": 1, "batch_size": 100},
        **changes,
    }  # fmt: skip
    spec = DeletionSpec.parse(document)
    networks = dict(spec.networks)
    for name, network in networks.items():
        if isinstance(network, TrainedHere):
            full = Genome.parse({"kind": "genome", **network.base}).document()
            networks[name] = network.model_copy(update={"base": full})
    recipe = load_recipe(spec.training).document()
    return spec.model_copy(update={"networks": networks, "training": recipe})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Run the study once for all tests that only read it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('deletion')}/runs/d.db"
    spec = spec_of(scale={"factors": [0.5]}, reorder={"swaps": [1], "repeats": 2},
                   paths={"samples": 2, "images": 20})  # fmt: skip
    return spec, url, run_deletion(spec, url, "inline")


def test_every_deletion_of_every_trained_network_is_a_trial(finished):
    _, url, result = finished
    assert result.is_complete
    trials = open_database(url).study("try").trials()
    kinds = [deletion_of(t).kind for t in trials if t.params["network"] == "residual"]
    counts = {kind: kinds.count(kind) for kind in kinds}
    assert counts == {
        "intact": 2, "single": 8, "stage": 4, "downsampling": 2, "random": 4, "scaling": 8,
        "reordering": 4,
    }  # fmt: skip
    one = next(t for t in trials if deletion_of(t).kind == "single")
    assert set(one.params) == {"network", "replicate", "kind", "stage", "unit", "count"}
    assert one.values == (pytest.approx(one.values[0]),)


def test_what_cannot_be_asked_is_named_with_its_reason(finished):
    notes = {network.name: network.notes for network in finished[2].networks}
    assert notes["residual"] == ("no 9 random units: only 4 can be deleted",)
    assert (
        "stages.1.0 cannot be deleted: no shortcut, and the shape changes from 4x8x8 to 8x4x4"
        in notes["plain"]
    )
    plain = finished[2].networks[1]
    assert plain.downsampling is None
    assert plain.gap.mean is None
    assert [c.network for c in finished[2].rise_contrasts] == ["plain"]
    assert finished[2].gap_contrasts == ()


def test_rises_are_paired_with_the_same_trained_network(finished):
    network = finished[2].networks[0]
    for unit in network.units:
        for replicate, rise in unit.rise.values.items():
            own = unit.error.values[replicate] - network.intact.values[replicate]
            assert rise == pytest.approx(own)
    by_unit = [unit.rise.values[0] for unit in network.units]
    assert network.mean_rise.values[0] == pytest.approx(np.mean(by_unit))
    down = [unit.rise.values[0] for unit in network.units if unit.downsampling]
    others = [unit.rise.values[0] for unit in network.units if not unit.downsampling]
    assert network.gap.values[0] == pytest.approx(np.mean(down) - np.mean(others))


def test_a_deletion_is_what_the_network_does_without_the_unit(finished):
    """Take a branch away with torch alone and count the errors."""
    spec, url, result = finished
    study = open_database(url).study("try.networks")
    trial = study.trials()[0]
    bench = deletion_evaluation.make_bench(spec, "cpu", 1)
    net = build(lower(Genome.parse(json.loads(trial.attributes["genome"]))))
    net.load_state_dict(torch.load(study.trial_folder(0) / "weights.pt", weights_only=True))
    unit = net.get_submodule("stages.0.1")
    last = [m for m in unit.modules() if isinstance(m, torch.nn.Conv2d)][-1]
    torch.nn.init.zeros_(last.weight)
    net.eval()
    wrong = total = 0
    for images, labels in eval_batches(bench.part, bench.info, 64, torch.device("cpu")):
        wrong += int((net(images).argmax(1) != labels).sum())
        total += len(labels)
    found = next(u for u in result.networks[0].units if u.name == "stages.0.1")
    assert found.error.values[0] == pytest.approx(100 * wrong / total)


def test_a_finished_study_answers_without_evaluating(finished, monkeypatch):
    spec, url, result = finished
    monkeypatch.setattr(deletion_evaluation, "make_bench", None)
    assert run_deletion(spec, url, "inline").document() == result.document()


def test_a_study_grows_but_does_not_change(finished):
    spec, url, _ = finished
    with pytest.raises(StoreError, match="began with another file"):
        run_deletion(spec.model_copy(update={"seeds": 1}), url, "inline")
    other = spec.model_copy(update={"evaluate": "test"})
    with pytest.raises(StoreError, match="evaluate"):
        run_deletion(other, url, "inline")


def test_records_give_the_same_tables_without_training(finished, tmp_path):
    spec, url, result = finished
    path = tmp_path / "records.csv"
    count = write_deletion_records(open_database(url).study("try"), path)
    assert count == result.num_trials + 2  # and the paths of two networks
    other = f"sqlite:///{tmp_path}/runs/e.db"
    again = run_deletion(spec, other, "inline", from_records=path)
    for one, two in zip(again.networks, result.networks, strict=True):
        assert replace(one, members=()) == replace(two, members=())
    assert again.rise_contrasts == result.rise_contrasts
    assert open_database(other).find("try.networks") is None


def test_damaged_records_are_refused_by_line(finished, tmp_path):
    spec, url, _ = finished
    path = tmp_path / "records.csv"
    write_deletion_records(open_database(url).study("try"), path)
    rows = list(csv.reader(path.read_text().splitlines()))
    rows[1][rows[0].index("error")] = "3.5"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(SpecError, match=r"records.csv:2.*damaged"):
        run_deletion(spec, f"sqlite:///{tmp_path}/runs/e.db", "inline", from_records=path)


def test_what_was_interrupted_goes_on_where_it_stopped(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/runs/d.db"
    spec = spec_of(networks={"residual": NET}, delete={"each": True})
    whole, calls = deletion_evaluation.evaluate_member, []

    def interrupted(*arguments):
        calls.append(arguments[2].replicate)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(deletion_evaluation, "evaluate_member", interrupted)
    first = run_deletion(spec, url, "inline")
    assert first.interrupted
    assert first.num_trials == 5
    assert len(first.missing) == 1
    second = run_deletion(spec, url, "inline")
    assert calls == [0, 1, 1]
    assert second.is_complete
    assert second.num_trials == 10


def test_more_deletions_evaluate_only_what_is_missing(tmp_path):
    url = f"sqlite:///{tmp_path}/runs/d.db"
    small = spec_of(networks={"residual": NET}, delete={"each": True}, evaluate="test", seeds=1)
    before = run_deletion(small, url, "inline")
    large = spec_of(networks={"residual": NET}, delete={"each": True, "pairs": "adjacent"},
                    evaluate="test", seeds=1)  # fmt: skip
    after = run_deletion(large, url, "inline")
    assert after.num_trials == before.num_trials + 3
    assert after.networks[0].units == before.networks[0].units
    readings = open_database(url).study("try").test_readings()
    assert {reading.purpose for reading in readings} == {PURPOSE}
    assert len(readings) == 2
    assert len(open_database(url).study("try.networks").trials()) == 1


def test_networks_of_another_study_and_from_files(tmp_path):
    url = f"sqlite:///{tmp_path}/runs/d.db"
    spec = spec_of(networks={"residual": NET}, delete={"each": True}, seeds=2)
    first = run_deletion(spec, url, "inline")
    weights = open_database(url).study("try.networks").trial_folder(0) / "weights.pt"
    genome = Genome.parse(
        json.loads(open_database(url).study("try.networks").trials()[0].attributes["genome"])
    ).document()
    others = {
        "all": {"trained": "try.networks"},
        "file": {"genome": genome, "weights": [str(weights)]},
    }
    second = run_deletion(spec_of(name="again", networks=others, delete={"each": True}), url,
                          "inline")  # fmt: skip
    taken, read = second.networks
    assert taken.units == first.networks[0].units
    assert [unit.error.values[0] for unit in read.units] == [
        unit.error.values[0] for unit in taken.units
    ]
    # nothing says on which seed the file was trained, so nothing is paired
    assert second.rise_contrasts[0].judgement.verdict == "undecided"
    assert second.rise_contrasts[0].judgement.n == 0


@pytest.mark.parametrize(
    ("network", "kind", "message"),
    [
        ({"trained": "nowhere"}, StoreError, "nowhere"),
        ({"trained": "try.networks/7"}, StoreError, "no complete trial of try.networks/7"),
        ({"trained": "try.networks"}, InputError, "has 2 networks; say arm: one of"),
        (
            {"genome": {"kind": "genome", **NET}, "weights": ["none"]},
            SpecError,
            r"networks\.a = '3 x 32 x 32, 10 classes': .* digits \(1 x 8 x 8, 10 classes\); if .*"
            r"input: \{channels: 1, height: 8, width: 8\} and classes: 10",
        ),
        ({"base": NET, "edits": {"width": 0}}, SpecError, r"networks\.a\.width = 0"),
        ({"base": NET, "edits": {"widht": 8}}, SpecError, r"networks\.a\.edits\.widht"),
    ],
)  # fmt: skip
def test_networks_that_cannot_be_are_refused(finished, network, kind, message):
    _, url, _ = finished
    with pytest.raises(kind, match=message):
        run_deletion(spec_of(name="bad", networks={"a": network}), url, "inline")


def test_weights_that_are_gone_are_told_and_nothing_is_decided(tmp_path):
    url = f"sqlite:///{tmp_path}/runs/d.db"
    run_deletion(spec_of(networks={"residual": NET}, delete={"each": True}), url, "inline")
    weights = open_database(url).study("try.networks").trial_folder(1) / "weights.pt"
    weights.unlink()
    more = spec_of(networks={"residual": NET}, delete={"each": True, "stages": True})
    result = run_deletion(more, url, "inline")
    assert not result.is_complete
    assert "its weights are no longer there" in result.missing[0]
    assert result.networks[0].stages[0].rise.values.keys() == {0}


def test_memory_that_holds_no_image_is_refused_before_anything_is_trained(tmp_path):
    wide = {**NET, "stem": {"kind": "conv3x3", "width": 2048}, "width": 2048}
    spec = spec_of(networks={"wide": wide}, memory="1MiB")
    with pytest.raises(SpecError, match=r"memory = 1048576: one image in network 'wide' needs"):
        run_deletion(spec, f"sqlite:///{tmp_path}/runs/d.db", "inline")
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_the_images_is_an_estimate(tmp_path):
    spec = spec_of(networks={"residual": NET}, delete={"each": True}, seeds=1,
                   images={"random": 30})  # fmt: skip
    result = run_deletion(spec, f"sqlite:///{tmp_path}/runs/d.db", "inline")
    assert result.images is not None
    assert result.images.is_estimate
    assert result.images.chosen == 30
    rows = deletion_csv(open_database(result.url).study("try")).splitlines()
    for row in csv.DictReader(rows):
        error, wrong = float(row["error"]), round(float(row["error"]) * 30 / 100)
        assert (row["images"], row["images_in_all"]) == ("30", "50")
        low, high = count_interval(wrong, 30, 50)
        assert (float(row["error_low"]), float(row["error_high"])) == (2 * low, 2 * high)
        assert 2 * low <= error <= 2 * high
    by_what = {found.what: found for found in result.estimates}
    network = result.networks[0]
    assert list(by_what) == ["error, intact", "mean rise", *(unit.name for unit in network.units)]
    whole = by_what["error, intact"]
    assert whole.value == network.intact.mean
    assert (whole.interval.low, whole.interval.high) == tuple(
        2 * count for count in count_interval(round(whole.value * 0.3), 30, 50)
    )
    assert by_what["mean rise"].value == pytest.approx(network.mean_rise.mean)
    for unit in network.units:
        own = by_what[unit.name]
        assert own.value == pytest.approx(unit.rise.mean)
        assert own.interval.low <= own.value <= own.interval.high
    assert "95 % for all 50" in deletion_summary(result)
    too_many = spec_of(name="more", images={"random": 51}, seeds=1)
    with pytest.raises(DataError, match=r"images.random = 51: digits has 50 validation images"):
        run_deletion(too_many, f"sqlite:///{tmp_path}/runs/e.db", "inline")


def test_the_trials_are_listed_and_shown(finished, capsys):
    _, url, _ = finished
    assert shown(capsys, "try", "--storage", url).splitlines()[0].split() == [
        "trial", "state", "error", "network", "replicate", "kind", "stage", "unit", "count",
        "factor", "swaps", "kendall_tau",
    ]  # fmt: skip
    assert "unit" in shown(capsys, "try/1", "--storage", url)
    details = json.loads(shown(capsys, "try/1", "--json", "--storage", url))
    assert details["axes"]["kind"] == "single"
    assert details["genome"] is None


def shown(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["trials", *arguments])
    assert not end.value.code
    return capsys.readouterr().out
