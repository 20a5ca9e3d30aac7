"""Databases that are not ours, damaged, locked or read-only, and URLs that lead nowhere."""

import contextlib
import ctypes
import os
import sqlite3
import sys
from pathlib import Path

import optuna
import pytest

from nasablate.store import open_database
from tests.badinput.command import check_clear, run_apart, run_here, tree

SEARCH = """\
kind: search
name: toy
base: {stages: [{units: 1}], width: 4}
axes: {width: {choice: [4, 8]}}
training: {recipe: quick, epochs: 1}
data: digits
trials: 2
"""
READING = [["studies"], ["studies", "toy"], ["trials", "toy"], ["trials", "toy/0"],
           ["report", "toy"]]  # fmt: skip
ids = {"ids": " ".join}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NASABLATE_STORAGE", raising=False)
    (tmp_path / "s.yaml").write_text(SEARCH)
    # a database that is opened after all must not keep the test waiting
    monkeypatch.setattr("nasablate.cli.localhost.local_server", _no_server)
    return tmp_path


def _no_server(*_: object, **__: object) -> None:
    raise AssertionError("the server was started")


def ours(path: Path) -> None:
    """Make a database of ours with one study, without a log beside it."""
    log = path.with_name("log.db")
    database = open_database(f"sqlite:///{log}")
    database.create("toy", {"val_error": "minimize"}, {"kind": "search", "spec": "{}"})
    database.close()
    with contextlib.closing(sqlite3.connect(log)) as source:
        source.execute("PRAGMA journal_mode=DELETE")
    log.rename(path)


def text_file(path: Path) -> None:
    path.write_text("trial,error\n1,2.5\n" * 40)


def other_program(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
        connection.execute("INSERT INTO songs VALUES ('la')")
        connection.commit()


def tables_of_the_same_names(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE studies (title TEXT)")
        connection.execute("CREATE TABLE trials (title TEXT)")
        connection.commit()


def cut_off(path: Path) -> None:
    ours(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def header_alone(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + bytes(20))


def zeros_inside(path: Path) -> None:
    ours(path)
    content = bytearray(path.read_bytes())
    content[4096 : len(content) // 2] = bytes(len(content) // 2 - 4096)
    path.write_bytes(content)


def newer_optuna(path: Path) -> None:
    ours(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v99.9.9'")
        connection.commit()


def column_gone(path: Path) -> None:
    ours(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE studies RENAME COLUMN study_name TO title")
        connection.commit()


def attribute_that_is_no_json(path: Path) -> None:
    ours(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE study_user_attributes SET value_json = '{\"half'")
        connection.commit()


UNUSABLE = [text_file, other_program, tables_of_the_same_names, cut_off, header_alone,
            zeros_inside, newer_optuna, column_gone]  # fmt: skip


@pytest.mark.parametrize("make", UNUSABLE, ids=lambda make: make.__name__)
@pytest.mark.parametrize("command", [*READING, ["dashboard", "--no-browser"]], **ids)
def test_a_database_that_cannot_be_read_is_left_as_it_was(folder, make, command):
    make(folder / "x.db")
    before = tree(folder)
    answer = run_here(*command, "--storage", "sqlite:///x.db")
    check_clear(answer, ["sqlite:///x.db"])
    assert answer.out == ""
    assert tree(folder) == before


@pytest.mark.parametrize("make", UNUSABLE, ids=lambda make: make.__name__)
def test_a_search_does_not_begin_in_it(folder, make):
    make(folder / "x.db")
    before = tree(folder)
    check_clear(
        run_here("search", "s.yaml", "--runner", "inline", "--storage", "sqlite:///x.db"),
        ["sqlite:///x.db"],
    )
    assert tree(folder) == before


@pytest.mark.parametrize("command", READING, **ids)
def test_records_that_make_no_sense(folder, command):
    attribute_that_is_no_json(folder / "x.db")
    check_clear(run_here(*command, "--storage", "sqlite:///x.db"), ["sqlite:///x.db"])


@pytest.mark.usefixtures("folder")
def test_a_study_of_another_program():
    storage = optuna.storages.RDBStorage("sqlite:///x.db")
    optuna.create_study(storage=storage, study_name="toy").optimize(
        lambda trial: trial.suggest_float("x", 0, 1), n_trials=1
    )
    storage.engine.dispose()
    named = ["'toy'", "sqlite:///x.db"]
    assert run_here("studies", "--storage", "sqlite:///x.db").code == 0
    check_clear(run_here("studies", "toy", "--storage", "sqlite:///x.db"), named)
    check_clear(run_here("trials", "toy", "--storage", "sqlite:///x.db"), named)
    for command in (["export-study", "toy", "--to", "x.csv"], ["ensemble", "toy"]):
        check_clear(run_here(*command, "--storage", "sqlite:///x.db"), ["not made by nasablate"])
    assert not Path("x.csv").exists()
    with contextlib.closing(sqlite3.connect("x.db")) as file:
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
    assert "trials" in tables
    assert not [name for name in tables if "nasablate" in name], "reading adds nothing"
    answer = run_here("search", "s.yaml", "--runner", "inline", "--storage", "sqlite:///x.db")
    check_clear(answer, ["'toy'", "give the file another name"])


@pytest.mark.parametrize(
    ("command", "fragments"),
    [
        (["export-study", "toy", "--to", "s.yaml"], ["--to = 's.yaml'", "must end in .csv"]),
        (["export-study", "toy", "--to", "no/x.csv"], ["its folder does not exist"]),
        (["studies", "nosuch"], ["study 'nosuch' is not in sqlite:///x.db; it has: toy"]),
        (["trials", "nosuch"], ["'nosuch'", "it has: toy"]),
        (["trials", "toy", "7"], ["study 'toy' has no trial 7; it has 0 trials"]),
        (["trials", "toy/x"], ["'toy/x' names no trial; write STUDY/NUMBER"]),
        (["trials", "toy/0", "1"], ["'toy/0' names no trial"]),
    ],
)
def test_studies_and_trials_that_do_not_exist(folder, command, fragments):
    ours(folder / "x.db")
    before = tree(folder)
    check_clear(run_here(*command, "--storage", "sqlite:///x.db"), fragments)
    assert tree(folder) == before


@pytest.mark.parametrize(
    ("url", "fragments"),
    [
        ("runs.db", ["'runs.db' is no database URL; write for example sqlite:///"]),
        ("sqlite://", ["has no file", "write for example"]),
        ("sqlite:///:memory:", ["has no file"]),
        ("sqlite:///.", ["is a folder, not a database; name a file in it"]),
        ("sqlite:////no/such/folder/x.db", ["/no/such/folder", ""]),
        ("sqlite:////proc/x.db", ["/proc/x.db", "name another --storage"]),
        ("sqlite:///s.yaml", ["sqlite:///s.yaml", "name a database with --storage"]),
        ("nosuchsql://host/x", ["nosuchsql://host/x"]),
        ("mysql://me:secret@nowhere.invalid/x", ["mysql://me:***@nowhere.invalid/x"]),
        ("postgresql://me:secret@127.0.0.1:9/x", ["postgresql://me:***@127.0.0.1:9/x"]),
    ],
)
def test_urls_that_lead_nowhere(folder, url, fragments):
    before = tree(folder)
    for command in (["studies"], ["trials", "toy"], ["search", "s.yaml", "--runner", "inline"]):
        answer = run_here(*command, "--storage", url)
        check_clear(answer, fragments)
        assert "secret" not in answer.err
    assert tree(folder) == before


def test_a_database_that_another_program_has_locked(folder, monkeypatch):
    monkeypatch.setattr("nasablate.store.database._LOCK_TIMEOUT_SECONDS", 0.2)
    ours(folder / "x.db")
    with contextlib.closing(sqlite3.connect(folder / "x.db")) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        answer = run_here("studies", "--storage", "sqlite:///x.db")
        check_clear(answer, ["sqlite:///x.db", "locked"])
        answer = run_here("search", "s.yaml", "--runner", "inline", "--storage", "sqlite:///x.db")
        check_clear(answer, ["sqlite:///x.db", "locked"])
    assert run_here("studies", "--storage", "sqlite:///x.db").code == 0


_DROP_FROM_BOUNDING_SET, _MAY_WRITE_ALL, _MAY_READ_ALL = 24, 1, 2
"""Of Linux's prctl and capabilities."""
_STRANGER = 65534


def as_mere_mortal() -> None:
    """Take from root, before it starts a program, the right to pass over permissions."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for capability in (_MAY_WRITE_ALL, _MAY_READ_ALL):
        if prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "cannot drop a capability")


def give_away(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, _STRANGER, _STRANGER)


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can give files away"
)
def test_without_permission(tmp_path):
    """A user who may not read or write is told so, file by file."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "s.yaml").write_text(SEARCH)
    (folder / "t.yaml").write_text(SEARCH.replace("name: toy", "name: other"))
    (folder / "g.yaml").write_text("kind: genome\nstages: [{units: 1}]\n")
    (folder / "g.yaml").chmod(0o600)
    ours(folder / "x.db")
    (folder / "shut.db").write_bytes((folder / "x.db").read_bytes())
    (folder / "shut.db").chmod(0o600)
    before = tree(folder)
    give_away(folder)
    begin = ["search", "s.yaml", "--runner", "inline", "--storage"]
    for arguments, fragments in [
        (["describe", "g.yaml"], ["g.yaml: cannot be read (permission denied)"]),
        ([*begin, "sqlite:///new.db"], ["sqlite:///new.db"]),
        ([*begin, "sqlite:///runs/new.db"], ["runs", "Permission denied"]),
        (["search", "t.yaml", *begin[2:], "sqlite:///x.db"], ["driver.lock", "denied"]),
        (["studies", "--storage", "sqlite:///shut.db"], ["sqlite:///shut.db"]),
        (["init", "search", "--name", "x"], ["x.yaml: cannot be written (permission denied)"]),
    ]:
        home = {"HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        answer = run_apart(folder, arguments, home, preexec_fn=as_mere_mortal)
        check_clear(answer, fragments)
        assert tree(folder) == before
    answer = run_apart(
        folder, ["studies", "--storage", "sqlite:///x.db"], preexec_fn=as_mere_mortal
    )
    assert answer.code in {0, 2}
    assert "Traceback" not in answer.err
