"""Sequential ablations: which arms are trained on, by the rows of a database alone."""

import json

import pytest

from nasablate.errors import SpecError, StoreError
from nasablate.genome import AblationSpec, Genome, load_recipe
from nasablate.search import ablation
from nasablate.search.ablation import run_ablation
from nasablate.search.looks import most_replicates, plan_looks, take_looks
from nasablate.search.records_csv import write_records
from nasablate.search.spec_guard import check_unchanged
from nasablate.store import Epoch, TestReading, now, open_database

NAMES = ("baseline", "bad", "good", "same")
EFFECTS = {"baseline": 0.0, "bad": 8.0, "good": -6.0, "same": 0.0}
LOOKS = {"looks": [2, 3, 5], "baseline_seeds": 21, "interest": 1}


def spec_of(**changes):
    baseline = {"stages": [{"units": 1, "stride": 2}], "width": 4, "stem": {"kind": "conv3x3",
                "width": 4}}  # fmt: skip
    document = {
        "name": "try", "baseline": baseline, "design": "arms", "sequential": LOOKS,
        "arms": {"bad": {"activation": "silu"}, "good": {"width": 6}, "same": {"width": 5}},
        "data": "digits", "training": {"recipe": "quick", "epochs": 1, "batch_size": 128},
        **changes,
    }  # fmt: skip
    spec = AblationSpec.parse(document)
    genome = Genome.parse({"kind": "genome", **spec.baseline})
    recipe = load_recipe(spec.training)
    update = {"baseline": genome.document(), "training": recipe.document()}
    return spec.model_copy(update=update)


def error(name, replicate):
    """Return a made-up error: an effect, and noise of about one point."""
    noise = (hash((len(name) * 31 + replicate * 17) % 101) % 21 - 10) / 6
    return 20 + EFFECTS[name] + noise


class FakeRunner:
    """Writes made-up errors where others train, and counts what it was asked for."""

    def __init__(self, failing=(), stop_after=None):
        self.trained = []
        self.failing = failing
        self.left = stop_after

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def run(self, driver, function):
        from nasablate.search.job import JobEnd

        del function
        while not driver.finished:
            if self.left == 0:
                driver.interrupted = True
                driver.release()
                return
            job = driver.next_job()
            if job is None:
                return
            own = driver._trials[job.number].attributes
            name, replicate = own["arm"], own["replicate"]
            self.trained.append((name, replicate))
            self.left = None if self.left is None else self.left - 1
            if (name, replicate) in self.failing:
                driver.finish(job.number, job.attempt, JobEnd("diverged", "made up"))
                continue
            found = error(name, replicate)
            driver.report(job.number, job.attempt, Epoch(1, 0.5, 50.0, 1.0, found, 0.1, 1.0))
            driver.finish(job.number, job.attempt, JobEnd("completed"))


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/runs/a.db"


@pytest.fixture
def run(url, monkeypatch):
    """Return a function that runs an ablation with a fake runner: result, runner."""

    def running(spec, database=url, from_records=None, **fate):
        fake = FakeRunner(**fate)
        monkeypatch.setattr("nasablate.search.engine.make_runner", lambda *_: fake)
        return run_ablation(spec, database, "inline", from_records=from_records), fake

    return running


def outcome(result):
    return {
        arm.name: (arm.verdict, arm.look, len(arm.errors), arm.judgement.difference)
        for arm in result.arms[1:]
    }


def test_settled_arms_stop_and_the_open_ones_go_on_to_the_last_look(run):
    result, fake = run(spec_of())
    verdicts = {name: verdict for name, (verdict, *_) in outcome(result).items()}
    assert (verdicts["bad"], verdicts["good"]) == ("worse", "better")
    assert verdicts["same"] in {"futile", "undecided"}
    counts = {name: sum(arm == name for arm, _ in fake.trained) for name in NAMES}
    assert counts["baseline"] == 21
    assert 2 <= counts["bad"] < 5
    assert counts == {arm.name: len(arm.errors) for arm in result.arms}
    assert result.is_complete
    assert result.looks.is_over
    assert {arm.rule for arm in result.arms[1:]} == {"sequential"}
    assert all(arm.comparison is None for arm in result.arms)


def test_a_finished_one_answers_without_training_again(run):
    before, _ = run(spec_of())
    after, fake = run(spec_of())
    assert fake.trained == []
    assert outcome(after) == outcome(before)


@pytest.mark.parametrize("stop", [10, 28])
def test_interrupted_and_gone_on_is_the_same_as_run_at_once(run, tmp_path, stop):
    whole, _ = run(spec_of())
    other = f"sqlite:///{tmp_path}/other/b.db"
    part, first = run(spec_of(), other, stop_after=stop)
    assert part.interrupted
    assert not part.is_complete
    result, second = run(spec_of(), other)
    assert outcome(result) == outcome(whole)
    assert sorted(first.trained + second.trained) == sorted(
        (arm.name, replicate) for arm in whole.arms for replicate in arm.errors
    )


def test_from_records_trains_nothing_and_decides_the_same(run, url, tmp_path):
    whole, _ = run(spec_of())
    records = tmp_path / "records.csv"
    write_records(open_database(url).study("try"), records)
    result, fake = run(spec_of(), f"sqlite:///{tmp_path}/new/c.db", from_records=records)
    assert fake.trained == []
    assert outcome(result) == outcome(whole)
    lines = records.read_text().splitlines()
    records.write_text("\n".join(lines[:20]) + "\n")
    result, fake = run(spec_of(), f"sqlite:///{tmp_path}/part/d.db", from_records=records)
    assert 0 < len(fake.trained) < 30
    assert outcome(result) == outcome(whole)


def test_an_arm_with_a_failed_training_is_undecided_and_others_do_not_wait(run):
    spec = spec_of(sequential={**LOOKS, "interest": None})
    result, fake = run(spec, failing={("same", 2)})
    found = outcome(result)
    assert found["same"][0] == "undecided"
    assert "failed for good" in next(a for a in result.arms if a.name == "same").judgement.reason
    assert found["bad"][0] == "worse"
    assert ("same", 3) not in fake.trained
    assert result.looks.is_over
    assert not result.is_complete
    assert any("same, replicate 2" in failure for failure in result.failures)


def test_without_a_whole_baseline_nothing_is_decided(run):
    result, fake = run(spec_of(), failing={("baseline", 4)})
    assert {verdict for verdict, *_ in outcome(result).values()} == {"undecided"}
    assert all("baseline failed" in arm.judgement.reason for arm in result.arms[1:])
    assert max(replicate for name, replicate in fake.trained if name != "baseline") == 1
    assert result.looks.is_over
    _, again = run(spec_of())
    assert again.trained == []


def test_test_errors_are_shown_only_once_a_look_has_seen_them(run, url, monkeypatch):
    read = []

    class Reader:
        def __init__(self, store, purpose, *_):
            self.store, self.purpose = store, purpose

        def read(self, trials, *_):
            done = {reading.number for reading in self.store.test_readings()}
            for trial in trials:
                if trial.number in done:
                    continue
                own = trial.attributes
                if len(read) == 24:
                    raise KeyboardInterrupt
                read.append((own["arm"], own["replicate"]))
                value = error(own["arm"], own["replicate"])
                self.store.add_test_reading(
                    TestReading("try", trial.number, self.purpose, value, 0.1, 8, b"\0", now())
                )

    monkeypatch.setattr("nasablate.search.readings.TestReader", Reader)
    spec = spec_of(evaluate="test")
    part, _ = run(spec)
    assert part.interrupted
    assert len(open_database(url).study("try").test_readings()) == 24
    assert all(not arm.errors for arm in part.arms)
    read.extend([None] * 100)  # let it go on
    result, _ = run(spec)
    whole = {arm.name: len(arm.errors) for arm in result.arms}
    assert whole["baseline"] == 21
    assert outcome(result)["bad"][0] == "worse"


def test_looks_may_not_change_under_a_name(run):
    run(spec_of(), stop_after=2)
    for changed in ({**LOOKS, "looks": [2, 4]}, {**LOOKS, "baseline_seeds": 30}):
        with pytest.raises(StoreError, match="began with another file"):
            run(spec_of(sequential=changed))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"looks": [2], "baseline_seeds": 20}, "sequential.looks"),
        ({"looks": [3, 3]}, "sequential.looks"),
        ({"looks": [2, 30], "baseline_seeds": 24}, "sequential.baseline_seeds"),
        ({"looks": [1], "baseline_seeds": 24}, "sequential.looks"),
    ],
)
def test_looks_that_can_decide_nothing_are_refused(run, changes, place):
    with pytest.raises(SpecError) as caught:
        run(spec_of(sequential=changes))
    problem = caught.value.problems[0]
    assert problem.path == place
    assert problem.loc[0] == "sequential"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": 7}, "do not go together"),
        ({"design": "factorial", "arms": {}, "factors": {"a": {"x": {}, "y": {"width": 6}}}},
         "design factorial needs all of them"),
        ({"sequential": None}, "seeds is missing"),
    ],
)  # fmt: skip
def test_files_say_either_seeds_or_looks(changes, words):
    with pytest.raises(SpecError, match=words):
        spec_of(**changes)


def test_a_file_and_its_document_are_the_same():
    spec = spec_of()
    assert spec.seeds == 21
    assert AblationSpec.parse(spec.document()) == spec
    assert most_replicates(spec, NAMES) == {"baseline": 21, "bad": 5, "good": 5, "same": 5}


def of_arms(count, sequential):
    arms = {f"wider {i}": {"width": 5 + i} for i in range(count)}
    return spec_of(arms=arms, sequential=sequential)


def test_many_arms_have_looks_of_their_own_by_default():
    few, many = (of_arms(count, {"interest": 1}).sequential for count in (19, 20))
    assert (few.looks, few.baseline_seeds) == ((2, 3, 4, 6, 8, 10), 24)
    assert (many.looks, many.baseline_seeds) == (tuple(range(1, 15)), 28)
    assert (few.spending, many.spending) == ("obrien_fleming", "cubic")
    assert (few.futility, many.futility) == (2.0, 2.2)
    assert of_arms(20, {}).seeds == 28
    said = {"looks": [2, 3, 30], "spending": "power", "interest_in": "worse"}
    kept = of_arms(25, said).sequential
    assert (kept.looks, kept.baseline_seeds, kept.spending) == ((2, 3, 30), 30, "power")
    assert (kept.interest_in, kept.futility) == ("worse", 2.0)
    factors = {"width": {f"w{w}": {"width": w} for w in range(4, 25)}}
    alone = spec_of(design="one_at_a_time", arms={}, factors=factors, sequential={})
    assert alone.sequential.spending == "cubic"


def test_a_study_begun_with_earlier_defaults_is_not_given_others():
    before = of_arms(20, {"looks": [2, 3, 4, 6, 8, 10], "baseline_seeds": 24,
                          "spending": "obrien_fleming"})  # fmt: skip
    assert AblationSpec.parse(before.document()) == before
    with pytest.raises(StoreError, match=r"sequential\.looks: \[2, 3, 4, 6, 8, 10\] -> \[1, 2"):
        check_unchanged(json.dumps(before.document()), of_arms(20, {}), 0)


def test_only_what_a_look_needs_is_wanted():
    spec = spec_of()
    errors = {name: {r: error(name, r) for r in range(2)} for name in NAMES}
    before = take_looks(spec, NAMES, errors, {})
    assert before.state.looks == 0
    assert before.wanted == {"baseline": 21, "bad": 2, "good": 2, "same": 2}
    assert before.seen("bad", errors["bad"]) == {}
    errors["baseline"] = {r: error("baseline", r) for r in range(21)}
    after = take_looks(spec, NAMES, errors, {})
    assert after.state.looks == 1
    going = after.state.open_arms
    assert {after.wanted[name] for name in going} <= {3}
    assert after.seen("bad", errors["bad"]) == errors["bad"]
    assert after.document()["bounds"] == sorted(after.document()["bounds"], reverse=True)
    assert plan_looks(spec, NAMES[1:]).arms == NAMES[1:]


@pytest.mark.slow
def test_it_trains_on_digits(url):
    looks = {"looks": [2, 3], "baseline_seeds": 21, "interest": 60, "interest_in": "worse"}
    arms = {"useless": {"training.optimizer.lr": 1e-6, "training.optimizer.weight_decay": 0.0},
            "silu": {"activation": "silu"}}  # fmt: skip
    training = {"recipe": "quick", "epochs": 2, "batch_size": 32}
    spec = spec_of(sequential=looks, arms=arms, training=training)
    result = run_ablation(spec, url, "inline")
    assert result.looks.is_over
    assert len(result.arms[0].errors) == 21
    assert outcome(result)["silu"][0] == "futile"
    assert ablation._is_finished(open_database(url).study("try"), spec)
