"""What the page on dashboards says of costs is what was measured."""

from benchmarks import dashboard
from benchmarks.measuring import kept


def test_the_table_is_that_of_the_kept_numbers():
    found = kept("dashboard")
    assert found is not None
    text = dashboard.DOCS.read_text(encoding="utf-8")
    shown = text.split(dashboard.BEGIN)[1].split(dashboard.END)[0]
    assert shown.strip() == dashboard.table(found)


def test_what_was_measured_keeps_the_promises():
    found = kept("dashboard")
    assert found["trials"] >= 5000
    assert found["report"] < 15
    assert max(figure["seconds"] for figure in found["figures"].values()) < 1
    assert found["report_trials"] == 500
    assert found["report_bytes"] <= 3e6
