"""What is written on stdout."""

import json
import math

import pytest

from nasablate.cli.output import format_table, write_json


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"b": [math.nan, 1.5], "a": (math.inf, None)})
    text = capsys.readouterr().out
    assert json.loads(text) == {"a": [None, None], "b": [None, 1.5]}
    assert text.index('"a"') < text.index('"b"')


def test_table_aligns_numbers_right_and_shows_what_is_absent() -> None:
    text = format_table(["unit", "error"], [["basic", 12.5], ["x", None], ["y", math.nan]])
    assert text.splitlines() == ["unit   error", "basic  12.50", "x          -", "y          -"]


def test_a_cell_stays_in_its_row() -> None:
    text = format_table(["class", "train"], [["line\nbreak", 3], ["été", 4]])
    assert text.splitlines() == ["class        train", "line\\nbreak      3", "été              4"]
