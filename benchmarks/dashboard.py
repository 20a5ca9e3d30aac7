"""What reports, pinned figures and dashboard pages of a large search cost, in processor seconds.

    python -m benchmarks.dashboard [--write] [--folder FOLDER] [--trials 5000]

Builds made-up searches in one transaction each, then measures: the HTML report, the dashboard
``dashboards/search.yaml``, each figure as it is pinned, a refresh of the desk, and the pages that
``nasablate dashboard`` serves beside those of stock optuna-dashboard, in turns; and the size of the
report of 500 trials. ``--write`` keeps the numbers in ``results/dashboard.json``, and the table of
them in docs/dashboards.md, which a test compares.
"""

import argparse
import io
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy
from optuna.distributions import CategoricalDistribution

from benchmarks.measuring import keep, kept, machine_text, ratios, spread
from nasablate.cli.localhost import LocalOnly
from nasablate.figures.plot_style import plotly_script
from nasablate.genome import SearchSpec, load_dashboard, load_genome, load_recipe
from nasablate.report.dashboard import dashboard_page
from nasablate.report.desk import desk_figure, refresh_desk
from nasablate.report.panel_drawings import search_drawings
from nasablate.report.search import SearchReport, load_search_report
from nasablate.report.search_page import search_page
from nasablate.report.shown import Subject
from nasablate.store import NewTrial, open_database
from nasablate.store.bulk import FinishedTrial
from nasablate.store.tables import EPOCHS

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_EPOCHS = 3
_ROUNDS = 7
_REPORT_TRIALS = 500
PAGES = {
    "/api/studies": "list of studies, served",
    "/api/studies/1": "data of the study's page",
    "/dashboard/studies/1": "the page itself",
}
DOCS = Path(__file__).resolve().parents[1] / "docs" / "dashboards.md"
BEGIN, END = "<!-- benchmarks.dashboard -->", "<!-- end -->"
_AXES: dict[str, tuple[Any, ...]] = {
    "width": (8, 12, 16, 24, 32),
    "stages.0.units": (1, 2, 3),
    "placement": ("original", "preactivation", "pyramid"),
    "unit.kind": ("basic", "bottleneck"),
}


def build(url: str, trials: int) -> None:
    """Make a search of complete trials with plausible errors."""
    base, recipe = load_genome("resnet-20"), load_recipe({"recipe": "quick", "epochs": _EPOCHS})
    spec = SearchSpec.parse(
        {
            "name": "large",
            "base": base.document(),
            "axes": {name: {"choice": list(values)} for name, values in _AXES.items()},
            "training": recipe.document(),
            "data": "digits",
            "trials": trials,
        }
    )
    database = open_database(url)
    attributes = {"kind": "search", "spec": spec.readable_json(), "data_fingerprint": "made up"}
    study = database.create(spec.name, {"val_error": "minimize"}, attributes)
    draw = random.Random(0)  # noqa: S311
    distributions = {name: CategoricalDistribution(values) for name, values in _AXES.items()}
    rows: list[FinishedTrial] = []
    epochs: list[dict[str, Any]] = []
    for number in range(trials):
        params = {name: draw.choice(values) for name, values in _AXES.items()}
        error = 20 - params["width"] / 4 - params["stages.0.units"] + draw.gauss(0, 1)
        size = 8000 * params["width"] * params["stages.0.units"]
        known = {
            "genome": base.readable_json(), "recipe": recipe.readable_json(), "params": size,
            "macs": 90 * size, "activation_bytes": 4 * size, "seed": 0, "epochs": _EPOCHS,
            "manifest": json.dumps({"device": "made up", "packages": {"torch": "none"}}),
        }  # fmt: skip
        rows.append(FinishedTrial(NewTrial(params, distributions, known), error))
        for epoch in range(1, _EPOCHS + 1):
            value = error + 10 * (_EPOCHS - epoch)
            epochs.append(
                {"study": spec.name, "trial": number, "epoch": epoch, "train_loss": 1.0,
                 "train_error": value, "val_loss": 1.0, "val_error": value, "lr": 0.1,
                 "seconds": 1.0}
            )  # fmt: skip
    began = datetime.now() - timedelta(hours=1)  # noqa: DTZ005 - Optuna keeps local time
    study.bulk.add(rows, began)
    spread = sqlalchemy.text(
        "UPDATE trials SET"
        " datetime_start = datetime(datetime_start, '+' || (number / 4) || ' seconds'),"
        " datetime_complete = datetime(datetime_start, '+' || (number / 4 + 1) || ' seconds')"
    )
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(EPOCHS.insert(), epochs)
        connection.execute(spread)
    engine.dispose()
    database.close()


def seconds(work: Callable[[], object]) -> float:
    """Return the processor seconds that some work takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def request(application: "WSGIApplication", path: str) -> bytes:
    """Return what an application answers."""
    environment: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "after=0",
        "SERVER_NAME": "localhost", "SERVER_PORT": "8080", "HTTP_HOST": "localhost:8080",
        "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
    }  # fmt: skip
    status: list[str] = []

    def start(found: str, *_: object) -> Callable[[bytes], object]:
        status.append(found)
        return lambda _: None

    body = b"".join(application(environment, start))
    assert status[0].startswith("200"), (path, status, body[:200])
    return body


def measure_report(url: str) -> dict[str, Any]:
    """Return what reports, figures and refreshes cost, in processor seconds."""
    database = open_database(url)
    read_at = datetime.now(UTC)
    found: dict[str, Any] = {
        "report": seconds(lambda: search_page(load_search_report(database, "large"), read_at))
    }
    file = Path(__file__).parents[1] / "dashboards" / "search.yaml"
    subject = Subject("large", load_search_report(database, "large"))
    found["dashboard"] = seconds(lambda: dashboard_page(load_dashboard(file), [subject], read_at))
    found["figures"] = figures_cost(load_search_report(database, "large"))
    names = ("first refresh", "refresh with nothing new")
    found |= {name: seconds(lambda: refresh_desk(database, "large")) for name in names}
    database.close()
    return found


def figures_cost(report: SearchReport) -> dict[str, dict[str, float]]:
    """Return the processor seconds of each pinned figure, its data included, and its kilobytes."""
    assert report.completed
    found: dict[str, dict[str, float]] = {}
    drawings = search_drawings(report)
    while True:
        began = time.process_time()
        drawing = next(drawings, None)
        if drawing is None:
            return found
        text = desk_figure(drawing)
        cost = time.process_time() - began
        found[drawing.key] = {"seconds": cost, "kilobytes": len(text.encode()) / 1000}


def report_bytes(url: str) -> int:
    """Return the size of a report without the plotting script."""
    database = open_database(url)
    page = search_page(load_search_report(database, "large"), datetime.now(UTC))
    database.close()
    return len(page.encode()) - len(plotly_script().encode())


def measure_pages(url: str) -> dict[str, dict[str, list[float]]]:
    """Return what the pages cost, ours and stock in turns."""
    import optuna_dashboard  # pyright: ignore[reportMissingTypeStubs]

    stock: WSGIApplication = optuna_dashboard.wsgi(url)  # pyright: ignore[reportUnknownMemberType]
    ours = LocalOnly(optuna_dashboard.wsgi(url), 8080)  # pyright: ignore[reportUnknownMemberType]
    return {path: _compare(stock, ours, path) for path in PAGES}


def _compare(
    stock: "WSGIApplication", ours: "WSGIApplication", path: str
) -> dict[str, list[float]]:
    for application in (stock, ours):
        request(application, path)
    pairs = [
        (seconds(lambda: request(stock, path)), seconds(lambda: request(ours, path)))
        for _ in range(_ROUNDS)
    ]
    one, other = (list(costs) for costs in zip(*pairs, strict=True))
    return {"stock": one, "ours": other}


def table(found: dict[str, Any]) -> str:
    """Return the numbers as the Markdown of docs/dashboards.md."""
    figures = found["figures"].values()
    costs = [figure["seconds"] for figure in figures]
    sizes = [figure["kilobytes"] for figure in figures]
    lines = [
        f"| what, at {found['trials']:,} trials | processor seconds |",
        "|---|---|",
        f"| HTML report | {found['report']:.1f} |",
        f"| `dashboards/search.yaml` | {found['dashboard']:.1f} |",
        f"| each of {len(costs)} figures made ready to be pinned, {min(sizes):.0f} to"
        f" {max(sizes):.0f} kB | {min(costs):.2f} to {max(costs):.2f} |",
        f"| first refresh of the desk | {found['first refresh']:.1f} |",
        f"| refresh with nothing new | {found['refresh with nothing new']:.1f} |",
    ]
    for path, name in PAGES.items():
        page = found["pages"][path]
        stock, ours = (statistics.median(page[key]) for key in ("stock", "ours"))
        ratio = spread(ratios(page["ours"], page["stock"]))
        lines.append(f"| {name} | {stock:.3f} stock, {ours:.3f} ours, ratio {ratio} |")
    size = found["report_bytes"] / 1e6
    last = f"The report of {found['report_trials']} trials has {size:.2f} MB besides the script."
    lines += ["", last, "", f"Measured on {machine_text(found['machine'])}."]
    return "\n".join(lines)


def write_docs(found: dict[str, Any]) -> None:
    """Put the table where the page has it."""
    text = DOCS.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    DOCS.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Build and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=5000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        url, small = f"sqlite:///{folder}/large.db", f"sqlite:///{folder}/small.db"
        for path, trials in ((url, asked.trials), (small, _REPORT_TRIALS)):
            if not Path(path.removeprefix("sqlite:///")).exists():
                build(path, trials)
        found = {"trials": asked.trials, **measure_report(url), "pages": measure_pages(url),
                 "report_trials": _REPORT_TRIALS, "report_bytes": report_bytes(small)}  # fmt: skip
    if asked.write:
        keep("dashboard", found)
        found = kept("dashboard") or found
        write_docs(found)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
