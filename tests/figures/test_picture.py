"""The picture of a network: well-formed, within its frame, and nothing on top of something else.

``NASABLATE_REGOLD=1`` draws the manual's pictures again.
"""

import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nasablate.blueprint import lower
from nasablate.figures.outline import outline
from nasablate.figures.picture import count, picture
from nasablate.figures.svg import text_width
from nasablate.genome import Genome, genome_presets, load_genome

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
NAMES = [
    "resnet-20", "resnet-110", "pyramidnet-110-a48", "pyramidnet-272-a200", "resnet-50",
    "resnest-50", "preactresnet-1001", "resnet-1202", "plain-34", "seresnet-50", "rexnet-1.0",
    "res2net-50-26w8s", "resnet-110-exclusive-gating", "resnest-269", "senet-154",
]  # fmt: skip
SIZES = {"na-name": 20, "na-inside": 11, "na-sign": 14}


def drawn(name: str) -> ET.Element:
    return ET.fromstring(picture(outline(lower(load_genome(name)), name)))


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "0"))


def text_boxes(root: ET.Element) -> list[tuple[str, float, float, float, float]]:
    """Words with left, right, top and bottom."""
    boxes = []
    for element in root.iter(f"{SVG}text"):
        classes = (element.get("class") or "").split()
        size = next((SIZES[name] for name in classes if name in SIZES), 12)
        words = element.text or ""
        width, x, y = text_width(words, size), number(element, "x"), number(element, "y")
        if {"na-middle", "na-inside", "na-sign"} & set(classes):
            x -= width / 2
        elif "na-end" in classes:
            x -= width
        boxes.append((words, x, x + width, y - 0.8 * size, y + 0.2 * size))
    return boxes


def rectangles(root: ET.Element, *classes: str) -> list[tuple[float, ...]]:
    return [
        (number(item, "x"), number(item, "x") + number(item, "width"),
         number(item, "y"), number(item, "y") + number(item, "height"))
        for item in root.iter(f"{SVG}rect")
        if item.get("class") in classes
    ]  # fmt: skip


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


@pytest.mark.parametrize("name", NAMES)
def test_words_do_not_overlap_and_stay_within_the_frame(name):
    root = drawn(name)
    width, height = number(root, "width"), number(root, "height")
    boxes = text_boxes(root)
    for index, (words, *box) in enumerate(boxes):
        assert box[0] >= 0, words
        assert box[1] <= width, words
        assert 0 <= box[2] < box[3] <= height, words
        clash = [other for other, *rest in boxes[index + 1 :] if overlap(box, rest)]
        assert clash == [], words


@pytest.mark.parametrize("name", NAMES)
def test_boxes_of_layers_do_not_overlap_and_hold_their_words(name):
    root = drawn(name)
    boxes = rectangles(root, "na-box", "na-small")
    assert boxes
    for index, box in enumerate(boxes):
        assert [other for other in boxes[index + 1 :] if overlap(box, other)] == []
        assert box[1] <= number(root, "width")
        assert box[3] <= number(root, "height")


@pytest.mark.parametrize("name", genome_presets())
def test_every_preset_can_be_drawn(name):
    root = drawn(name)
    assert root.tag == f"{SVG}svg"
    assert 1000 <= number(root, "width") <= 1600
    assert number(root, "height") <= 2400


def test_it_says_what_it_is_to_those_who_do_not_see_it():
    root = drawn("resnet-110")
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "resnet-110" in (title.text or "")
    assert "Stage 1: 18 units, 16 x 16, 32 to 32 channels" in (description.text or "")


def bars(root: ET.Element) -> list[ET.Element]:
    return [item for item in root.iter(f"{SVG}rect") if item.find(f"{SVG}title") is not None]


def test_every_unit_is_a_bar_as_high_as_it_is_wide():
    found = bars(drawn("pyramidnet-110-a48"))
    heights = [number(bar, "height") for bar in found]
    assert len(found) == 54
    assert heights == sorted(heights)
    assert heights[0] / heights[-1] == pytest.approx(17 / 64, abs=0.001)
    steps = [number(bar, "height") for bar in bars(drawn("resnet-110"))]
    assert len(set(steps)) == 3
    assert steps[18] == pytest.approx(2 * steps[17], abs=0.02)


def test_bars_stand_side_by_side_in_order():
    for name in ("resnet-20", "preactresnet-1001", "resnest-269"):
        found = bars(drawn(name))
        edges = [(number(bar, "x"), number(bar, "x") + number(bar, "width")) for bar in found]
        assert all(one[1] <= other[0] + 0.02 for one, other in pairwise(edges))


def test_units_too_narrow_to_see_are_drawn_as_one_area():
    found = bars(drawn("resnet-1202"))
    assert len(found) == 5
    titles = [bar.findtext(f"{SVG}title") or "" for bar in found]
    assert "199 more like it" in titles[0]


def test_kinds_of_shortcuts_look_different_without_colour():
    root = drawn("resnet-50")
    looks = {bar.get("class") or bar.get("fill") for bar in bars(root)}
    assert looks == {"na-a", "url(#resnet-50-na-c)"}
    assert root.find(f".//{SVG}pattern[@id='resnet-50-na-c']") is not None


def test_names_cannot_break_the_document():
    blueprint = lower(load_genome("resnet-20"))
    text = picture(outline(blueprint, 'a<b>&"\x1b]0;\ud800'))
    ET.fromstring(text)
    assert "<b>" not in text
    assert "\x1b" not in text
    text.encode("utf-8")


def test_a_long_name_stays_within_the_frame():
    root = ET.fromstring(picture(outline(lower(load_genome("resnet-20")), "W" * 300)))
    assert max(box[2] for box in text_boxes(root)) <= number(root, "width")


def test_style_and_names_do_not_leak_into_a_page():
    text = picture(outline(lower(load_genome("resnet-20")), "resnet-20"))
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert set(re.findall(r"\.(\w+-\w+)\{", style)) == set(re.findall(r"\.(na-\w+)\{", style))
    assert "prefers-color-scheme:dark" in style
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_many_forms_of_units_are_cut_with_a_word():
    found = outline(lower(load_genome("resnet-50")), "resnet-50")
    text = picture(replace(found, forms=found.forms * 4))
    assert "2 more forms of units are not drawn" in text
    assert "more forms" not in picture(found)


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "pictures").glob("*.svg")))
def test_pictures_in_the_manual_are_what_is_drawn_now(path):
    text = picture(outline(lower(load_genome(path.stem)), path.stem))
    if os.environ.get("NASABLATE_REGOLD"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_thousands_of_short_runs_are_not_named():
    widths = [16 + (unit // 2) for unit in range(2000)]
    genome = Genome.parse(
        {"stages": [{"units": 2000 // 2}] * 2, "widening": {"kind": "explicit", "widths": widths}}
    )
    found = outline(lower(genome), "long")
    assert len(found.runs) > 1000
    words = [box[0] for box in text_boxes(ET.fromstring(picture(found)))]
    assert not {"A", "B"} & set(words)


def test_counts_are_short():
    assert [count(number) for number in (7, 999, 1000, 999_600, 12_345_678, 10**14)] == [
        "7", "999", "1 k", "1 M", "12.3 M", "100 T",
    ]  # fmt: skip
