"""Pages in a real browser: nothing goes wrong, figures are drawn, everybody can read them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from nasablate.cli.report_files import page_of
from nasablate.genome import load_dashboard
from nasablate.report.dashboard import dashboard_page
from nasablate.report.loading import load_any_report
from nasablate.report.shown import Subject
from nasablate.search.deletion import run_deletion
from nasablate.store import open_database
from tests.report.browser import CHROMIUM, Browser, axe_script
from tests.report.searches import make_wide_search
from tests.report.studies import make_ablation
from tests.search.test_deletion import spec_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
DASHBOARDS = {
    "compare-spaces": "search", "one-network": "deletion", "paper-ablation": "ablation",
    "search": "search", "unit-deletion": "deletion",
}  # fmt: skip
"""By the file's name the study that it is rendered for."""
PAGES = ("ablation", "search", "deletion", *(f"dashboard-{name}" for name in DASHBOARDS))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Write the report of a study of each kind, and every dashboard."""
    folder = tmp_path_factory.mktemp("pages")
    deletion = f"sqlite:///{folder}/runs/d.db"
    asked = {"scale": {"factors": [0.5]}, "paths": {"samples": 2, "images": 20},
             "reorder": {"swaps": [1], "repeats": 1}}  # fmt: skip
    run_deletion(spec_of(seeds=1, **asked), deletion, "inline")
    urls = {"ablation": (make_ablation(folder), "try"), "deletion": (deletion, "try"),
            "search": (make_wide_search(folder), "wide")}  # fmt: skip
    reports = {kind: load_any_report(open_database(url), name)
               for kind, (url, name) in urls.items()}  # fmt: skip
    for kind, report in reports.items():
        (folder / f"{kind}.html").write_text(page_of(report), "utf-8")
    for name, kind in DASHBOARDS.items():
        spec = load_dashboard(Path(__file__).parents[2] / "dashboards" / f"{name}.yaml")
        page = dashboard_page(spec, [Subject(urls[kind][1], reports[kind])], datetime.now(UTC))
        (folder / f"dashboard-{name}.html").write_text(page, "utf-8")
    return folder


def test_every_dashboard_is_looked_at():
    files = Path(__file__).parents[2].glob("dashboards/*.yaml")
    assert {file.stem for file in files} == DASHBOARDS.keys()


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.mark.parametrize("look", ["light", "dark", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_figures_are_drawn_without_trouble_and_nothing_is_cut_off(browser, pages, name, look):
    width = 375 if look == "narrow" else 1280
    browser.open(pages / f"{name}.html", width=width, dark=look == "dark")
    assert browser.troubles == []
    undrawn = "[...document.querySelectorAll('.plot')].filter(p => !p.querySelector('.main-svg'))"
    assert browser.evaluate("document.querySelectorAll('.plot').length") >= 2
    assert browser.evaluate(f"{undrawn}.length") == 0
    assert browser.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.skipif(axe_script() is None, reason="axe-core is not there; the dev extra has it")
@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser, pages, name, look):
    browser.open(pages / f"{name}.html", dark=look == "dark")
    browser.evaluate(f"{axe_script()};0")
    rules = "{runOnly: ['color-contrast']}" if look == "dark" else "{}"  # the rest is the same
    found = browser.evaluate(
        f"axe.run({rules}).then(r => r.violations.map(v => [v.id, v.impact, v.nodes[0].html]))"
    )
    assert found == []


@pytest.mark.parametrize("name", ["ablation", "search", "deletion", "dashboard-search"])
def test_the_printed_page_has_all_that_was_folded_up(browser, pages, name):
    pypdf = pytest.importorskip("pypdf", reason="pypdf reads what was printed")
    path = pages / f"{name}.html"
    browser.open(path)
    printed = path.with_suffix(".pdf")
    printed.write_bytes(browser.print())
    reader = pypdf.PdfReader(printed)
    assert 2 <= len(reader.pages) <= 40
    title = browser.evaluate("document.querySelector('h1').textContent")
    assert title in reader.pages[0].extract_text()


def test_without_scripts_numbers_and_still_pictures_stay(browser, pages):
    browser.open(pages / "ablation.html", scripts=False)
    text = browser.evaluate("document.body.innerText")
    assert "Results" in text
    assert browser.evaluate("document.querySelectorAll('noscript svg').length") >= 1
    assert browser.troubles == []
