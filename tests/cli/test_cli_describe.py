"""``nasablate describe``: tables, comparisons, pictures and charts."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nasablate.cli.describe_text import comparison_text, value_text, widths_text
from nasablate.cli.main import main
from nasablate.cli.writing import write_file
from nasablate.errors import SpecError
from nasablate.genome import genome_presets, load_genome, load_genome_text
from tests.permissions import as_mere_mortal

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["describe", *arguments])
    code = end.value.code
    return code if isinstance(code, int) else 0


def refuses(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(*arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_preset_shows_what_is_reported_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("resnet-20") == 0
    text = capsys.readouterr().out
    assert "reported by others, not measured here:" in text
    assert "cifar10  top-1 8.75 %" in text
    assert "arXiv 1512.03385 Table 6" in text
    assert max(map(len, text.splitlines())) <= 110


def test_a_file_shows_no_reported_numbers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "kind: genome\nname: resnet-20\nstages: [{units: 1}]\n"
    (here / "resnet-20.yaml").write_text(text, encoding="utf-8")
    assert run("resnet-20.yaml") == 0
    assert "reported" not in capsys.readouterr().out
    assert run("resnet-20.yaml", "--json") == 0
    assert json.loads(capsys.readouterr().out)["reported"] == []


def test_json_has_the_reported_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("resnet-34", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["reported"]
    assert (rows[0]["top1"], rows[0]["crops"], rows[0]["status"]) == (24.52, 10, "read")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--compare", "resnet-20", "resnet-32"],
        ["resnet-20", "--compare", "resnet-32"],
        ["resnet-20", "resnet-32", "--compare"],
    ],
)
def test_compare_reads_as_it_is_said(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("resnet-20 and resnet-32: different networks, digests 5d52504d0f1f")
    assert "stages.0.units  3          5" in lines
    rows = [line.split() for line in lines]
    assert ["params", "resnet-32", "464,154", "+194,432", "1.721"] in rows


def test_compare_takes_files_stdin_and_more_than_two(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "kind: genome\nname: tiny\nstages: [{units: 1}]\n"
    (here / "tiny.yaml").write_text(text, encoding="utf-8")
    with (here / "tiny.yaml").open(encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert run("--compare", "tiny.yaml", "-", "resnet-20", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [network["name"] for network in found["networks"]] == ["tiny.yaml", "tiny", "resnet-20"]
    assert found["networks"][0]["digest"] == found["networks"][1]["digest"]
    assert found["same_network"] is False


def test_a_comparison_says_which_networks_are_the_same(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "kind: genome\nstages: [{units: 1}]\n"
    for name in ("a", "b"):
        (here / f"{name}.yaml").write_text(f"{text}name: {name}\n", encoding="utf-8")
    assert run("--compare", "a.yaml", "b.yaml") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a.yaml and b.yaml: the same network, digest ")
    assert "genomes: no difference" in lines
    assert run("--compare", "a.yaml", "b.yaml", "resnet-20") == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("a.yaml, b.yaml and resnet-20: 2 different networks; digest ")
    assert "is a.yaml, b.yaml;" in first


def test_a_comparison_shows_width_profiles_and_absent_stages() -> None:
    from nasablate.blueprint.compare import compare

    names = ["resnet-18", "pyramidnet-110-a48"]
    lines = comparison_text(compare([load_genome(name) for name in names], names)).splitlines()
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in lines if line}
    assert rows["stages.0", "pyramidnet-110-a48"][6:9] == ["17", "..", "32"]
    assert rows["stages.3", "pyramidnet-110-a48"] == ["-"] * 5


def test_the_manual_shows_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    manual = (ROOT / "docs" / "describe.md").read_text(encoding="utf-8")
    block = manual.partition("$ nasablate describe ")[2].partition("```")[0]
    command, _, shown = block.partition("\n")
    assert run(*command.split()) == 0
    assert capsys.readouterr().out == shown


def test_values_and_widths_are_short() -> None:
    assert value_text([1.5, True, None, "x"]) == "[1.5, true, null, x]"
    assert len(value_text(list(range(500)))) == 120
    assert widths_text([64, 128, 32, 64]) == "64 .. 64, 32 at least, 128 at most"
    assert widths_text([64]) == "64"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--compare", "resnet-20"], ["--compare needs two", "'resnet-20'"]),
        (["resnet-20", "resnet-32"], ["add --compare or --chart"]),
        (["resnet-20", "resnet-32", "--layers"], ["add --compare or --chart"]),
        (["resnet-20", "resnet-32", "--svg", "x.svg"], ["add --compare or --chart"]),
        (["resnet-20", "--layers", "--svg", "x.svg"], ["--layers and --svg", "choose one"]),
        (["resnet-20", "--y", "params"], ["--y is for charts", "--chart FILE.html"]),
        (["resnet-20", "--compare", "resnet-32", "--size", "memory"], ["--size is for charts"]),
        (["--compare", "-", "-"], ["read once"]),
        (["--compare", "resnet-20", "resnet-21"], ["no genome preset", "did you mean"]),
        (["--chart", "x.html", "resnet-20", "--y", "depth"], ["--y", "depth"]),
        (["--chart", "x.html", "resnet-20", "resnet-50"], ["CIFAR: resnet-20"]),
        (["--chart", "x.html", "resnet-20", "--dataset", "imagenet"], ["--dataset is imagenet"]),
        (["--chart", "x.html", "resnet-20-b"], ["not available", "--y params"]),
    ],
)
def test_wrong_usage_exits_2_and_writes_nothing(
    arguments: list[str], words: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refuses(capsys, *arguments)
    assert all(word in message for word in words), message
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("option", ["--svg", "--chart"])
def test_bad_paths_are_refused_before_any_work(
    option: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suffix = {"--svg": ".svg", "--chart": ".html"}[option]
    (here / f"folder{suffix}").mkdir()
    os.mkfifo(here / f"pipe{suffix}")
    cases = {
        "mine.yaml": f"must end in {suffix}",
        "resnet-20": f"write resnet-20{suffix}",
        f"none/x{suffix}": "its folder does not exist",
        f"folder{suffix}": "is no regular file",
        f"pipe{suffix}": "is no regular file",
        "x" * 300 + suffix: "too long",
    }
    for path, words in cases.items():
        message = refuses(capsys, "resnet-20", option, path)
        assert words in message
        assert option in message
    assert sorted(item.name for item in here.iterdir()) == [f"folder{suffix}", f"pipe{suffix}"]


def test_a_folder_without_permission_is_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = here / "locked"
    locked.mkdir(mode=0o500)
    with as_mere_mortal():
        assert "permission denied" in refuses(capsys, "resnet-20", "--svg", "locked/x.svg")


def test_a_file_is_written_whole_or_not_at_all(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = here / "x.svg"
    write_file(target, "old", "--svg")

    def fail(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(SpecError, match=r"cannot be written .no space left"):
        write_file(target, "new", "--svg")
    assert target.read_text(encoding="utf-8") == "old"
    assert list(here.iterdir()) == [target]


def test_a_link_is_written_through_and_permissions_are_the_usual(here: Path) -> None:
    (here / "real.svg").write_text("old", encoding="utf-8")
    (here / "link.svg").symlink_to("real.svg")
    write_file(here / "link.svg", "new \ud800", "--svg")
    assert (here / "link.svg").is_symlink()
    assert (here / "real.svg").read_text(encoding="utf-8") == "new ?"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((here / "real.svg").stat().st_mode) == 0o666 & ~umask


def test_a_picture_is_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pyramidnet-110-a48", "--svg", "p.svg") == 0
    assert capsys.readouterr().out == "wrote p.svg\n"
    assert ET.parse(here / "p.svg").getroot().get("role") == "img"
    assert run("pyramidnet-110-a48", "--svg", "p.svg", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["written"], len(found["units"])) == ("p.svg", 54)


def test_a_chart_is_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--chart", "c.html", "resnet-20", "resnet-20", "resnet-110", "resnet-20-b") == 0
    assert capsys.readouterr().out.splitlines() == [
        "wrote c.html with 2 networks",
        "not shown: resnet-20-b: no reported error on CIFAR-10: not available",
    ]
    assert "resnet-110" in (here / "c.html").read_text(encoding="utf-8")
    options = ["--y", "params", "--size", "memory", "--json"]
    assert run("resnet-20", "resnet-20-b", "--chart", "c.html", *options) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["y"], found["size"], len(found["points"])) == ("params", "memory", 2)


def test_custom_units_are_drawn_with_permission(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "mine.py").write_text(
        "from torch import nn\n\n"
        "class Mine(nn.Sequential):\n"
        "    def __init__(self, inputs, outputs, stride):\n"
        "        super().__init__(nn.Conv2d(inputs, outputs, 3, stride, 1))\n",
        encoding="utf-8",
    )
    (here / "g.yaml").write_text(
        "kind: genome\nstages: [{units: 2}]\nunit: {kind: custom, class: 'mine:Mine'}\n",
        encoding="utf-8",
    )
    assert "--allow-code" in refuses(capsys, "g.yaml", "--svg", "g.svg")
    assert run("g.yaml", "--svg", "g.svg", "--allow-code") == 0
    assert "mine:Mine" in (here / "g.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["resnet-20"], []),
        (["--compare", "resnet-20", "resnet-32"], []),
        (["resnet-20", "--svg", "x.svg"], []),
        (["resnet-20", "--chart", "x.html"], ["plotly"]),
    ],
)
def test_nothing_heavy_is_loaded(arguments: list[str], loaded: list[str], here: Path) -> None:
    code = (
        "import sys\n"
        "from nasablate.cli.main import main\n"
        f"try: main(['describe', *{arguments!r}])\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = ['torch', 'ray', 'optuna', 'plotly', 'sqlalchemy']\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == str(loaded)


def test_set_edits_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("resnet-20", "--set", "width=32", "--set", "stages.*.units=1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["reported"]) == ("resnet-20*", [])
    assert [row["output"][0] for row in found["units"][1:4]] == [32, 64, 128]
    assert run("--compare", "resnet-20", "resnet-32", "--set", "placement=preactivation") == 0
    assert capsys.readouterr().out.startswith("resnet-20* and resnet-32*: different networks")


@pytest.mark.parametrize(
    ("setting", "fragment"),
    [
        ("width", "is no PATH=VALUE"),
        ("=3", "is no PATH=VALUE"),
        ("widht=3", "did you mean 'width'?"),
        ("width=wide", "width = 'wide'"),
        ("width=[1", "its value is no YAML"),
        ("width=1\n2: 3", "its value is no YAML"),
        ("unit.cardinality=2", "set the kind too"),
        ("stages.9.units=2", "the list has 3 items"),
    ],
)
def test_a_wrong_setting_is_refused(
    setting: str, fragment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refuses(capsys, "resnet-20", "--set", setting)
    assert fragment in error
    assert error.count("\n") == 1


def test_two_settings_of_one_path_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "twice" in refuses(capsys, "resnet-20", "--set", "width=1", "--set", "width=2")
    assert "--lecture and --yaml" in refuses(capsys, "resnet-20", "--yaml", "--lecture")


def test_an_edited_preset_becomes_a_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "classes=7", "--set", "head.hidden=[9, 8]"]
    assert run("vgg-16-c", *settings, "--yaml") == 0
    (here / "mine.yaml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert run("--compare", "mine.yaml", "vgg-16-c", *settings) == 0
    assert "the same network" in capsys.readouterr().out.splitlines()[0]


def test_every_preset_is_the_same_as_its_yaml() -> None:
    for name in genome_presets():
        genome = load_genome(name)
        assert load_genome_text(genome.yaml_text(), name) == genome, name
