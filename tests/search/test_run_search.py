"""A whole search with toy trainings: confirmation, test readings, changed files."""

import os
from pathlib import Path

import pytest

from nasablate.errors import StoreError
from nasablate.genome import SearchSpec
from nasablate.search.confirmation_trials import fresh_seed
from nasablate.search.result import Interval, load_result, pareto
from nasablate.search.run import run_search
from nasablate.store import TrialRecord, open_database
from tests.search.toy import ToySpace
from tests.search.toy_search import toy_search, toy_spec


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.setenv("NASABLATE_TOY_LOG", str(tmp_path / "log"))
    return f"sqlite:///{tmp_path}/toy.db"


def log_lines() -> list[str]:
    return Path(os.environ["NASABLATE_TOY_LOG"]).read_text().splitlines()


def test_the_winner_is_confirmed_on_fresh_seeds_and_tested_once(url):
    spec = toy_spec(confirm={"top": 3, "seeds": 4})
    result = toy_search(url, spec)
    assert result.counts["complete"] == 10
    assert [c.trial.number for c in result.confirmation] == [
        trial.number for trial in sorted(result.trials, key=lambda trial: trial.values)[:3]
    ]
    for candidate in result.confirmation:
        seeds = {trial.attributes["seed"] for trial in candidate.replicates}
        assert len(seeds) == 4
        assert spec.seed not in seeds
        assert candidate.val_error.n == 4
    best = min(result.confirmation, key=lambda candidate: candidate.val_error.mean)
    assert result.winner == best
    assert result.test_error.n == 4
    assert {reading.number for reading in result.test_readings} == {
        trial.number for trial in best.replicates
    }
    before = log_lines()
    assert sum(line.startswith("test ") for line in before) == 4

    again = toy_search(url, spec)
    assert log_lines() == before
    assert again == result


def test_without_confirmation_no_test_error_is_read(url):
    result = toy_search(url, toy_spec())
    assert result.test_error is None
    assert result.winner is None
    assert "no test error was read" in result.notes[0]
    assert not any(line.startswith("test ") for line in log_lines())


def test_a_plan_can_be_extended_but_not_changed(url):
    toy_search(url, toy_spec(trials=4))
    grown = toy_spec(trials=6, question="Why?", confirm={"top": 1, "seeds": 2})
    result = toy_search(url, grown)
    assert result.counts["complete"] == 6
    assert result.test_error.n == 2
    with pytest.raises(StoreError, match=r"seed: 0 -> 1") as caught:
        toy_search(url, toy_spec(trials=6, seed=1, confirm={"top": 1, "seeds": 2}))
    assert "trials" not in str(caught.value)
    with pytest.raises(StoreError, match=r"trials: 6 -> 5"):
        toy_search(url, toy_spec(trials=5, confirm={"top": 1, "seeds": 2}))
    with pytest.raises(StoreError, match=r"confirm.seeds: 2 -> 1|confirm"):
        toy_search(url, toy_spec(trials=6))


def test_a_finished_search_is_known_from_the_database_alone(url, monkeypatch):
    spec = toy_spec(confirm={"top": 1, "seeds": 2})
    expected = toy_search(url, spec)
    monkeypatch.setattr("nasablate.data.load_info", lambda _: pytest.fail("loaded the data"))
    assert run_search(spec, url) == expected
    with pytest.raises(StoreError, match=r"sampler\.name"):
        run_search(toy_spec(sampler={"name": "tpe"}, confirm={"top": 1, "seeds": 2}), url)


def test_other_images_under_the_same_name_are_refused(url):
    toy_search(url, toy_spec(trials=2))
    database = open_database(url)
    database.study("toy").set_attribute("data_fingerprint", "another")
    database.close()
    with pytest.raises(StoreError, match=r"other images: .*; put the images back, or give"):
        toy_search(url, toy_spec(trials=3))


def test_an_exhausted_space_says_so_and_is_finished(url):
    spec = toy_spec(trials=100)
    result = toy_search(url, spec, ToySpace((3, 3)))
    assert result.counts["complete"] == 9
    assert result.notes[0] == "space exhausted after 9 distinct networks"
    assert run_search(spec, url) == result


def test_a_candidate_that_fails_on_a_fresh_seed_cannot_win(url):
    result = toy_search(url, toy_spec(confirm={"top": 2, "seeds": 2}))
    database = open_database(url)
    broken = result.winner.replicates[0]
    confirm = database.study("toy.confirm")
    with confirm._storage.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE trials SET state = 'FAIL' WHERE number = {broken.number} AND study_id = 2"
        )
    spec = SearchSpec.parse({**toy_spec().document(), "confirm": {"top": 2, "seeds": 2}})
    after = load_result(database, spec)
    assert after.winner is not None
    assert after.winner.trial.number != result.winner.trial.number
    assert any("cannot win" in note for note in after.notes)
    database.close()


def test_intervals_are_students():
    found = Interval.of([1.0, 2.0, 3.0])
    assert (found.mean, found.n) == (2.0, 3)
    assert found.high == pytest.approx(2 + 4.302652729696142 / 3**0.5)
    assert Interval.of([1.0]).document() == {"mean": 1.0, "low": None, "high": None, "n": 1}


def test_fresh_seeds_differ_from_each_other_and_from_the_search():
    for seed in (0, 1, 7):
        fresh = [fresh_seed(seed, replicate) for replicate in range(50)]
        assert len({seed, *fresh}) == 51


def test_the_pareto_front_keeps_what_nothing_beats():
    def trial(number, *values):
        return TrialRecord("s", number, "complete", {}, {}, values, {}, None, None)

    trials = [trial(0, 1, 9), trial(1, 2, 8), trial(2, 2, 9), trial(3, 5, 1), trial(4, 1, 9)]
    objectives = {"val_error": "minimize", "params": "minimize"}
    assert [t.number for t in pareto(trials, objectives)] == [0, 1, 3, 4]
    flipped = {"val_error": "minimize", "params": "maximize"}
    assert [t.number for t in pareto(trials, flipped)] == [0, 4]
