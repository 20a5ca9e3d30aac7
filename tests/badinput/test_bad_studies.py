"""Ablation, deletion and dashboard files with one mistake each, through their commands."""

import pytest

from nasablate.store import open_database
from tests.badinput.command import check_clear, check_placed, run_here, tree

ABLATION = """\
kind: ablation
name: which
question: Which?
baseline: {stages: [{units: 1}], width: 8, shortcut: {kind: projection}}
factors:
  width: {as_is: {}, wider: {width: 16}}
  activation: {relu: {}, silu: {activation: silu}}
  lr: {as_is: {}, tenth: {training.optimizer.lr: 0.01}}
design: one_at_a_time
seeds: 8
margin: 0.5
pilot: {sd: 0.3}
evaluate: validation
training: {recipe: quick, epochs: 1}
data: digits
seed: 0
resources: {gpus_per_trial: 0}
reported:
  - {arm: baseline, value: 8.75, source: here}
"""

DELETION = """\
kind: deletion
name: without
networks:
  plain: {base: {stages: [{units: 3}], width: 8}}
  edited: {base: resnet-20, edits: {stages.*.units: 2}}
seeds: 2
delete: {each: true, random: {counts: [1, 2], repeats: 3}}
scale: {factors: [0.25, 0.5]}
reorder: {swaps: [1], repeats: 2}
paths: {lengths: [0, 1], samples: 3}
images: {random: 50}
margin: 0.5
training: {recipe: quick, epochs: 1}
data: digits
seed: 0
resources: {gpus_per_trial: 0}
"""

DASHBOARD = """\
kind: dashboard
name: all
title: Everything
panels:
  - kind: answer
    title: Answer
  - kind: curves
  - kind: contour
    axes: [width, activation]
  - kind: front
    cost: params
  - {kind: edf, resamples: 20, seed: 0}
  - {kind: network, trial: 0}
"""

ABLATIONS = [
    ("kind: ablation", "kind: ablaton", ["s.yaml:1:1: kind = 'ablaton'", "write kind: ablation"]),
    ("baseline: {stages", "baselin: {stages", ["s.yaml:4:1: baselin", "did you mean 'baseline'?"]),
    ("units: 1}", "units: one}", ["baseline.stages[0].units = 'one'", "write a whole"]),
    ("{width: 16}", "{widht: 16}", ["s.yaml:", "widht", "did you mean 'width'?"]),
    ("{width: 16}", "{width: 0}", ["s.yaml:", "width = 0", "write 1 or more"]),
    ("{width: 16}", "{}", ["s.yaml:6:3", "width"]),
    ("optimizer.lr: 0.01", "optimizer.lr: fast", ["lr = 'fast'", "write a number such as"]),
    ("one_at_a_time", "at_once", ["s.yaml:9:1: design = 'at_once'", "factorial"]),
    ("one_at_a_time", "fractional", ["design fractional needs a resolution; 3, 4 or 5"]),
    ("one_at_a_time", "arms", ["design arms takes arms, not factors; drop one"]),
    ("seeds: 8", "seeds: 0", ["s.yaml:10:1: seeds = 0", "write 1 or more"]),
    ("seeds: 8", "seeds: 2", ["s.yaml:10:1: seeds = 2", "raise seeds to 7"]),
    ("seeds: 8\n", "seeds: 8\nmatch: {params: little}\n", ["'little'", "write for example 1%"]),
    ("sd: 0.3", "sd: -1", ["pilot.sd = -1", "write a number above 0"]),
    ("sd: 0.3", "correlation: 0.5", ["pilot", "give one of them"]),
    ("evaluate: validation", "evaluate: train", ["evaluate = 'train'", "choose one of them"]),
    ("margin: 0.5", "margin: wide", ["s.yaml:11:1: margin = 'wide'", "write a number"]),
    ("data: digits", "data: folder:/no/place", ["s.yaml:15:1", "/no/place", "correct the path"]),
    ("seeds: 8\n", "seeds: 8\nmatch: {params: 1}\n", ["match.params = 1", "1 would be 100 %"]),
    ("{width: 16}", "{classes: 3}", ["s.yaml:6:30", "is what the data set has", "data: {name"]),
    ("wider: {width: 16}", "too: {}, w: {width: 16}", ["as_is and too do; drop or change"]),
    ("  width: {as_is: {}, wider", "  width: {wider", ["needs at least 2 items, found 1"]),
    ("arm: baseline", "arm: basline", ["s.yaml:19:6: reported[0].arm = 'basline'", "'baseline'?"]),
    ("arm: baseline", "arm: {width: 16}", ["s.yaml:19:12: reported[0].arm.width = 16", "quotes"]),
    ("arm: baseline", "arm: {widt: wider}", ["reported[0].arm names no factor: 'widt'", "'width'"]),
    ("arm: baseline", "arm: {width: wide}", ["names no level of width: 'wide'", "'wider'"]),
]  # fmt: skip

DELETIONS = [
    ("kind: deletion", "kind: search", ["s.yaml:1:1: kind = 'search'", "'nasablate search'"]),
    ("name: without", "name: a/b", ["s.yaml:2:1: name = 'a/b'", "use letters"]),
    ("base: resnet-20", "base: resnt-20", ["s.yaml:5:", "'resnt-20'", "did you mean 'resnet-20'?"]),
    ("units: 3}", "units: 3.5}", ["s.yaml:4:", "units = 3.5", "write a whole number"]),
    ("stages.*.units: 2", "stages.*.unit: 2", ["s.yaml:5:3", "unit"]),
    ("plain: {base:", "plain: {bas:", ["s.yaml:4:", "bas"]),
    ("{base: resnet-20, edits: {stages.*.units: 2}}", "{trained: nosuch/1}",
     ["networks.edited", "'nosuch'", "--storage"]),
    ("counts: [1, 2]", "counts: []", ["delete.random.counts", "add one"]),
    ("counts: [1, 2]", "counts: [1, 1]", ["delete.random.counts names a number twice; drop one"]),
    ("factors: [0.25, 0.5]", "factors: 0.5", ["s.yaml:8:9: scale.factors = 0.5", "[0.5]"]),
    ("factors: [0.25, 0.5]", "factors: [99]", ["scale.factors[0] = 99", "write 10 or less"]),
    ("swaps: [1]", "swaps: [0]", ["reorder.swaps[0] = 0", "write 1 or more"]),
    ("random: 50", "random: 1", ["images.random = 1", "write 2 or more"]),
    ("random: 50", "random: 5000", ["images.random = 5000", "choose at most that many"]),
    ("each: true", "each: sometimes", ["delete.each = 'sometimes'", "write true or false"]),
    ("data: digits", "data: nosuch", ["s.yaml:14:1", "'nosuch'", "known: digits"]),
]  # fmt: skip

DASHBOARDS = [
    ("kind: dashboard", "kind: genome", ["s.yaml:1:1: kind = 'genome'", "'nasablate describe'"]),
    ("name: all", "name:", ["s.yaml:2:1: name = None", "write text"]),
    ("title: Everything", "titel: Everything", ["s.yaml:3:1: titel", "did you mean 'title'?"]),
    ("kind: answer", "kind: anser", ["s.yaml:5:5", "'anser'", "did you mean 'answer'?"]),
    ("kind: answer\n    title: Answer", "title: Answer", ["s.yaml:5:5: panels[0]", "'kind'"]),
    ("- kind: curves", "- curves", ["s.yaml:7:5: panels[1] = 'curves'", "{kind: curves}"]),
    ("title: Answer", "title: [a]", ["s.yaml:6:5: panels[0].title", "write text"]),
    ("axes: [width, activation]", "axes: [width]", ["panels[2].axes = ['width']", "2 items"]),
    ("cost: params", "cost: money", ["panels[3].cost = 'money'", "macs"]),
    ("cost: params", "price: params", ["s.yaml:11:5: panels[3].price", "unknown key"]),
    ("resamples: 20", "resamples: 2.5", ["panels[4].resamples = 2.5", "write a whole number"]),
    ("seed: 0}", "seed: -1}", ["panels[4].seed = -1", "write 0 or more"]),
    ("trial: 0", "trial: first", ["panels[5].trial = 'first'", "write a whole number"]),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NASABLATE_STORAGE", raising=False)
    return tmp_path


def changed(text, old, new):
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def refused(folder, text, commands, fragments):
    (folder / "s.yaml").write_text(text)
    before = tree(folder)
    for command in commands:
        answer = run_here(*command)
        check_clear(answer, fragments)
        if answer.message.startswith("error: s.yaml"):
            check_placed(answer, "s.yaml")
        assert answer.out == "" or command[0] == "plan"
        assert tree(folder) == before


@pytest.mark.parametrize(("old", "new", "fragments"), ABLATIONS)
def test_ablation_files(folder, old, new, fragments):
    commands = [("ablate", "s.yaml", "--runner", "inline")]
    refused(folder, changed(ABLATION, old, new), commands, fragments)


def test_a_listed_arm_that_changes_nothing(folder):
    start, _, rest = ABLATION.partition("factors:\n")
    rest = rest.partition("design: one_at_a_time\n")[2].partition("reported:")[0]
    text = f"{start}design: arms\narms:\n  wide: {{width: 16}}\n  same: {{width: 16}}\n{rest}"
    fragments = ["s.yaml:8:3: arms = 'same'", "is the same network and recipe as 'wide'"]
    refused(folder, text, [("plan", "s.yaml")], fragments)


@pytest.mark.parametrize(("old", "new", "fragments"), DELETIONS)
def test_deletion_files(folder, old, new, fragments):
    command = (
        ("plan", "s.yaml") if "5000" in new else ("delete-units", "s.yaml", "--runner", "inline")
    )
    refused(folder, changed(DELETION, old, new), [command], fragments)


@pytest.fixture
def with_a_study(folder):
    """Make a database with a study that a dashboard could show."""
    database = open_database(f"sqlite:///{folder}/runs/nasablate.db")
    database.create("toy", {"val_error": "minimize"}, {"kind": "search", "spec": "{}"})
    database.close()
    return folder


@pytest.mark.parametrize(("old", "new", "fragments"), DASHBOARDS)
def test_dashboard_files(with_a_study, old, new, fragments):
    command = ("report", "toy", "--dashboard", "s.yaml", "--html", "x.html")
    refused(with_a_study, changed(DASHBOARD, old, new), [command], fragments)


def test_the_files_that_the_mistakes_are_made_in_are_good(with_a_study):
    folder = with_a_study
    for text in (ABLATION, DELETION):
        (folder / "s.yaml").write_text(text)
        answer = run_here("plan", "s.yaml")
        assert answer.code == 0, answer.err
    from nasablate.genome.files import load_dashboard

    (folder / "s.yaml").write_text(DASHBOARD)
    assert len(load_dashboard(folder / "s.yaml").panels) == 6
