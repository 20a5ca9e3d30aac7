"""The rules of the code base, each as a test: layers, sizes, imports, help, versions."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

import nasablate
from nasablate.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "nasablate").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
MAX_LINES = 400
MIN_TESTS = 900
"""Raise it as the suite grows: a suite that collects fewer has lost tests."""
HEAVY = ("torch", "ray", "optuna", "plotly", "sqlalchemy")
COMMANDS = sorted(typer.main.get_command(app).commands)

ids = {"ids": lambda path: str(path.relative_to(ROOT))}


def run_python(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return result.stdout


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_layers_hold() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", SOURCES + TESTS, **ids)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", SOURCES, **ids)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_module_is_called_utils() -> None:
    assert not [path for path in SOURCES if path.stem in {"utils", "util", "helpers", "misc"}]


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("ray", r"nasablate/search/ray_\w+\.py"),
        ("plotly", r"nasablate/figures/.*"),
        ("reportlab", r"nasablate/figures/pdf\w*\.py"),
        ("sqlalchemy", r"nasablate/store/.*"),
        ("optuna_dashboard", r"nasablate/(cli/dashboard|report/\w+)\.py"),
        ("search_spaces", r"nothing"),
    ],
)
def test_library_stays_in_its_home(library: str, homes: str) -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if any(name.split(".")[0] == library for name in imports_of(path))
    ]
    assert [user for user in users if not re.fullmatch(homes, user)] == []


def test_public_names_are_pinned() -> None:
    assert (
        sorted(nasablate.__all__)
        == nasablate.__all__
        == [
            "Genome",
            "__version__",
            "build",
            "cost",
            "describe",
            "load_genome",
            "load_network",
            "lower",
        ]
    )
    assert all(getattr(nasablate, name) is not None for name in nasablate.__all__)


@pytest.mark.parametrize(
    "code",
    [
        "import nasablate",
        "import nasablate.cli.main",
        "from nasablate.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert not end.code",
        "from nasablate.cli.main import main\n"
        "try: main(['schema', 'genome'])\n"
        "except SystemExit as end: assert not end.code",
    ],
    ids=["package", "cli", "help", "schema"],
)
def test_imports_stay_cold(code: str) -> None:
    check = f"import sys; print('loaded:', [n for n in {HEAVY!r} if n in sys.modules])"
    assert run_python(f"{code}\n{check}").splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"nasablate {command}" in result.output.partition("Examples:")[2]
    assert (typer.main.get_command(app).commands[command].help or "").strip()


def test_examples_in_help_name_files_that_exist() -> None:
    output = "".join(CliRunner().invoke(app, [name, "--help"]).output for name in COMMANDS)
    named = set(re.findall(r"search_spaces/\w+\.yaml", output))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_changelog_agrees_with_the_version() -> None:
    headings = re.findall(
        r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    top = headings[0]
    if ".dev" in nasablate.__version__:
        assert top == "Unreleased"
        assert nasablate.__version__.partition(".dev")[0] not in headings
    else:
        released = [name for name in headings if name != "Unreleased"]
        assert released[:1] == [nasablate.__version__]


def test_imported_libraries_are_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for_users = {name: found for name, found in project["optional-dependencies"].items()
                 if name not in {"dev", "oracle"}}  # fmt: skip
    texts = [*project["dependencies"], *(text for found in for_users.values() for text in found)]
    declared = {re.split(r"[\[<>=]", text)[0] for text in texts}
    package_of = {"PIL": "pillow", "sklearn": "scikit-learn", "ruamel": "ruamel.yaml"}
    used = {name.split(".")[0] for path in SOURCES for name in imports_of(path)}
    used -= {*sys.stdlib_module_names, "nasablate"}
    missing = {package_of.get(name, name).replace("_", "-") for name in used} - declared
    assert missing == set()


def test_every_requirement_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    required = project["dependencies"] + optional["dev"] + optional["oracle"] + optional["onnx"]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {line.split("==")[0].lower() for line in pins.splitlines() if "==" in line}
    assert [text for text in required if re.split(r"[\[<>=]", text)[0] not in pinned] == []
    assert "://" not in pins


def test_suite_has_not_shrunk(request: pytest.FixtureRequest) -> None:
    if request.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        pytest.skip("counts only a run of the whole suite")
    assert len(request.session.items) >= MIN_TESTS
