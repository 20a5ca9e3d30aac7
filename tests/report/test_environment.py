"""Manifests of many trials, summed up."""

import json

from nasablate.report.environment import environment_of
from nasablate.store import TrialRecord


def trial(number, manifest, state="complete"):
    attributes = {} if manifest is None else {"manifest": manifest}
    return TrialRecord("s", number, state, {}, attributes, None, {}, None, None)


ONE = json.dumps({"job": "a", "data_fingerprint": "f", "code": {"source_sha256": "abc"},
                  "packages": {"torch": "2.13"}, "device": "cpu", "cuda": None,
                  "cudnn_benchmark": False})  # fmt: skip


def test_what_agrees_is_told_once():
    found = environment_of([trial(0, ONE), trial(1, ONE)])
    assert {fact.what: fact.text for fact in found.facts} == {
        "nasablate source sha256": "abc", "torch": "2.13", "device": "cpu", "cuda": "none",
        "cudnn benchmark": "no",
    }  # fmt: skip
    assert found.differing == ()
    assert (found.num_trials, found.num_silent) == (2, 0)


def test_what_differs_is_counted():
    other = ONE.replace('"cpu"', '"cuda: H200"')
    found = environment_of([trial(0, other), trial(1, ONE), trial(2, ONE)])
    (fact,) = found.differing
    assert (fact.what, fact.values) == ("device", (("cpu", 2), ("cuda: H200", 1)))
    assert fact.text == "cpu (2 trials); cuda: H200 (1 trial)"


def test_trials_without_a_readable_manifest_are_counted():
    found = environment_of([trial(0, None), trial(1, "no json"), trial(2, "[1]"), trial(3, ONE),
                            trial(4, ONE, "running")])  # fmt: skip
    assert (found.num_trials, found.num_silent) == (1, 3)
