"""Parts of pages: nothing a study is called can become markup or end a script."""

import json
import re

from plotly.graph_objects import Figure, Scatter

from nasablate.report.markup import Drawing, code_block, figure, items, paragraph, table
from nasablate.report.tables import Gap, Marked, Table, numbers, words
from tests.report.pages import Page

NASTY = "</script></td><img src=x onerror=alert(1)>\"'&"


def test_a_name_cannot_end_the_data_of_a_figure():
    def plot():
        return Figure([Scatter(x=[1], y=[2], name=NASTY)], {"height": 300})

    page = Page(figure(Drawing("a", NASTY, NASTY, NASTY, plot)))
    assert page.of("img") == []
    (block,) = [text for tag, text in page.texts if tag == "script"]
    assert json.loads(block)["data"][0]["name"] == NASTY
    assert page.of("div")[0]["aria-label"] == NASTY


def test_cells_are_words():
    found = Table(NASTY, (*words(NASTY), *numbers("n")), ((NASTY, Gap(NASTY)),))
    page = Page(table(found) + paragraph(NASTY) + code_block(NASTY))
    assert page.of("img") == []
    assert page.text().count(NASTY) == 6
    assert page.of("div")[0]["aria-label"] == NASTY


def test_a_mark_is_read_out_once():
    found = Table("t", words("arm", "verdict"), (("a", Marked("better")),))
    text = table(found)
    assert re.search(r'<span class="sign better" aria-hidden="true">.</span> better</td>', text)


def test_empty_parts_are_nothing():
    assert paragraph("") == items([]) == ""
