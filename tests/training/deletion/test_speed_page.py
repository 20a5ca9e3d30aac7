"""The page of speeds says what the kept numbers say, and they keep what is claimed."""

import json
import statistics
from pathlib import Path

from benchmarks.deletion import GPU_TOLERANCE, NUMBERS, PAGE, kept_page


def test_the_page_is_that_of_the_numbers() -> None:
    assert PAGE.read_text(encoding="utf-8") == kept_page()


def test_shared_beginnings_save_half_and_change_no_bit() -> None:
    answers = json.loads(NUMBERS.read_text(encoding="utf-8"))["answers"]
    saved = {}
    for answer in answers:
        assert answer["depth_logits_equal"]
        assert answer["growing_difference"] <= 1e-5
        seconds = answer["seconds"]
        ratios = [a / b for a, b in zip(seconds["naive"], seconds["depth"], strict=True)]
        assert len(ratios) >= 3
        saved[answer["network"], answer["what"]] = statistics.median(ratios)
    assert saved["resnet-110", "every unit by itself"] >= 1.9
    assert saved["pyramidnet-110-a48", "every unit by itself"] >= 2.2
    assert saved["resnet-110", "pairs among 1 unit in 2"] >= 2.2
    assert saved["pyramidnet-110-a48", "pairs among 1 unit in 2"] >= 2.7
    assert len(saved) == 5


def test_all_pairs_are_counted() -> None:
    counted = json.loads(NUMBERS.read_text(encoding="utf-8"))["all_pairs"]
    assert [found["pairs"] for found in counted] == [54 * 53 // 2] * 2
    ratios = [round(found["naive_macs"] / found["shared_macs"], 2) for found in counted]
    assert ratios == [2.84, 3.97]


def test_the_page_says_what_the_test_on_a_gpu_allows() -> None:
    text = (Path(__file__).parent / "test_evaluation.py").read_text(encoding="utf-8")
    assert f"<= {GPU_TOLERANCE:.0e}".replace("e-0", "e-") in text
