"""One HTML file around a chart: the drawing, its numbers as a table, and what is not shown."""

# pyright: reportUnknownMemberType=false
# plotly's methods are typed in part only.

from html import escape

from nasablate.figures.chart import Chart, Point
from nasablate.figures.chart_plot import chart_plot
from nasablate.genome.reported import Reported

_STYLE = """
body{font:16px/1.45 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;margin:0 auto;
max-width:1400px;padding:1.5rem;color:#1b1f23;background:#fff;color-scheme:light}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;font-size:.85rem}
th,td{border-bottom:1px solid #d5dade;padding:.3rem .6rem;text-align:left;vertical-align:top}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td:nth-child(-n+2){white-space:nowrap}td:nth-child(7){overflow-wrap:anywhere}.note{color:#57606a;max-width:50rem}
"""
_BUTTONS = ["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""What the page may do: nothing is loaded from elsewhere."""


def chart_page(chart: Chart) -> str:
    """Return the chart as one HTML document that needs no network and no other file."""
    drawing = chart_plot(chart).to_html(
        full_html=False,
        include_plotlyjs=True,
        div_id="chart",
        config={"displaylogo": False, "responsive": True, "modeBarButtons": [_BUTTONS]},
    )
    title = f"{_subject(chart)} against multiply-adds"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f'<p class="note">{escape(_note(chart))}</p>',
        f'<div role="img" aria-label="{escape(title)}; the table below has all numbers">',
        drawing,
        "</div>",
        _missing(chart),
        _table(chart),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _subject(chart: Chart) -> str:
    return chart.y_title.partition(",")[0].partition(" (")[0]


def _note(chart: Chart) -> str:
    sizes = "A marker's area shows " + chart.size_title + "."
    counts = "Parameters, multiply-adds and memory are exact and were counted by nasablate."
    if chart.y != "error":
        return f"{sizes} {counts}"
    return (
        f"{sizes} {counts} Errors are what the sources report: recipes, crops and numbers of runs"
        " differ, so small differences between networks mean nothing. Only errors of one crop are"
        " shown, with costs at the size of that crop."
    )


def _table(chart: Chart) -> str:
    headers = ["network", "image", "multiply-adds", "parameters", "activations, MiB"]
    if chart.y == "error":
        headers += ["top-1 error, %", "reported by"]
    numbers = {2, 3, 4, 5}
    points = sorted(chart.points, key=lambda point: (point.family, point.macs))
    rows = "".join(_row(_cells(chart, point), numbers) for point in points)
    head = _row(headers, numbers, tag="th")
    return f"<h2>The numbers</h2><table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _cells(chart: Chart, point: Point) -> list[str]:
    cells = [
        point.name,
        " × ".join(map(str, point.input)),
        f"{point.macs:,}",
        f"{point.params:,}",
        f"{point.memory_mib:.2f}",
    ]
    if chart.y == "error" and point.reported is not None:
        cells += [f"{point.reported.error_percent:g}", _origin(point.reported)]
        if point.others:
            cells[-1] += ". Also: " + "; ".join(_short(other) for other in point.others)
    return cells


def _origin(row: Reported) -> str:
    return ", ".join(part for part in (row.source, row.how) if part)


def _short(row: Reported) -> str:
    return f"{row.numbers} ({_origin(row)})"


def _row(cells: list[str], numbers: set[int], tag: str = "td") -> str:
    inner = "".join(
        f'<{tag} class="number">{escape(cell)}</{tag}>'
        if place in numbers
        else f"<{tag}>{escape(cell)}</{tag}>"
        for place, cell in enumerate(cells)
    )
    return f"<tr>{inner}</tr>"


def _missing(chart: Chart) -> str:
    if not chart.missing:
        return ""
    items = "".join(
        f"<li><b>{escape(item.name)}</b>: {escape(item.reason)}</li>" for item in chart.missing
    )
    return f"<h2>Not shown</h2><ul>{items}</ul>"
