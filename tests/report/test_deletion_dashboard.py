"""The dashboard of unit deletion, and the desk of such a study."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nasablate.genome import load_dashboard
from nasablate.report.dashboard import dashboard_document, dashboard_page
from nasablate.report.desk import refresh_desk
from nasablate.report.loading import load_any_report
from nasablate.report.shown import Subject
from nasablate.search.deletion import run_deletion
from nasablate.store import open_database
from tests.report.pages import check_page
from tests.search.test_deletion import spec_of

FILE = Path(__file__).parents[2] / "dashboards" / "unit-deletion.yaml"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('deletion')}/runs/d.db"
    run_deletion(spec_of(seeds=1, scale={"factors": [0.5]}), url, "inline")
    return open_database(url)


def test_it_shows_every_unit_with_the_numbers_of_the_table(database):
    subject = Subject("try", load_any_report(database, "try"))
    spec = load_dashboard(FILE)
    page = check_page(dashboard_page(spec, [subject], datetime.now(UTC)))
    document = dashboard_document(spec, [subject])
    panels = {panel["kind"]: panel["studies"] for panel in document["panels"]}
    figure, *each = panels["units"][0]["data"]
    assert [series["name"] for series in figure["series"]] == ["residual", "plain"]
    for series, found in zip(figure["series"], each, strict=True):
        points = {p["label"]: f"{p['y']:.2f}" for p in series["points"]}
        column = found["columns"].index("error %")
        table = {f"without {row[0]}": row[column] for row in found["rows"]}
        assert len(table) > 1
        assert {name: points.get(name, "\N{EN DASH}") for name in table} == table
    assert all(row[0] in page.text("th") for found in each for row in found["rows"])
    assert panels["scale"]
    assert panels["random"]
    assert not panels["paths"]
    json.dumps(document, allow_nan=False)


def test_its_desk_has_note_and_figures(database):
    update = refresh_desk(database, "try")
    assert update.figures >= 1
    assert refresh_desk(database, "try").changed == 0
    refresh_desk(database, "try.networks")
