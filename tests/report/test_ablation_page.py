"""The HTML report of an ablation: whole, safe, readable, and right."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime

import pytest

from nasablate.figures.plot_style import plotly_script
from nasablate.report.ablation import load_ablation_report
from nasablate.report.ablation_page import ablation_page
from nasablate.store import open_database
from tests.report.pages import check_page
from tests.report.studies import Fate, Plan, make_ablation

MOMENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
MOST = 3 * 2**20


def text_of(folder, plan=None):
    database = open_database(make_ablation(folder, plan))
    text = ablation_page(load_ablation_report(database, (plan or Plan()).name), MOMENT)
    database.close()
    return text


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return text_of(tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    fates = {
        ("bn=with", 2): Fate("fail", 1, "loss became <nan> at epoch 2"),
        ("relu=remove", 5): Fate("running", 1),
        ("relu=remove", 6): Fate("waiting", 1),
        ("relu=remove, bn=with", 6): None,
    }
    manifests = {3: {"device": "cuda: another device"}}
    return text_of(tmp_path_factory.mktemp("broken"), Plan(fates=fates, manifests=manifests))


def test_it_is_one_safe_readable_file(finished, broken):
    for text in (finished, broken):
        check_page(text)
        assert len(text.encode()) < len(plotly_script().encode()) + MOST
        assert text.count(plotly_script()) == 1


def test_the_policy_lets_run_its_own_scripts_alone(finished):
    page = check_page(finished)
    (policy,) = [found["content"] for found in page.of("meta") if "http-equiv" in found]
    assert policy.startswith("default-src 'none'")
    allowed = re.findall("sha256-([^']+)", policy)
    scripts = re.findall(r"<script>(.*?)</script>", finished, re.DOTALL)
    assert [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts] == (
        allowed
    )
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_words_from_the_study_are_no_markup(finished):
    assert "Does &lt;b&gt;it&lt;/b&gt; help &amp; why?" in finished
    assert check_page(finished).of("b") == []


def test_the_answer_comes_first(finished):
    page = check_page(finished)
    sections = [found["id"] for found in page.of("section")]
    assert sections == [
        "answer", "results", "effects", "reported", "curves", "replicates", "arms", "protocol",
        "environment", "reproduce",
    ]  # fmt: skip
    text = page.text()
    assert text.index("Better than baseline: “bn=with”; worse than baseline: “relu=remove”") < (
        text.index("Results", text.index("Answer", 200))
    )
    assert "“relu=remove, bn=with” is equivalent to baseline within 0.5 percentage points" in text
    # differences -2.1, -2.2, -1.9, -2.0, -1.9, -2.1, -2.0; p 2/128, times 3 arms
    assert "“bn=with” is better than baseline: its error is 2.03 points lower" in text
    assert "7 pairs, Holm p 0.047" in text
    assert "Besides its edits it differs in: params +1.00%" in text


def test_a_finished_study_lacks_nothing(finished):
    text = check_page(finished).text()
    assert "Every arm has every replicate; none failed." in text
    assert "not finished" not in text
    assert "Not all trials ran on the same" not in text


def test_missing_replicates_are_shown_as_missing(broken):
    text = check_page(broken).text()
    assert "24 of 28 replicates have a result" in text
    assert "1 failed, 1 running, 1 interrupted and 1 not begun" in text
    assert "The study is not finished" in text
    assert "loss became <nan> at epoch 2" in text
    assert "1 of 2 epochs on record" in text
    assert "after 1 of 2 epochs; the same command goes on" in text
    assert "Not all trials ran on the same: device." in text
    assert "cuda: another device (4 trials)" in text
    assert "has no verdict yet: replicate" in text
    assert "No verdict yet" in text


def test_what_is_not_available_stays_so(finished):
    text = check_page(finished).text()
    assert "not available" in text
    assert "16.50 % \N{PLUS-MINUS SIGN} 0.30 (n = 5)" in text


def test_it_says_how_to_get_the_numbers_again(finished):
    page = check_page(finished)
    text = page.text("code")
    assert "nasablate ablate try.json --from-records records.csv" in text
    file = json.loads(text[text.index("{\n") :])
    assert file["name"] == "try"
    assert "fingerprint-of-the-data" in page.text()
    assert "network-bn=with" in page.text()


def test_every_figure_has_data_that_a_script_can_draw(finished):
    blocks = re.findall(r'<script type="application/json" data-for="([\w-]+)">(.*?)</script>',
                        finished, re.DOTALL)  # fmt: skip
    assert [key for key, _ in blocks] == [
        "forest-plot", "effects-0-plot", "interaction-plot", "reported-figure-plot",
        "curves-figure-plot",
    ]  # fmt: skip
    for key, block in blocks:
        assert json.loads(block)["data"], key
        assert f'id="{key}"' in finished


def test_a_study_that_has_only_begun(tmp_path):
    fates = {(arm, r): None for arm in ("baseline", "bn=with", "relu=remove",
             "relu=remove, bn=with") for r in range(7)}  # fmt: skip
    text = check_page(text_of(tmp_path, Plan(fates=fates))).text()
    assert "No verdict yet: 0 of 28 replicates have a result." in text
    assert "No replicate has finished yet." in text
    assert "No trial has recorded any." in text
    assert "<figure" not in text


def test_effects_that_lack_a_replicate_have_no_figure(broken):
    assert 'id="effects-0"' not in broken
    assert 'id="forest"' in broken
