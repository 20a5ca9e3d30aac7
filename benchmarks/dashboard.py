"""What reports, pinned figures and dashboard pages of a large search cost, in processor seconds.

    python -m benchmarks.dashboard [TRIALS] [FOLDER]

Builds a made-up search of 5,000 trials in one transaction, then measures: the HTML report, the
dashboard ``dashboards/search.yaml``, each figure as it is pinned, a refresh of the desk, and the
pages that ``nasablate dashboard`` serves beside those of stock optuna-dashboard, in turns.
"""

import io
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy
from optuna.distributions import CategoricalDistribution

from nasablate.cli.localhost import LocalOnly
from nasablate.genome import SearchSpec, load_dashboard, load_genome, load_recipe
from nasablate.report import search_drawings
from nasablate.report.dashboard import dashboard_page
from nasablate.report.desk import desk_figure, refresh_desk
from nasablate.report.search import load_search_report
from nasablate.report.search_page import search_page
from nasablate.report.shown import Subject
from nasablate.store import NewTrial, open_database
from nasablate.store.bulk import FinishedTrial
from nasablate.store.tables import EPOCHS

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_EPOCHS = 3
_ROUNDS = 7
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


def measure_report(url: str) -> None:
    """Print what reports and figures cost."""
    database = open_database(url)
    read_at = datetime.now(UTC)
    cost = seconds(lambda: search_page(load_search_report(database, "large"), read_at))
    print(f"HTML report                      {cost:8.2f} s   (wanted: under 15)")
    file = Path(__file__).parents[1] / "dashboards" / "search.yaml"
    subject = Subject("large", load_search_report(database, "large"))
    cost = seconds(lambda: dashboard_page(load_dashboard(file), [subject], read_at))
    print(f"dashboards/search.yaml           {cost:8.2f} s")
    report = load_search_report(database, "large")
    for draw in (search_drawings.history_drawing, search_drawings.sizes_drawing):
        drawing = draw(report)
        assert drawing is not None
        size = 0

        def pin(drawing: Any = drawing) -> None:
            nonlocal size
            size = len(desk_figure(drawing))

        cost = seconds(pin)
        print(f"figure {drawing.key:<25} {cost:8.2f} s   {size / 1000:.0f} kB (wanted: under 1 s)")
    for name in ("first refresh of the desk", "refresh with nothing new"):
        cost = seconds(lambda: refresh_desk(database, "large"))
        print(f"{name:<32} {cost:8.2f} s")
    database.close()


def measure_pages(url: str) -> None:
    """Print what the pages cost, ours and stock in turns."""
    import optuna_dashboard  # pyright: ignore[reportMissingTypeStubs]

    stock: WSGIApplication = optuna_dashboard.wsgi(url)  # pyright: ignore[reportUnknownMemberType]
    ours = LocalOnly(optuna_dashboard.wsgi(url), 8080)  # pyright: ignore[reportUnknownMemberType]
    for path in ("/api/studies", "/api/studies/1", "/dashboard/studies/1"):
        _compare(stock, ours, path)


def _compare(stock: "WSGIApplication", ours: "WSGIApplication", path: str) -> None:
    for application in (stock, ours):
        request(application, path)
    pairs = [
        (seconds(lambda: request(stock, path)), seconds(lambda: request(ours, path)))
        for _ in range(_ROUNDS)
    ]
    one, other = (statistics.median(costs) for costs in zip(*pairs, strict=True))
    ratio = other / one
    print(f"{path:<24} stock {one:7.3f} s  ours {other:7.3f} s  ratio {ratio:.3f}")


def main() -> None:
    """Build and measure."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(scratch)
        url = f"sqlite:///{folder}/large.db"
        if not (folder / "large.db").exists():
            print(f"building {trials:,} trials     {seconds(lambda: build(url, trials)):8.2f} s")
        measure_report(url)
        measure_pages(url)


if __name__ == "__main__":
    main()
