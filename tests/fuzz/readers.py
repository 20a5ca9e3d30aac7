"""The readers under test: each takes an input and uses it as the commands would.

Only a `NasablateError` may come out, with one printable line per problem.
"""

import contextlib
import json
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import typer
from hypothesis import strategies as st
from optuna.storages._rdb.storage import _VersionManager

from nasablate.blueprint import cost, describe, digest, lower
from nasablate.cli.main import main
from nasablate.data import DataInfo
from nasablate.errors import NasablateError, SpecError
from nasablate.genome import (
    Genome,
    Recipe,
    SearchSpec,
    genome_presets,
    load_genome,
    load_recipe,
    load_search,
    recipe_presets,
)
from nasablate.genome import files as files_module
from nasablate.genome.edits import apply_edits, check_path
from nasablate.genome.yaml_source import YamlSource, parse_yaml, read_yaml
from nasablate.genome.yaml_source import _check_plain as check_plain
from nasablate.search import space as space_module
from nasablate.search.space import load_space
from tests.fuzz.documents import documents, edits, searches
from tests.fuzz.mutations import mutate_bytes, mutate_document

ROOT = Path(__file__).parents[2]
MAX_MESSAGE = 20_000
INFO = DataInfo(
    "fuzz", 1, 8, 8, 10, tuple("0123456789"), 100, 20, 20, "f" * 64, (0.5,), (0.2,)
)  # fmt: skip


class UnclearMessageError(Exception):
    """An error of ours whose message a person could not read."""


@dataclass(frozen=True)
class Reader:
    """Something that reads what a user gives."""

    name: str
    read: Callable[[Any], None]
    mutated: Callable[[random.Random], Any]
    """Makes one input by damaging a valid one."""
    made: st.SearchStrategy[Any] | None = None
    """Makes inputs from the record types."""


def accepts(reader: Reader, given: Any) -> bool:
    """Give a reader an input; True if it took it, False if it refused it as it should.

    Raises:
        Exception: anything but a clear error of ours.
    """
    try:
        reader.read(given)
    except NasablateError as error:
        check_message(error)
        return False
    return True


def check_message(error: NasablateError) -> None:
    """Refuse messages that are empty, endless, of several lines or made of control characters."""
    text = str(error)
    lines = text.split("\n")
    problems = len(error.problems) if isinstance(error, SpecError) else len(lines)
    if not text or len(text) > MAX_MESSAGE or len(lines) != problems:
        raise UnclearMessageError(repr(text[:500]))
    if not all(line.isprintable() and line for line in lines):
        raise UnclearMessageError(repr(text[:500]))


def use_genome(genome: Genome) -> None:
    blueprint = lower(genome)
    cost(blueprint)
    digest(blueprint)
    describe(blueprint, genome.name).text(layers=True)


@cache
def scratch() -> Path:
    """Return a folder for this process's files, in memory where the system has such a place."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="nasablate-fuzz-", dir=memory if memory.is_dir() else None)
    return Path(folder)


def remove_scratch() -> None:
    shutil.rmtree(scratch(), ignore_errors=True)
    scratch.cache_clear()


def _file(content: bytes, name: str = "input.yaml") -> Path:
    path = scratch() / name
    path.write_bytes(content)
    return path


def text_of(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)


@cache
def _preset(text: str, name: str) -> YamlSource:
    """Parse a file of the package once; a reader meets the same few in every other input."""
    return parse_yaml(text, name)


_THROUGH_TEXT = 20
"""One of so many documents is written as YAML and parsed; the reader `yaml` is for the others."""


@contextlib.contextmanager
def as_file(document: Mapping[str, Any]) -> Iterator[Path]:
    """Give a document as a file; most without its text, whose parsing takes most of the time."""
    text = text_of(document)
    path = _file(text.encode("utf-8", "surrogatepass"))
    if len(text) % _THROUGH_TEXT == 0:
        yield path
        return

    def read(asked: Path) -> YamlSource:
        if asked != path:
            return read_yaml(asked)
        source = YamlSource(str(path), json.loads(text), None)
        check_plain(source, source.data, (), [0])
        return source

    with mock.patch.multiple(files_module, read_yaml=read, parse_yaml=_preset):
        yield path


# Genomes, recipes, search files: documents of the right and the wrong shape


def read_genome(document: Mapping[str, Any]) -> None:
    with as_file(document) as path:
        use_genome(load_genome(path))


def read_recipe(document: Mapping[str, Any]) -> None:
    """Read a document as a recipe's file and as the changes of a search file."""
    if "recipe" in document:
        load_recipe(document).digest()
    else:
        with as_file(document) as path:
            load_recipe(path).digest()


def read_search(document: Mapping[str, Any]) -> None:
    with as_file(document) as path:
        spec = load_search(path)
    # A hundred cells per space would leave time for few spaces.
    with mock.patch.object(space_module, "_DRAWS", 3):
        space = load_space(spec, INFO)
    rng = random.Random(0)
    assert space.num_cells is None or space.num_cells > 0
    for _ in range(2):
        try:
            space.candidate(space.random(rng))
        except SpecError:
            continue
    spec.readable_json()


def _small(genome: Genome) -> bool:
    return sum(stage.units for stage in genome.stages) <= 40


@cache
def _genomes() -> tuple[dict[str, Any], ...]:
    loaded = (load_genome(name) for name in genome_presets())
    return tuple(genome.document() for genome in loaded if _small(genome))


@cache
def _recipes() -> tuple[dict[str, Any], ...]:
    whole = tuple(load_recipe(name).document() for name in recipe_presets())
    changes = ({"recipe": "quick", "epochs": 3, "optimizer": {"lr": 0.1}},)
    return (*whole, *changes, {"recipe": "wrn-cifar", "schedule": {"kind": "cosine"}})


@cache
def _searches() -> tuple[dict[str, Any], ...]:
    written = [read_yaml(path).data for path in sorted((ROOT / "search_spaces").glob("*.yaml"))]
    full = SearchSpec.parse({**written[0], "question": "?"}).document()
    return (*written, full)


# YAML as bytes


def read_yaml_bytes(given: tuple[str, bytes]) -> None:
    kind, content = given
    path = _file(content)
    match kind:
        case "genome":
            use_genome(load_genome(path))
        case "recipe":
            load_recipe(path)
        case _:
            load_search(path)


@cache
def _yaml_files() -> tuple[tuple[str, bytes], ...]:
    folders = {
        "genome": "nasablate/genome/presets",
        "recipe": "nasablate/genome/recipes",
        "search": "search_spaces",
    }
    return tuple(
        (kind, path.read_bytes())
        for kind, folder in folders.items()
        for path in sorted((ROOT / folder).glob("*.yaml"))
        if not any(huge in path.name for huge in ("1001", "1202", "-269", "-272"))
    )


def _damaged_yaml(rng: random.Random) -> tuple[str, bytes]:
    files = _yaml_files()
    kind, content = rng.choice([item for item in files if item[0] == rng.choice(_KINDS)] or files)
    return kind, mutate_bytes(rng, content, others=tuple(item[1] for item in files))


_KINDS = ("genome", "recipe", "search")


# Edits


def read_edits(given: tuple[type[Genome] | type[Recipe], dict[str, Any]]) -> None:
    model, changes = given
    base = _genomes()[0] if model is Genome else _recipes()[0]
    for path in changes:
        check_path(model, path)
    document, _ = apply_edits(model, base, changes)
    changed = model.parse(document)
    if isinstance(changed, Genome):
        use_genome(changed)


def _damaged_edits(rng: random.Random) -> tuple[type[Genome], dict[str, Any]]:
    base = rng.choice(_genomes())
    parts = {
        f"stages.{rng.choice(['*', '0', '1', '5', '-1', '²', ''])}.units": rng.choice([1, 0, -1]),
        "unit": base["unit"],
        "unit.kind": rng.choice(["basic", "bottleneck", "x", None, 3]),
        rng.choice(["placement", "placement.pre", "placement..pre", "."]): base["placement"],
        "widening": rng.choice(_genomes())["widening"],
        rng.choice(["head.tail", "head.tail.0", "head.hidden.*"]): rng.choice([["bn"], "bn", []]),
    }
    chosen = rng.sample(sorted(parts), rng.randint(1, 4))
    return Genome, mutate_document(rng, {path: parts[path] for path in chosen})


# Databases


@cache
def _database() -> bytes:
    from tests.search.toy_search import toy_search, toy_spec

    toy_search(f"sqlite:///{scratch() / 'log.db'}", toy_spec(trials=3, name="toy"))
    whole = scratch() / "valid.db"
    with (
        contextlib.closing(sqlite3.connect(scratch() / "log.db")) as source,
        contextlib.closing(sqlite3.connect(whole)) as target,
    ):
        source.backup(target)  # without a write-ahead log beside it
        target.execute("PRAGMA journal_mode=DELETE")
    return whole.read_bytes()


def _damaged_database(rng: random.Random) -> tuple[list[str], bytes]:
    content = bytearray(_database())
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        place = rng.randrange(len(content))
        if rng.random() < 0.3:
            place = rng.randrange(min(100, len(content)))  # the header
        match rng.randrange(4):
            case 0:
                content[place] = rng.randrange(256)
            case 1:
                content[place : place + 16] = rng.randbytes(16)
            case 2 if rng.random() < 0.2:
                del content[place:]
                content = content or bytearray(b"\0")
            case _:
                content[place] ^= 1 << rng.randrange(8)
    commands = (["studies"], ["studies", "toy"], ["trials", "toy"], ["trials", "toy", "1"])
    return [*rng.choice(commands), *rng.choice(([], ["--json"]))], bytes(content)


_make_command_line = cache(typer.main.get_command)


def _command_line(app: typer.Typer) -> Any:
    return _make_command_line(app)


@cache
def _newest_tables() -> str:
    with contextlib.closing(sqlite3.connect(scratch() / "valid.db")) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def read_database(given: tuple[list[str], bytes]) -> None:
    """Run a reading command on a database; its exit code must be that of success or bad input."""
    command, content = given
    path = _file(content, "mutated.db")
    for left in ("mutated.db-wal", "mutated.db-shm", "mutated.db-journal"):
        (scratch() / left).unlink(missing_ok=True)
    errors = StringIO()
    code = 0
    # What every start of the command line works out anew from the code, not from the database.
    same = (
        mock.patch.object(typer.main, "get_command", _command_line),
        mock.patch.object(_VersionManager, "get_head_version", return_value=_newest_tables()),
    )
    with redirect_stdout(StringIO()), redirect_stderr(errors), same[0], same[1]:
        try:
            main([*command, "--storage", f"sqlite:///{path}"])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    if code == 0:
        return
    message = errors.getvalue().strip()
    if code != 2 or not message.startswith("error: ") or "error: unexpected" in message:
        raise UnclearMessageError(f"exit {code}: {message[:500]}")
    raise NasablateError(message)


def written_readers() -> Iterator[Reader]:
    yield Reader("genome", read_genome, _mutator(_genomes), documents(Genome))
    yield Reader("search", read_search, _mutator(_searches), searches())
    yield Reader("recipe", read_recipe, _mutator(_recipes), documents(Recipe))
    yield Reader("yaml", read_yaml_bytes, _damaged_yaml)
    made_edits = st.sampled_from([Genome, Recipe]).flatmap(
        lambda model: st.tuples(st.just(model), edits(model))
    )
    yield Reader("edits", read_edits, _damaged_edits, made_edits)
    yield Reader("database", read_database, _damaged_database)


def _mutator(valid: Callable[[], tuple[dict[str, Any], ...]]) -> Callable[[random.Random], Any]:
    return lambda rng: mutate_document(rng, rng.choice(valid()))
