"""One tiny deletion study through the real commands: run, report in every form, ensemble."""

import csv
import io
import json
import re

import pytest
from typer.testing import CliRunner

from nasablate.cli.main import app
from nasablate.errors import NasablateError

pytestmark = pytest.mark.slow

FILE = """
kind: deletion
name: tiny
question: Does <it> work?
networks:
  residual: &net
    kind: genome
    stem: {kind: conv3x3, width: 4}
    stages: [{units: 2, stride: 1}, {units: 2, stride: 2}]
    width: 4
    placement: preactivation
    shortcut: {kind: zero_pad, reduce: avg_pool}
    head: {tail: [bn, relu]}
  wide: {base: {kind: genome, stem: {kind: conv3x3, width: 4}, width: 5,
                stages: [{units: 2, stride: 1}, {units: 2, stride: 2}],
                shortcut: {kind: zero_pad, reduce: avg_pool}}}
seeds: 2
training: {recipe: quick, epochs: 1, batch_size: 100}
data: {name: digits, subset: 200}
delete: {random: {counts: [2], repeats: 2}}
reorder: {swaps: [1], repeats: 1}
paths: {samples: 1, images: 10}
""".replace("&net\n", "\n")


def run(*arguments, code=0):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    file, url = folder / "tiny.yaml", f"sqlite:///{folder}/runs/d.db"
    file.write_text(FILE)
    text = run("delete-units", file, "--runner", "inline", "--storage", url)
    return folder, file, url, text


def test_the_command_prints_what_it_found(study):
    text = study[3]
    assert "is undecided" in text
    assert "residual: each unit deleted by itself" in text
    assert "Gradient along paths by their length" in text
    assert "Effective paths: the fewest lengths that together carry 95 % of the gradient" in text
    assert "2 pairs cannot reach p <= 0.05" in " ".join(text.split())


def test_every_form_of_the_report(study):
    folder, _, url, _ = study
    where = ("--storage", url)
    assert "protocol" in run("report", "tiny", *where)
    document = json.loads(run("report", "tiny", "--json", *where))
    assert document["complete"]
    assert [network["name"] for network in document["networks"]] == ["residual", "wide"]
    assert {"units", "random", "orders", "paths"} == set(document["figures"])
    rows = list(csv.DictReader(io.StringIO(run("report", "tiny", "--csv", *where))))
    assert len(rows) == 2 * (1 + 4 + 2 + 1) + 2 * (1 + 4 + 2)  # no two units of wide are alike
    for row in rows:
        if row["kind"] == "intact":
            assert float(row["rise"]) == 0
    page = folder / "r.html"
    run("report", "tiny", "--html", page, "--svg", folder / "p.svg", "--figure", "paths", *where)
    text = page.read_text()
    assert "Does &lt;it&gt; work?" in text
    assert "<it>" not in text
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r'(src|href)="https?:', outside)
    assert "Paths and gradient by length" in (folder / "p.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tiny", "--svg", "f.svg", "--figure", "forest"], "it has units, random, orders, paths"),
        (["tiny.networks"], "nasablate report tiny"),
    ],
)
def test_what_a_deletion_study_has_not_is_refused(study, arguments, message):
    result = CliRunner().invoke(app, ["report", *arguments, "--storage", study[2]])
    assert isinstance(result.exception, NasablateError)
    assert result.exception.exit_code == 2
    assert message in str(result.exception)


def test_ensembles_over_seeds_together_and_of_one_network(study):
    _, _, url, _ = study
    found = json.loads(run("ensemble", "tiny", "--deletions", "--json", "--storage", url))
    names = [(own["what"], len(own["members"])) for own in found["ensembles"]]
    assert names == [("seeds", 2), ("seeds", 2), ("mixed", 4)] + [("one network", 5)] * 4
    report = json.loads(run("report", "tiny", "--json", "--storage", url))
    errors = [network["intact"]["mean"] for network in report["networks"]]
    means = [own["analysis"]["mean_member"]["error"] for own in found["ensembles"]]
    assert means[:2] == pytest.approx(errors)
    assert means[2] == pytest.approx(sum(errors) / 2)
    assert report["ensembles"]["ensembles"] == found["ensembles"]
    assert "ensembles" in report["figures"]
    assert "Error by number of members" in run("report", "tiny", "--storage", url)


def test_an_ensemble_on_the_test_set_is_recorded_once(study):
    from nasablate.store import open_database

    _, _, url, _ = study
    for _ in range(2):
        text = run("ensemble", "tiny", "--part", "test", "--storage", url)
        assert "359 test images" in text or "360 test images" in text
    readings = open_database(url).study("tiny.networks").test_readings()
    assert len(readings) == 4
    assert {reading.purpose for reading in readings} == {"ensemble of trained networks"}


def test_records_go_out_and_come_in_through_the_commands(study):
    folder, file, url, _ = study
    records = folder / "records.csv"
    run("export-study", "tiny", "--to", records, "--storage", url)
    other = f"sqlite:///{folder}/other/d.db"
    run("delete-units", file, "--runner", "inline", "--storage", other, "--from-records", records)
    one = json.loads(run("report", "tiny", "--json", "--storage", url))
    two = json.loads(run("report", "tiny", "--json", "--storage", other))
    assert one["rise_contrasts"] == two["rise_contrasts"]
    assert two["ensembles"] is None  # records hold no weights
    one["figures"].pop("ensembles", None)
    assert one["figures"] == two["figures"]
    result = CliRunner().invoke(app, ["ensemble", "tiny", "--storage", other])
    assert isinstance(result.exception, NasablateError)
    assert "its evaluations came from records.csv, and records hold no weights" in str(
        result.exception
    )
