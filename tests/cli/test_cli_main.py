"""Exit codes, error messages and the reading commands, through the real entry point."""

import io
import json
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from nasablate import __version__
from nasablate.cli import main as cli_main
from nasablate.cli import start
from nasablate.cli.main import main
from nasablate.errors import RunError
from nasablate.genome import load_genome, load_genome_text
from nasablate.training import Outcome


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"nasablate {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [["nosuch"], ["describe"], ["describe", "resnet-20", "--nosuch"], ["schema", "poem"]],
    ids=" ".join,
)
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Error" in captured.err


def test_bad_input_is_one_clear_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("describe", "resnet-21") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: 'resnet-21'")
    assert captured.err.count("\n") == 1


def test_failed_run_exits_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        message = "the net diverged"
        raise RunError(message)

    monkeypatch.setattr(cli_main, "app", fail)
    assert run("genomes") == 1
    assert capsys.readouterr().err == "error: the net diverged\n"


def test_a_diverged_training_names_its_epoch_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = Outcome("diverged", (), "loss became nan at epoch 1")
    monkeypatch.setattr("nasablate.training.loop.fit", lambda *_: ended)
    assert run("train", "resnet-20") == 1
    expected = "error: the training diverged: loss became nan at epoch 1; lower the learning rate\n"
    assert capsys.readouterr().err == expected


def test_unexpected_error_says_how_to_see_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(cli_main, "app", fail)
    assert run("genomes") == 1
    assert capsys.readouterr().err == (
        "error: unexpected KeyError: 'lost' (set NASABLATE_DEBUG=1 to see the traceback)\n"
    )
    monkeypatch.setenv("NASABLATE_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["genomes"])


def test_interrupt_exits_130(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_main, "app", interrupt)
    assert run("genomes") == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_describe_json_has_exact_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("describe", "resnet-20", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["params"] == 269_722
    assert document["flops"] == 2 * document["macs"]


def test_describe_reads_stdin(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("kind: genome\nname: mine\nstages: [{units: 1}]"))
    assert run("describe", "-", "--layers") == 0
    output = capsys.readouterr().out
    assert output.startswith("mine: ")
    assert "stages.0.0.conv1" in output


def test_genomes_lists_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("genomes", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["pyramidnet-110-a48"]["params"] == 1_772_706
    assert run("genomes") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(rows) + 1


def test_genomes_prints_a_preset_as_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("genomes", "lenet-5") == 0
    text = capsys.readouterr().out
    assert load_genome_text(text, "lenet-5") == load_genome("lenet-5")
    assert run("genomes", "lenet-5", "--json") == 0
    assert json.loads(capsys.readouterr().out)["name"] == "lenet-5"
    assert run("genomes", "lenet-6") == 2
    assert "did you mean 'lenet-5'?" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["genome", "search", "recipe"])
def test_schema_describes_its_kind(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema", kind) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["properties"]["kind"]["const"] == kind
    assert document["additionalProperties"] is False


@pytest.mark.parametrize("command", [["studies"], ["trials", "x"], ["dashboard", "--no-browser"]])
def test_missing_database_is_refused(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.db"
    assert run(*command, "--storage", f"sqlite:///{path}") == 2
    assert "there is no database" in capsys.readouterr().err
    assert not path.exists()


def test_bad_search_file_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text("kind: search\nname: bad\nbase: resnet-20\ntrails: 3\n")
    assert run("search", "bad.yaml") == 2
    captured = capsys.readouterr()
    assert "did you mean 'trials'?" in captured.err
    assert captured.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


def test_a_closed_stdin_is_an_empty_genome(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert run("describe", "-") == 2
    assert "<stdin>" in capsys.readouterr().err


@pytest.mark.slow
def test_train_prints_validation_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", "resnet-20", "--epochs", "1") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("resnet-20 on digits: validation error ")
    assert "the test set was not read" in captured.out
    assert "epoch 1/1" in captured.err


SLOW_START = """
import sys, time
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            print("loading", flush=True)
            time.sleep(30)
sys.meta_path.insert(0, Slow())
from nasablate.cli.start import main
main()
"""


def test_ctrl_c_while_the_command_still_loads_shows_no_traceback():
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_START], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:  # fmt: skip
        assert process.stdout.readline() == b"loading\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10)[1] == b""
    assert process.returncode == -signal.SIGINT


def test_what_the_installed_command_runs():
    (found,) = metadata.entry_points(group="console_scripts", name="nasablate")
    assert found.load() is start.main
