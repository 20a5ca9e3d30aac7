"""What every database must do, on SQLite and, where one is given, on PostgreSQL."""

import contextlib
import math
import os
import subprocess
import sys
import time
import uuid
from dataclasses import replace

import optuna
import pytest
import sqlalchemy
from optuna.distributions import CategoricalDistribution, IntDistribution

from nasablate.errors import StoreError
from nasablate.store import (
    Epoch,
    NewTrial,
    Step,
    TestReading,
    database_exists,
    driver_lock,
    now,
    open_database,
    study_folder,
)

POSTGRES = os.environ.get("NASABLATE_TEST_POSTGRES")


def epoch(number: int, error: float = 10.0) -> Epoch:
    return Epoch(number, 0.5, 12.5, 0.6, error, 0.1, 3.0)


NEW = NewTrial(
    params={"unit.kind": "basic", "se": None, "width": 4},
    distributions={
        "unit.kind": CategoricalDistribution(["basic", "bottleneck"]),
        "se": CategoricalDistribution([None, 0.25]),
        "width": IntDistribution(4, 8),
    },
    attributes={"genome": '{"a": 1}', "seed": 0, "evaluation_key": "k"},
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/runs/test.db"
    if not POSTGRES:
        pytest.skip("needs PostgreSQL: NASABLATE_TEST_POSTGRES is not set")
    return POSTGRES


@pytest.fixture
def database(url):
    database = open_database(url)
    yield database
    database.close()


@pytest.fixture
def name():
    return f"study-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def study(database, name):
    return database.create(name, {"val_error": "minimize"}, {"kind": "search", "spec": "{}"})


def test_a_trial_keeps_everything_through_its_life(database, study, name):
    number = study.create_trial(NEW)
    assert number == 0
    study.add_epoch(number, epoch(1))
    study.set_intermediate(number, 1, 10.0)
    study.set_waiting(number)
    assert study.trials()[0].state == "waiting"
    study.set_running(number)
    study.finish_trial(number, "complete", (9.5,), {"manifest": {"torch": "2"}})

    trial = database.study(name).trials()[0]
    assert (trial.name, trial.state, trial.values) == (f"{name}/0", "complete", (9.5,))
    assert trial.params == NEW.params
    assert trial.genome == {"a": 1}
    assert trial.attributes["manifest"] == {"torch": "2"}
    assert trial.intermediate == {1: 10.0}
    assert trial.is_finished


def test_a_finished_trial_cannot_change(study):
    number = study.create_trial(NEW)
    study.finish_trial(number, "fail", None, {"failure_reason": "ValueError: no"})
    assert study.trials()[0].failure_reason == "ValueError: no"
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        study.set_trial_attributes(number, {"late": 1})


def test_not_a_number_and_infinity_survive(study):
    number = study.create_trial(NEW)
    study.add_epoch(number, Epoch(1, math.nan, math.inf, math.nan, 3.0, 0.1, 1.0))
    read = study.curves()[number][0]
    assert math.isnan(read.train_loss)
    assert math.isnan(read.val_loss)
    assert read.train_error == math.inf
    assert not read.is_finite


def test_numbers_come_back_to_the_last_bit(study):
    number = study.create_trial(NEW)
    wanted = Epoch(1, 0.1 + 0.2, 1 / 3, math.pi, 100 * math.e, 1e-300, 5e-324)
    study.add_epoch(number, wanted)
    assert study.curves()[number] == (wanted,)


def test_row_ids_grow_and_each_epoch_is_stored_once(study):
    first, second = study.create_trial(NEW), study.create_trial(NEW)
    ids = [
        study.add_epoch(trial, epoch(number)).row_id
        for number in (1, 2)
        for trial in (first, second)
    ]
    assert ids == sorted(set(ids))
    assert [row.row_id for row in study.epochs()] == ids
    with pytest.raises(StoreError):
        study.add_epoch(first, epoch(2))
    assert len(study.curves()[first]) == 2


def test_a_complete_evaluation_is_found_from_other_studies_only(database, study):
    key = uuid.uuid4().hex
    number = study.create_trial(NEW)
    other = database.create(f"other-{key[:8]}", {"val_error": "minimize"}, {"kind": "search"})
    study.set_evaluation(key, number, "running")
    assert other.find_evaluation(key) is None
    study.add_epoch(number, epoch(1))
    study.set_evaluation(key, number, "complete")
    assert other.find_evaluation(key) == (study.name, number)
    assert study.find_evaluation(key) is None
    assert other.curve_elsewhere(study.name, number) == (epoch(1),)


def test_a_test_reading_is_kept_and_cannot_be_made_twice(study):
    reading = TestReading(study.name, 3, "final", 6.25, 0.2, 16, b"\xff\x00", now())
    study.add_test_reading(reading)
    assert study.test_readings() == [reading]
    with pytest.raises(StoreError):
        study.add_test_reading(reading)


def test_studies_are_listed_with_counts_and_foreign_ones_are_not(database, study, url):
    foreign = optuna.storages.RDBStorage(url)
    optuna.create_study(storage=foreign, study_name=f"foreign-{study.name}")
    foreign.engine.dispose()
    study.create_trial(NEW)
    study.finish_trial(study.create_trial(NEW), "pruned", (3.0,), {})
    names = {summary.name: summary for summary in database.studies()}
    assert f"foreign-{study.name}" not in names
    summary = names[study.name]
    assert (summary.kind, summary.num_trials) == ("search", 2)
    assert (summary.counts["running"], summary.counts["pruned"]) == (1, 1)
    assert summary.objectives == {"val_error": "minimize"}


def test_optuna_alone_reads_the_study(study, url):
    number = study.create_trial(NEW)
    study.finish_trial(number, "complete", (9.5,), {})
    storage = optuna.storages.RDBStorage(url)
    loaded = optuna.load_study(study_name=study.name, storage=storage)
    assert loaded.best_value == 9.5
    assert loaded.best_params == dict(NEW.params)
    assert loaded.metric_names == ["val_error"]
    storage.engine.dispose()


def test_an_unknown_study_is_refused_with_those_there_are(database, study):
    with pytest.raises(StoreError, match=study.name):
        database.study("nonsense")


def test_sqlite_does_not_make_readers_wait(tmp_path):
    open_database(f"sqlite:///{tmp_path}/a.db").close()
    again = open_database(f"sqlite:///{tmp_path}/a.db")
    with again._storage.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    again.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "no database URL"),
        ("sqlite:///", "has no file"),
        ("sqlite:////no/such/folder/a.db", "does not exist"),
        ("postgresql://user:secret@127.0.0.1:1/nasablate", "cannot be used"),
        ("mysql://user:secret@127.0.0.1:1/nasablate", "cannot be used"),
        ("sqlite:///{tmp}/folder", "is a folder"),
        ("sqlite:///{tmp}/text.db", "not a database"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(url, words, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("this is a letter, not a database\n" * 100)
    with pytest.raises(StoreError, match=words) as caught:
        open_database(url.replace("{tmp}", str(tmp_path)))
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "letter" in (tmp_path / "text.db").read_text()


def test_reading_makes_no_database(tmp_path):
    url = f"sqlite:///{tmp_path}/runs/a.db"
    assert not database_exists(url)
    with pytest.raises(StoreError, match="run a search first"):
        open_database(url, create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_database_is_refused(tmp_path):
    open_database(f"sqlite:///{tmp_path}/a.db").close()
    database = open_database(f"sqlite:///file:{tmp_path}/a.db?mode=ro&uri=true", create=True)
    with pytest.raises(StoreError, match="readonly"):
        database.create("x", {"val_error": "minimize"}, {"kind": "search"})
    database.close()


def test_files_lie_beside_an_sqlite_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert study_folder("sqlite:///runs/a.db", "s") == tmp_path / "runs" / "s"
    assert study_folder("postgresql://host/db", "s") == tmp_path / "runs" / "s"


HOLD = """
import sys
import time
from nasablate.store import driver_lock
with driver_lock(*sys.argv[1:]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_driver_is_refused_with_the_first_ones_pid(url, name):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreError, match=f"process {holder.pid}"), driver_lock(url, name):
            pass
        with driver_lock(url, f"{name}-b"):  # another study is free
            pass
        holder.kill()
        holder.wait()
        for _ in range(50):  # the server needs a moment to see it
            with contextlib.suppress(StoreError), driver_lock(url, name):
                return
            time.sleep(0.1)
        pytest.fail("the lock of a driver that was killed stays")


def test_tables_made_by_another_program_meanwhile_are_taken_up(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/runs/test.db"
    open_once = optuna.storages.RDBStorage
    tries = []

    def beaten(*args, **kwargs):
        tries.append(1)
        storage = open_once(*args, **kwargs)
        if len(tries) == 1:  # what Optuna meets when its first query still saw no tables
            storage.engine.dispose()
            raise sqlalchemy.exc.OperationalError("CREATE", {}, Exception("already exists"))
        return storage

    monkeypatch.setattr("nasablate.store.database.RDBStorage", beaten)
    database = open_database(url)
    assert len(tries) == 2
    assert database.studies() == []
    database.close()


@pytest.mark.slow
def test_programs_that_make_a_database_at_once_all_get_it(tmp_path):
    code = f"from nasablate.store import open_database; open_database('sqlite:///{tmp_path}/a.db')"
    programs = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [program.wait() for program in programs] == [0] * 4


def test_a_password_is_in_no_message(tmp_path, monkeypatch):
    database = open_database(f"sqlite:///{tmp_path}/a.db")
    monkeypatch.setattr(database, "url", "postgresql+psycopg://me:secret@localhost/x")
    with pytest.raises(StoreError) as caught:
        database.study("nonsense")
    assert "secret" not in str(caught.value)
    assert "me:***@localhost" in str(caught.value)
    database.close()


def test_epochs_at_once_are_those_one_by_one_or_none(study):
    one, other = study.create_trial(NEW), study.create_trial(NEW)
    wanted = (epoch(1), epoch(2), Epoch(3, math.nan, 1.0, 1.0, 1.0, 0.1, 1.0))
    for found in wanted:
        study.add_epoch(one, found)
    study.add_epochs(other, wanted)
    study.add_epochs(other, ())
    curves = study.curves()
    assert repr(curves[one]) == repr(curves[other])
    assert len(curves[other]) == 3
    with pytest.raises(StoreError):
        study.add_epochs(other, (epoch(4), epoch(2)))
    assert len(study.curves()[other]) == 3


def steps(*losses: float) -> tuple[Step, ...]:
    return tuple(Step(number, loss, 0.1) for number, loss in enumerate(losses, start=1))


def test_steps_are_stored_with_their_epoch_or_not_at_all(study):
    number = study.create_trial(NEW)
    first = replace(epoch(1), steps=steps(2.5, math.nan))
    study.add_epoch(number, first)
    found = study.steps.of_trial(number)
    assert repr(found) == repr({1: first.steps})
    with pytest.raises(StoreError):  # the epoch is there already
        study.add_epoch(number, replace(epoch(1), steps=(Step(3, 1.0, 0.1),)))
    with pytest.raises(StoreError):  # a step is
        study.add_epoch(number, replace(epoch(2), steps=(Step(2, 1.0, 0.1),)))
    assert [row.epoch.epoch for row in study.epochs()] == [1]
    assert repr(study.steps.of_trial(number)) == repr(found)
    other = study.create_trial(NEW)
    for _ in range(2):  # a driver that was killed may copy again
        study.steps.copy(study.name, number, other)
    assert repr(study.steps.of_trial(other)) == repr(found)


def test_a_database_from_before_steps_takes_them(tmp_path):
    url = f"sqlite:///{tmp_path}/old.db"
    database = open_database(url)
    number = database.create("s", {"val_error": "minimize"}, {}).create_trial(NEW)
    database.close()
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP TABLE nasablate_steps"))
    engine.dispose()
    for create in (False, True):
        database = open_database(url, create=create)
        assert database.study("s").steps.of_trial(number) == {}
        database.close()
    database = open_database(url)
    study = database.study("s")
    study.add_epoch(number, replace(epoch(1), steps=steps(2.5)))
    assert study.steps.of_trial(number) == {1: steps(2.5)}
    database.close()
