"""Genomes, search files and recipes with one mistake each, through the commands that read them."""

import pytest

from tests.badinput.command import check_clear, check_placed, run_here, tree

GENOME = """\
kind: genome
name: mine
input: {channels: 1, height: 8, width: 8}
classes: 10
stem: {kind: conv3x3, width: 8, post: [bn, relu]}
stages:
  - {units: 1, stride: 1}
  - {units: 1, stride: 2}
width: 8
widening: {kind: step, factor: 2.0}
unit: {kind: bottleneck, bottleneck_ratio: 0.25, cardinality: 1, radix: 0}
placement: original
shortcut: {kind: projection}
activation: relu
se: {ratio: 0.25, position: standard}
drop_path: {final: 0.1, rule: linear}
head: {tail: [], hidden: [16], dropout: 0.1}
norm: {eps: 0.001, momentum: 0.1}
"""

SEARCH = """\
kind: search
name: try
base: resnet-20
axes:
  unit.kind: {choice: [basic, bottleneck]}
  width: {int: [8, 16], step: 4}
  dropout: {float: [0.0, 0.5], step: 0.1}
  unit.cardinality: {choice: [1, 2], when: {unit.kind: bottleneck}}
training: {recipe: quick, epochs: 3}
data: digits
trials: 4
seed: 0
constraints: {params: {max: 4.0M}}
objectives: {val_error: minimize}
sampler: {name: auto, seed: 0}
scheduler: {name: halving, min_epochs: 1, factor: 3}
resources: {concurrent: 2}
confirm: {top: 2, seeds: 2}
"""

RECIPE = """\
kind: recipe
name: mine
epochs: 3
batch_size: 64
optimizer: {kind: sgd, lr: 0.1, momentum: 0.9, nesterov: true}
schedule: {kind: step, milestones: [0.5, 0.75], gamma: 0.1}
warmup: {epochs: 1, start: 0.1}
label_smoothing: 0.1
augmentation: {pad: 4, pad_mode: zero, flip: true}
init: kaiming_fan_out
"""

GENOMES = [
    ("kind: genome", "kind: search", ["g.yaml:1:1: kind = 'search'", "'nasablate search'"]),
    ("kind: genome", "knid: genome", ["g.yaml", "must say kind: genome", "write kind: genome"]),
    ("name: mine", "name: 3", ["g.yaml:2:1: name = 3: must be a valid string"]),
    ("name: mine", "name: mine\nname: his", ["g.yaml:3:1", "duplicate key", "keep one"]),
    ("channels: 1", "channels: 0", ["g.yaml:3:9: input.channels = 0", "greater than"]),
    ("channels: 1", "channels: 1.5", ["input.channels = 1.5: must be a valid integer"]),
    ("channels: 1", "channels: true", ["input.channels = True: must be a valid integer"]),
    ("height: 8", "height: 9000000", ["input.height = 9000000", "less than or equal to 1000000"]),
    ("height: 8", "heigth: 8", ["input.heigth = 8: unknown key; did you mean 'height'?"]),
    ("classes: 10", "classes: ten", ["g.yaml:4:1: classes = 'ten': must be a valid integer"]),
    ("classes: 10", "classes:", ["classes = None: must be a valid integer"]),
    ("kind: conv3x3", "kind: conv5x5", ["stem.kind = 'conv5x5': must be one of", "conv3x3"]),
    ("kind: conv3x3, ", "", ["g.yaml:5:1: stem", "must say which kind it is"]),
    ("[bn, relu]}\nst", "[bn, rleu]}\nst", ["stem.post[1] = 'rleu'", "did you mean 'relu'?"]),
    ("[bn, relu]}\nst", "bn}\nst", ["g.yaml:5:33: stem.post = 'bn': must be a valid"]),
    ("  - {units: 1, stride: 1}\n", "  - {stride: 1}\n",
     ["g.yaml:7:5: stages[0].units: required key is missing; add it"]),
    ("units: 1, stride: 2", "units: 1, stride: 5", ["g.yaml:8:16: stages[1].stride = 5", "1, 2"]),
    ("units: 1, stride: 2", "units: -1", ["stages[1].units = -1: must be greater than"]),
    ("units: 1, stride: 2", "units: 1001", ["stages[1].units = 1001: must be less than"]),
    ("factor: 2.0", "factor: -2", ["g.yaml:10:24: widening.factor = -2"]),
    ("factor: 2.0", "factor: 2.0, alpha: 3", ["widening.alpha = 3: unknown key of this kind"]),
    ("kind: step, factor: 2.0", "kind: additive", ["widening.alpha: required key is missing"]),
    ("kind: step, factor: 2.0", "kind: explicit, widths: [8]", ["one width per stage (2)"]),
    ("cardinality: 1", "cardinality: 99999999", ["unit.cardinality = 99999999"]),
    ("bottleneck_ratio: 0.25", "bottleneck_ratio: .nan", ["unit.bottleneck_ratio = nan", "finite"]),
    ("kind: bottleneck, bottleneck_ratio: 0.25, cardinality: 1, radix: 0", "kind: basic, radix: 0",
     ["unit.radix = 0: unknown key of this kind", "change the kind"]),
    ("placement: original", "placement: orignal", ["placement", "'orignal'", "'original'"]),
    ("activation: relu", "activation: ReLU", ["activation = 'ReLU'", "did you mean 'relu'?"]),
    ("shortcut: {kind: projection}", "shortcut: none", ["shortcut = 'none'", "{kind: none}"]),
    ("kind: step, f", "f", ["widening", "must say which kind it is; add the key 'kind', one of s"]),
    ("name: mine", "n\u0430me: mine", ["key (it holds cyrillic small letter a)", "'name'?"]),
    ("activation: relu", "activation:\trelu", ["write spaces in place of the tab"]),
    ("width: 8\nw", "1: 8\nw", ["g.yaml:9:1: 1 = 1: a key must be text; put it in quotes"]),
    ("activation: relu", "activation: swish", ["g.yaml:14:1: activation = 'swish'", "silu"]),
    ("ratio: 0.25, p", "ratio: 0, p", ["g.yaml:15:6: se.ratio = 0: must be greater than 0"]),
    ("se: {ratio: 0.25, position: standard}", "se: yes please", ["se = 'yes please'", "object"]),
    ("final: 0.1", "final: 1.0", ["drop_path.final = 1.0: must be less than 1"]),
    ("hidden: [16]", "hidden: [16, -4]", ["head.hidden[1] = -4"]),
    ("hidden: [16]", "hidden: {a: 1}", ["g.yaml:17:18: head.hidden = {'a': 1}"]),
    ("eps: 0.001", "eps: 2026-01-01", ["norm.eps", "must be plain data, not a date"]),
    ("eps: 0.001", f"eps: {'9' * 60}", ["norm.eps = 9999", "is no 64-bit integer"]),
    ("momentum: 0.1}", "momentum: 0.1", ["g.yaml:19:1: is not valid YAML", "correct the syntax"]),
    ("width: 8\nw", "width: 8\n\tw", ["g.yaml:10:1: is not valid YAML"]),
    ("width: 8\nw", '"wi\\x1b[2Jdth": 8\nw', ["wi\\x1b[2Jdth = 8: unknown key", "'width'"]),
    ("width: 8\nw", '"wid\\nth": 8\nw', ["wid\\nth = 8: unknown key"]),
    ("name: mine", "name: !!python/object/apply:os.system [ls]", ["g.yaml:2:7", "YAML tag"]),
    ("name: mine", "name: &a [*a]", ["drop aliases"]),
]  # fmt: skip

SEARCHES = [
    ("kind: search", "kind: genome", ["s.yaml:1:1: kind = 'genome'", "'nasablate describe'"]),
    ("name: try", "name: a/b", ["s.yaml:2:1: name = 'a/b'", "at most 80"]),
    ("name: try", "NAME: try", ["s.yaml:2:1: NAME = 'try': unknown key; did you mean 'name'?"]),
    ("name: try", "name: 'try", ["is not valid YAML", "correct the syntax from line 2 on"]),
    ("width: {int", "stages.*: {int", ["s.yaml:6:3: axes.stages.* = ", "its keys: {units"]),
    ("width: {int", "classes: {int", ["s.yaml:6:3: axes.classes", "is what the data set has"]),
    ("width: {int", "lr: {int", ["s.yaml:6:3: axes.lr", "did you mean 'training.optimizer.lr'?"]),
    ("width: {int", "units: {int", ["axes.units", "did you mean 'stages.*.units'?"]),
    ("int: [8, 16], step: 4", "int: [8, 9, 10]", ["width.int", "takes at most 2 items, found 3"]),
    ("{unit.kind: bottleneck}", "{unit.kind: []}", ["s.yaml:8:3", "lists no value of axis"]),
    ("{recipe: quick, epochs: 3}", "quick", ["training = 'quick'", "such as {recipe: quick}"]),
    ("{recipe: quick, epochs: 3}", "{recipe: quick, lr: 1}", ["did you mean 'optimizer.lr'?"]),
    ("{name: halving, min_epochs: 1, factor: 3}", "halving", ["scheduler", "{name: halving}"]),
    ("name: halving, m", "m", ["which name it is; add the key 'name', one of none, halving"]),
    ("name: auto", "name: TPE", ["sampler.name = 'TPE'", "did you mean 'tpe'?"]),
    ("base: resnet-20", "base: resnt-20", ["s.yaml:3:1: base = 'resnt-20'", "'resnet-20'?"]),
    ("base: resnet-20", "base: no.yaml", ["base = 'no.yaml': there is no such file", "check"]),
    ("base: resnet-20", "base: 20", ["s.yaml:3:1: base = 20: must be a valid string or an object"]),
    ("base: resnet-20", "base: {stages: [{units: one}]}", ["s.yaml:3:18: base.stages[0].units"]),
    ("unit.kind: {choice", "unit.knid: {choice", ["axes.unit.cardinality", "'unit.knid'?"]),
    ("choice: [basic, bottleneck]", "choice: [basic, basic]", ["value is listed twice"]),
    ("choice: [basic, bottleneck]", "choice: [basic, bottelneck]", ["s.yaml:8:3: axes.unit.card",
     "'bottleneck': axis unit.kind never has this value", "did you mean 'bottelneck'?"]),
    ("choice: [basic, bottleneck]", "chioce: [basic]", ["axis is a mapping with choice"]),
    ("int: [8, 16], step: 4", "int: [16, 8]", ["low 16 is above high 8"]),
    ("int: [8, 16], step: 4", "int: [8]", ["s.yaml:6:11: axes.width.int"]),
    ("int: [8, 16], step: 4", "int: [8, 16], step: 0", ["axes.width.step = 0"]),
    ("int: [8, 16], step: 4", "int: [0, 16], log: true", ["log needs low > 0"]),
    ("int: [8, 16], step: 4", "int: [8, 16.5]", ["axes.width.int[1] = 16.5"]),
    ("int: [8, 16], step: 4", "int: [-9, -8]", ["axes.width = -", "greater than or equal to 1"]),
    ("float: [0.0, 0.5], step: 0.1", "float: [0, 1], step: 1.0e-9", ["more than 100000 steps"]),
    ("{unit.kind: bottleneck}", "{unit.knd: basic}", ["when names no other axis", "'unit.kind'"]),
    ("{unit.kind: bottleneck}", "{unit.kind: botleneck}", ["never has this value", "'bottleneck'"]),
    ("{unit.kind: bottleneck}", "{unit.cardinality: 1}", ["conditions form a circle"]),
    ("{unit.kind: bottleneck}", "{unit.kind: basic}", ["axes.unit.cardinality", "changes nothing"]),
    ("recipe: quick", "recipe: quik", ["training.recipe", "did you mean 'quick'?"]),
    ("recipe: quick", "recipe: 7", ["s.yaml:9:12: training.recipe = 7", "name or file"]),
    ("epochs: 3", "epochs: 0", ["s.yaml:9:27: training.epochs = 0"]),
    ("epochs: 3", "optimizer: {lr: fast}", ["training.optimizer.lr = 'fast'"]),
    ("data: digits", "data: digit", ["s.yaml:10:1", "'digit'", "digits"]),
    ("data: digits", "data: folder:/no/such/place", ["s.yaml:10:1", "/no/such/place"]),
    ("data: digits", "data: {name: digits, subset: 1}", ["data.subset = 1"]),
    ("data: digits", "data: {name: digits, hold: 8}", ["s.yaml:10", "data.hold = 8: hold needs"]),
    ("data: digits", "data: {name: digits, size: 8, hold: 6}", ["data.hold = 6:", "size is 8"]),
    ("trials: 4", "trials: four", ["s.yaml:11:1: trials = 'four': must be a valid integer"]),
    ("trials: 4", "trails: 4", ["s.yaml:11:1: trails = 4", "did you mean 'trials'?"]),
    ("seed: 0\nc", "seed: -1\nc", ["s.yaml:12:1: seed = -1"]),
    ("max: 4.0M", "max: 4.0Q", ["constraints.params.max = '4.0Q'", "write for example 4.0M"]),
    ("max: 4.0M", "max: 1", ["constraints: none of", "widen the limits"]),
    ("val_error: minimize", "val_error: down", ["objectives.val_error = 'down'", "maximize"]),
    ("val_error: minimize", "error: minimize", ["s.yaml:14:14", "'val_error'"]),
    ("name: auto", "name: bayes", ["sampler.name = 'bayes'", "tpe"]),
    ("name: halving", "name: asha", ["scheduler.name = 'asha'", "halving"]),
    ("factor: 3", "factor: 1", ["s.yaml:16:43: scheduler.factor = 1"]),
    ("concurrent: 2", "concurrent: 0", ["resources.concurrent = 0"]),
    ("top: 2", "tops: 2", ["confirm.tops = 2: unknown key; did you mean 'top'?"]),
]  # fmt: skip

RECIPES = [
    ("pad: 4, pad_mode: zero", "pad: 4, crop: {}", ["r.yaml:9", "set pad: 0"]),
    ("pad: 4, pad_mode: zero", "crop: {max_side: 200}", ["r.yaml:9", "max_side 200"]),
    ("init: kaiming_fan_out", "evaluation: {crops: 144}", ["evaluation.crops = 144", "50"]),
    ("init: kaiming_fan_out", "evaluation: {sides: [99]}", ["r.yaml:10", "99 is smaller"]),
    ("init: kaiming_fan_out", "biases: {value: 1}", ["biases", "layers"]),
    ("kind: recipe", "kind: genome", ["r.yaml:1:1: kind = 'genome'", "must say kind: recipe"]),
    ("epochs: 3", "epochs: many", ["r.yaml:3:1: epochs = 'many': must be a valid integer"]),
    ("batch_size: 64", "batch_size: 1", ["r.yaml:4:1: batch_size = 1"]),
    ("kind: sgd", "kind: adam", ["optimizer.kind = 'adam'", "sgd"]),
    ("lr: 0.1", "lr: 0", ["r.yaml:5:24: optimizer.lr = 0: must be greater than 0"]),
    ("nesterov: true", "nesterov: maybe", ["optimizer.nesterov = 'maybe': must be a valid bool"]),
    ("kind: step", "kind: linear", ["schedule.kind = 'linear'", "cosine"]),
    ("[0.5, 0.75]", "[0.5, 75]", ["r.yaml:6:42: schedule.milestones[1] = 75"]),
    ("pad: 4", "pad: 4.5", ["augmentation.pad = 4.5: must be a valid integer"]),
    ("init: kaiming_fan_out", "snapshots: 9", ["r.yaml:10:1: snapshots = 9", "epochs, 3; lower"]),
    ("init: kaiming_fan_out", "init: zeros", ["r.yaml:10:1: init = 'zeros'", "kaiming"]),
]

RAW = [
    (b"", "must be a mapping of keys to values, found nothing"),
    (b"- a\n", "must be a mapping of keys to values, found list"),
    (b"name: \xff\xfe\n", "is not UTF-8 text (byte 6); save the file as UTF-8"),
    (b"\xff\xfek\x00i\x00", "is not UTF-8 text"),
    (b"\x00\x01", "is not valid YAML"),
    (b"\x89PNG\r\n\x1a\n" + bytes(100), "is not UTF-8 text"),
    (b"x: " + b"9" * 1_000_001, "is larger than 1000000 bytes"),
    (b"[" * 5000, "is not valid YAML"),
    (b"kind: genome\n---\nkind: genome\n", "is not valid YAML"),
]

VALID = {"genome": GENOME, "search": SEARCH, "recipe": RECIPE}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NASABLATE_STORAGE", raising=False)
    return tmp_path


def refused(folder, arguments, fragments, file=None):
    before = tree(folder)
    answer = run_here(*arguments)
    check_clear(answer, fragments)
    if file is not None:
        check_placed(answer, file)
    assert answer.out == ""
    assert tree(folder) == before


def changed(text, old, new):
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def test_the_files_that_the_mistakes_are_made_in_are_good(folder):
    for kind, text in VALID.items():
        (folder / f"{kind[0]}.yaml").write_text(text)
    assert run_here("describe", "g.yaml").code == 0
    assert run_here("plan", "s.yaml").code == 0
    train = ("train", "resnet-20", "--recipe", "r.yaml", "--data", "nosuch")
    check_clear(run_here(*train), ["'nosuch'"])  # the recipe was read before


@pytest.mark.parametrize(("old", "new", "fragments"), GENOMES)
def test_genome_files(folder, old, new, fragments):
    (folder / "g.yaml").write_text(changed(GENOME, old, new))
    refused(folder, ["describe", "g.yaml"], fragments, "g.yaml")


@pytest.mark.parametrize(("old", "new", "fragments"), SEARCHES)
def test_search_files(folder, old, new, fragments):
    (folder / "s.yaml").write_text(changed(SEARCH, old, new))
    refused(folder, ["search", "s.yaml"], fragments, "s.yaml")


@pytest.mark.parametrize(("old", "new", "fragments"), RECIPES)
def test_recipe_files(folder, old, new, fragments):
    (folder / "r.yaml").write_text(changed(RECIPE, old, new))
    refused(folder, ["train", "resnet-20", "--recipe", "r.yaml"], fragments, "r.yaml")


def test_a_recipe_that_does_not_fit_the_network(folder):
    (folder / "r.yaml").write_text(f"{RECIPE}biases: {{layers: [9]}}\n")
    fragments = ["training.biases.layers = 9", "no bias", "leave 9 out"]
    refused(folder, ["train", "resnet-20", "--recipe", "r.yaml"], fragments)


def test_a_device_without_end(folder):
    refused(folder, ["plan", "/dev/zero"], ["/dev/zero: is larger than", "name another file"])


@pytest.mark.parametrize(("content", "fragment"), RAW)
@pytest.mark.parametrize(
    "command",
    [["describe"], ["search"], ["plan"], ["train", "resnet-20", "--recipe"], ["train"]],
    ids=" ".join,
)
def test_what_is_no_plain_yaml(folder, command, content, fragment):
    (folder / "x.yaml").write_bytes(content)
    file = None if "is larger" in fragment else "x.yaml"
    refused(folder, [*command, "x.yaml"], ["x.yaml", fragment], file)


@pytest.mark.parametrize(
    ("command", "fragments"),
    [
        (["describe", "none.yaml"], ["'none.yaml': there is no such file", "check the path"]),
        (["describe", "resnet-21"], ["'resnet-21'", "did you mean 'resnet-"]),
        (["describe", "."], ["'.'"]),
        (["train", "resnet-20", "--recipe", "none.yaml"], ["none.yaml", "no such file"]),
        (["train", "resnet-20", "--recipe", "slow"], ["'slow'", "known: "]),
        (["train", "resnet-20", "--data", "mnist"], ["'mnist'", "digits"]),
        (["search", "none.yaml"], ["none.yaml: cannot be read (no such file", "check the path"]),
        (["search", "."], ["cannot be read (is a directory)"]),
        (["plan", "none.yaml"], ["none.yaml: cannot be read"]),
        (["init", "search", "--base", "nosuch", "--data", "digits", "--name", "x"], ["'nosuch'"]),
        (["init", "search", "--recipe", "nosuch", "--name", "x", "--base", "resnet-20"],
         ["'nosuch'"]),
        (["init", "search", "--name", "a b", "--base", "resnet-20"], ["name", "'a b'"]),
        (["init", "search", "--name", "x", "--base", "resnet-20", "--out", "no/x.yaml"],
         ["no/x.yaml: cannot be written (no such file"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_names_of_nothing(folder, command, fragments):
    refused(folder, command, fragments)


@pytest.mark.parametrize(
    "command",
    [
        ["describe"],
        ["describe", "resnet-20", "--nosuch"],
        ["schema", "poem"],
        ["genomes", "resnet-20", "resnet-32"],
        ["search"],
        ["search", "x.yaml", "--trials", "0"],
        ["search", "x.yaml", "--trials", "many"],
        ["search", "x.yaml", "--runner", "slurm"],
        ["train", "resnet-20", "--seed", "-1"],
        ["train", "resnet-20", "--epochs", "1.5"],
        ["trials"],
        ["trials", "x", "-1"],
        ["dashboard", "--port", "99999"],
        ["init", "poem"],
        ["init", "search", "--trials", "0"],
        ["serch", "x.yaml"],
    ],
    ids=" ".join,
)
def test_wrong_usage(folder, command):
    answer = run_here(*command)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.count("Error: ") == 1
    assert "Traceback" not in answer.err
    assert not any(folder.iterdir())


@pytest.mark.parametrize("kind", sorted(VALID))
def test_files_cut_off_anywhere(folder, kind):
    """Every prefix of a valid file is read or refused, whatever it cuts in two."""
    commands = {
        "genome": ["describe", "x.yaml"],
        "search": ["init", "search", "--base", "x.yaml", "--name", "y", "--out", "no/y.yaml"],
        "recipe": ["train", "x.yaml", "--recipe", "x.yaml"],
    }
    text = VALID[kind].encode()
    for length in range(0, len(text), 31):
        (folder / "x.yaml").write_bytes(text[:length])
        answer = run_here(*commands[kind])
        assert answer.code in ({0, 2} if kind == "genome" else {2})
        assert "unexpected" not in answer.err
        assert [path.name for path in folder.iterdir()] == ["x.yaml"]
