"""Figures for papers: every kind of study draws its own as SVG and PDF, with text as text."""

import io
import re
from xml.etree import ElementTree as ET

import pytest

from nasablate.cli.main import main
from nasablate.errors import InputError
from nasablate.figures.numerals import MINUS
from nasablate.figures.pdf import light_styles
from nasablate.figures.plot_svg import STYLE
from nasablate.report.loading import load_any_report
from nasablate.report.printed import first_figure, printed_figures
from nasablate.search.deletion import run_deletion
from nasablate.store import open_database
from tests.report.searches import make_wide_search
from tests.report.studies import make_ablation
from tests.search.test_deletion import spec_of

reportlab = pytest.importorskip("reportlab", reason="the extra 'print' is not installed")


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Return the database and name of a study of each kind."""
    ablation = make_ablation(tmp_path_factory.mktemp("a"))
    search = make_wide_search(tmp_path_factory.mktemp("s"))
    deletion = f"sqlite:///{tmp_path_factory.mktemp('d')}/runs/d.db"
    run_deletion(spec_of(seeds=1, paths={"samples": 2, "images": 20}), deletion, "inline")
    return {"ablation": (ablation, "try"), "search": (search, "wide"),
            "deletion": (deletion, "try")}  # fmt: skip


def report_of(place):
    url, name = place
    return load_any_report(open_database(url), name)


def words(svg):
    return [found.text for found in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("ablation", ["forest", "effects", "interaction", "reported", "curves"]),
        ("search", ["front", "history", "importance", "edf"]),
        ("deletion", ["units", "random", "paths"]),
    ],
)
def test_every_kind_has_its_main_figures(places, kind, keys):
    report = report_of(places[kind])
    for key in keys:
        (svg,) = printed_figures(report, key)
        assert ET.fromstring(svg).get("role") == "img"
    assert first_figure(report) == printed_figures(report, keys[0])[0]
    assert len(printed_figures(report)) >= len(keys)


def test_a_figure_that_a_study_lacks_is_named_with_those_it_has(places):
    with pytest.raises(
        InputError, match="has no figure forest; it has front, history, importance, edf"
    ):
        printed_figures(report_of(places["search"]), "forest")


def test_curves_and_reported_errors_show_the_numbers_of_the_report(places):
    report = report_of(places["ablation"])
    (curves,) = printed_figures(report, "curves")
    assert [f"{c.name} (n = {c.n})" for c in report.curves.curves] == [
        text for text in words(curves) if "(n =" in text
    ]
    (reported,) = printed_figures(report, "reported")
    shown = words(reported)
    for row in report.reported.shown:
        assert f"reported {row.reported_text}" in shown
        assert f"measured {row.measured_text}" in shown


def test_lines_differ_without_colour(places):
    (svg,) = printed_figures(report_of(places["ablation"]), "curves")
    lines = re.findall(r"<polyline[^>]*>", svg)
    dashes = {(re.search(r'stroke-dasharray="([^"]*)"', line) or [0, "none"])[1] for line in lines}
    assert len(dashes) == 4


@pytest.mark.parametrize("kind", ["ablation", "search", "deletion"])
def test_the_command_prints_a_page_per_figure(places, kind, tmp_path, capsys):
    url, name = places[kind]
    target = tmp_path / "f.pdf"
    assert run("report", name, "--pdf", str(target), "--storage", url) == 0
    assert capsys.readouterr().out == f"wrote {target}\n"
    data = target.read_bytes()
    assert data.startswith(b"%PDF-")
    count = len(printed_figures(report_of(places[kind])))
    assert len(re.findall(rb"/Type /Page\b(?!s)", data)) == count
    assert b"/FontFile2" in data


def test_the_same_study_gives_the_same_bytes(places, tmp_path):
    url, name = places["search"]
    for file in ("a.pdf", "b.pdf"):
        assert run("report", name, "--pdf", str(tmp_path / file), "--storage", url) == 0
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_korean_stays_text():
    from nasablate.figures.lines import LinePoint, Lines, Series
    from nasablate.figures.lines_svg import lines_svg
    from nasablate.figures.pdf import figures_pdf
    from nasablate.figures.pdf_fonts import Faces

    runs = Faces().runs(f"기준 {MINUS}1 é \U0010fffd")
    assert "".join(run.text for run in runs).startswith(f"기준 {MINUS}1 é ")
    assert runs[0].text == "기준"
    assert runs[-1].text.endswith("?")
    points = (LinePoint(1, 2), LinePoint(2, 1))
    svg = lines_svg(Lines("k", "학습 곡선", "epoch", "error", (Series("기준", points),), "note"))
    pages = pytest.importorskip("pypdf").PdfReader(io.BytesIO(figures_pdf("t", [svg]))).pages
    assert "학습" in pages[0].extract_text()


def test_only_the_light_look_is_printed():
    styles = light_styles(STYLE)
    assert styles["pl-page"]["fill"] == "#fff"
    assert styles["pl-text"]["fill"] == "#1b1f23"


def test_without_the_extra_the_error_names_it(places, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "reportlab.pdfgen.canvas", None)
    url, name = places["search"]
    assert run("report", name, "--pdf", str(tmp_path / "f.pdf"), "--storage", url) == 2
    assert "pip install 'nasablate[print]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def run(*arguments):
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code or 0
