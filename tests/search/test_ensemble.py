"""Ensembles of the networks of a study, from training to the table."""

import json

import numpy as np
import pytest

from nasablate.cli.main import main
from nasablate.errors import InputError, SpecError
from nasablate.genome import DeletionSpec, Genome, Recipe
from nasablate.genome.deletion import TrainedHere
from nasablate.search import ensemble_logits
from nasablate.search.deletion import run_deletion
from nasablate.search.ensemble import EnsembleOptions, run_ensemble
from nasablate.search.ensemble_result import kept_ensembles
from nasablate.store import open_database

pytestmark = pytest.mark.slow

NET = {
    "kind": "genome",
    "stem": {"kind": "conv3x3", "width": 4},
    "stages": [{"units": 1, "stride": 1}, {"units": 1, "stride": 2}],
    "width": 4,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Train two networks that leave their weights after epochs 1, 3 and 4."""
    spec = DeletionSpec.parse(
        {
            "kind": "deletion", "name": "try", "networks": {"net": NET}, "seeds": 2,
            "data": {"name": "digits", "subset": 300},
        }
    )  # fmt: skip
    recipe = Recipe.parse(
        {"epochs": 4, "batch_size": 50, "snapshots": 3, "schedule": {"kind": "cosine", "cycles": 2}}
    )
    spec = spec.model_copy(
        update={
            "networks": {"net": TrainedHere(base=Genome.parse(NET).document())},
            "training": recipe.document(),
        }
    )
    url = f"sqlite:///{tmp_path_factory.mktemp('ensemble')}/runs/d.db"
    assert run_deletion(spec, url, "inline").is_complete
    return url


def test_a_training_is_an_ensemble_of_its_snapshots(url):
    database = open_database(url)
    folder = database.study("try.networks").trial_folder(0)
    names = {"weights.1.pt", "weights.3.pt", "weights.pt"}
    assert {path.name for path in folder.glob("weights*")} == names
    found = run_ensemble(database, ["try"])
    kinds = [(ensemble.what, ensemble.members) for ensemble in found.ensembles]
    snapshots = ("snapshots", ("epoch 1", "epoch 3", "last epoch"))
    assert kinds == [("seeds", ("try.networks/0", "try.networks/1")), snapshots, snapshots]
    curve = open_database(url).study("try.networks").curves()[0]
    errors = [curve[epoch - 1].val_error for epoch in (1, 3, 4)]
    mean = found.ensembles[1].analysis.mean_member.error
    assert mean == pytest.approx(np.mean(errors))


def test_a_missing_snapshot_leaves_the_ensemble_out(url, tmp_path):
    database = open_database(url)
    path = database.study("try.networks").trial_folder(1) / "weights.3.pt"
    aside = tmp_path / "aside"
    path.rename(aside)
    found = run_ensemble(database, ["try"])
    aside.rename(path)
    assert [ensemble.what for ensemble in found.ensembles] == ["seeds", "snapshots"]


def test_logits_are_computed_once_and_again_when_their_file_is_damaged(url, monkeypatch):
    database = open_database(url)
    first = run_ensemble(database, ["try"], EnsembleOptions(deletions=True))
    folder = database.study("try.networks").folder / ensemble_logits.FOLDER
    kept = sorted(folder.glob("*.intact.npy"))
    assert len(kept) == 6  # two trainings at three epochs
    assert len(list(folder.glob("*.units.npy"))) == 2
    computed = []
    run_chains = ensemble_logits.run_chains
    monkeypatch.setattr(
        ensemble_logits,
        "run_chains",
        lambda *given, **named: computed.append(1) or run_chains(*given, **named),
    )
    assert run_ensemble(database, ["try"], EnsembleOptions(deletions=True)) == first
    assert computed == []
    kept[0].write_bytes(kept[0].read_bytes()[:200])
    assert run_ensemble(database, ["try"], EnsembleOptions(deletions=True)) == first
    assert computed == [1]
    assert kept_ensembles(database.study("try").attributes()) == first


def test_a_network_and_its_deletions_have_a_budget(url):
    database = open_database(url)
    with pytest.raises(InputError, match=r"--memory 9.54e-07GiB: the probabilities of 2 networks"):
        run_ensemble(database, ["try"], EnsembleOptions(memory=2**10))


def test_networks_from_files_and_of_other_studies_are_averaged_by_arm(url, tmp_path):
    database = open_database(url)
    networks = database.study("try.networks")
    copy = tmp_path / "a.pt"
    copy.write_bytes((networks.trial_folder(0) / "weights.pt").read_bytes())
    spec = DeletionSpec.parse(
        {
            "kind": "deletion", "name": "others", "data": {"name": "digits", "subset": 300},
            "networks": {
                "before": {"trained": "try.networks"},
                "file": {
                    "genome": json.loads(networks.trials()[0].attributes["genome"]),
                    "weights": [str(copy)],
                },
            },
        }
    )  # fmt: skip
    run_deletion(spec.model_copy(update={"training": Recipe().document()}), url, "inline")
    found = run_ensemble(database, ["others"])
    assert [(own.name, own.what, len(own.members)) for own in found.ensembles][:2] == [
        ("before", "seeds", 2),
        ("all", "mixed", 3),
    ]
    assert found.ensembles[1].members[2] == "file (a.pt)"
    # the file is a copy of the first training: both predict the same
    assert found.ensembles[1].analysis.sizes[0].error == pytest.approx(
        (2 * found.ensembles[0].analysis.mean_member.error + _error(database)) / 3
    )
    only = run_ensemble(database, ["others"], EnsembleOptions(arms=("before",)))
    assert {own.what for own in only.ensembles} == {"seeds", "snapshots"}
    with pytest.raises(InputError, match="--arms none: there is no such arm; there are: before"):
        run_ensemble(database, ["others"], EnsembleOptions(arms=("none",)))


def _error(database):
    """Return the error of the first training."""
    return database.study("try.networks").trials()[0].values[0]


def test_the_command_lists_them(url, capsys):
    with pytest.raises(SystemExit) as end:
        main(["ensemble", "try", "--json", "--storage", url])
    assert not end.value.code
    document = json.loads(capsys.readouterr().out)
    assert [found["what"] for found in document["ensembles"]] == ["seeds", "snapshots", "snapshots"]


def test_more_snapshots_than_epochs_are_refused():
    said = "snapshots = 5: snapshots cannot be more than the epochs, 4; lower it"
    with pytest.raises(SpecError, match=said):
        Recipe.parse({"epochs": 4, "snapshots": 5})


def test_recipes_without_snapshots_keep_their_digest():
    assert Recipe(epochs=4, snapshots=1).digest() == Recipe(epochs=4).digest()
    assert Recipe(epochs=4, snapshots=2).digest() != Recipe(epochs=4).digest()
