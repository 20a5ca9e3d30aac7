"""Files whose names have HTML, quotes and Korean: they are read and written, and shown as text."""

from xml.etree import ElementTree as ET

import pytest

from nasablate.cli.main import main
from tests.report.pages import check_page
from tests.report.searches import make_wide_search

NASTY = "<b onclick=x>&\"한국어\" 'x'"
GENOME = "kind: genome\nstages: [{units: 1}]\nwidth: 4\n"


def run(*arguments):
    with pytest.raises(SystemExit) as end:
        main(list(map(str, arguments)))
    return end.value.code or 0


def test_a_genome_file_is_drawn_under_its_name(tmp_path):
    file, svg = tmp_path / f"{NASTY}.yaml", tmp_path / f"{NASTY}.svg"
    file.write_text(GENOME)
    assert run("describe", file, "--svg", svg) == 0
    drawn = ET.fromstring(svg.read_text("utf-8"))
    assert f"{NASTY}.yaml" in drawn[0].text
    assert not any("onclick" in name for one in drawn.iter() for name in one.attrib)


def test_networks_of_such_files_are_compared(tmp_path, capsys):
    file = tmp_path / f"{NASTY}.yaml"
    file.write_text(GENOME)
    assert run("describe", "--compare", file, "resnet-20") == 0
    assert f"{NASTY}.yaml" in capsys.readouterr().out


def test_pages_are_written_under_such_names(tmp_path):
    url = make_wide_search(tmp_path)
    dashboard, page = tmp_path / f"{NASTY}.yaml", tmp_path / f"{NASTY}.html"
    dashboard.write_text("kind: dashboard\nname: d\npanels: [{kind: best}, {kind: slice}]\n")
    assert run("report", "wide", "--dashboard", dashboard, "--html", page, "--storage", url) == 0
    text = check_page(page.read_text("utf-8")).text()
    assert "<b>bold</b> \"quoted\" & 'q' </script> 한국어" in text
