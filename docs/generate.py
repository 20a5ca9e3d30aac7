"""What cog writes into README.md and docs/: the source tree and the help of every command."""

import ast
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HELP_WIDTH = 90


def tree() -> str:
    """Return the packages of nasablate with the first line of each one's docstring."""
    package = ROOT / "nasablate"
    entries = [path.parent for path in package.glob("*/__init__.py")]
    entries += [path for path in package.glob("*.py") if path.name != "__init__.py"]
    lines = [(path.stem, _headline(path)) for path in entries]
    width = max(len(name) for name, _ in lines) + 1
    body = [
        f"  {name + ('/' if (package / name).is_dir() else ''):<{width}} {text}"
        for name, text in sorted(lines)
    ]
    return "\n".join(["```", "nasablate/", *body, "```"])


def command_list() -> str:
    """Return one line of Markdown per command."""
    group = _group()
    lines = ["| command | what it does |", "|---|---|"]
    for name in group.commands:
        summary = (group.commands[name].help or "").strip().splitlines()[0]
        lines.append(f"| `nasablate {name}` | {summary} |")
    return "\n".join(lines)


def command_reference() -> str:
    """Return the help of every command as Markdown."""
    group = _group()
    parts = ["```", _help([]), "```"]
    for name, command in group.commands.items():
        parts += ["", f"## nasablate {name}", "", "```", _help([name]), "```"]
        for inner in getattr(command, "commands", {}):
            parts += ["", f"### nasablate {name} {inner}", "", "```", _help([name, inner]), "```"]
    return "\n".join(parts)


def example() -> str:
    """Return what ``nasablate describe`` prints for a small network."""
    arguments = ["describe", "resnet-20"]
    return "\n".join(["```", f"$ nasablate {' '.join(arguments)}", run_command(arguments), "```"])


def write(make: Callable[[], str]) -> None:
    """Write a part between blank lines, as cog's output."""
    print(f"\n{make()}\n")  # noqa: T201 - cog reads what is printed


def _headline(path: Path) -> str:
    source = path / "__init__.py" if path.is_dir() else path
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def _group():
    import typer.main

    from nasablate.cli.main import app

    return typer.main.get_command(app)


def _help(arguments: list[str]) -> str:
    return run_command([*arguments, "--help"])


def run_command(arguments: list[str]) -> str:
    """Return what a command of nasablate prints on stdout."""
    from typer.testing import CliRunner

    from nasablate.cli.main import app

    runner = CliRunner(env={"COLUMNS": str(HELP_WIDTH), "TERMINAL_WIDTH": str(HELP_WIDTH)})
    result = runner.invoke(app, arguments, prog_name="nasablate", terminal_width=HELP_WIDTH)
    return "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())
