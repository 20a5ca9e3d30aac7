"""The forest plot in the manual is what the records of its study give now."""

import csv
import json
from pathlib import Path

from nasablate.figures.forest import forest_data
from nasablate.figures.forest_svg import forest_svg
from nasablate.genome import load_ablation
from tests.figures.ablations import result_of

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "studies/pyramidnet-blocks"


def test_the_figure_in_the_manual_is_what_is_drawn_now():
    spec = load_ablation(STUDY / "reduced.yaml")
    found = {}
    with (STUDY / "records.csv").open(newline="", encoding="utf-8") as file:
        csv.field_size_limit(10**8)
        for row in csv.DictReader(file):
            known = json.loads(row["attributes"])
            tail = row["settings"].split(", ")[-len(spec.factors) :]
            own = dict(part.split("=") for part in tail)
            arm = found.setdefault(known["arm"], (own, int(row["params"]), {}))
            arm[2][known["replicate"]] = float(row["test_error"])
    arms = [
        (name, levels, params, [errors[r] for r in range(spec.seeds)])
        for name, (levels, params, errors) in found.items()
    ]
    drawn = forest_svg(forest_data(result_of(spec, arms), spec.margin))
    assert drawn == (ROOT / "docs/figures/block-variants.svg").read_text(encoding="utf-8")
