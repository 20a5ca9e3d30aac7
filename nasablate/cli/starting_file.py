"""The commented files that ``nasablate init`` writes."""

import json
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nasablate.genome import Genome

_TEMPLATE = """\
# yaml-language-server: $schema={schema}
# Run it with   nasablate search {file}
# Look first    nasablate plan {file}
kind: search
name: {name}   # the study's name in the database; a changed file needs a new one
question: {question}

base: {base}   # a preset ('nasablate genomes' lists them) or a genome's file
axes:   # what may vary; every axis is a path in the genome
{axes}
# constraints:   # checked exactly before anything is trained
#   params: {{max: {limit}}}
#   macs: {{max: 100M}}

objectives: {{val_error: minimize}}   # several make a Pareto search (then without a scheduler)
sampler: {{name: auto, seed: 0}}   # grid if every cell can be tried, else tpe; random, nsga2
scheduler: {{name: halving, min_epochs: {min_epochs}, factor: 3}}   # or {{name: none}}

training: {{recipe: {recipe}, epochs: {epochs}}}   # other keys replace fields of the recipe
data: {data_line}
trials: {trials}   # distinct networks; those tried before do not count again
seed: 0

resources: {{gpus_per_trial: auto, cpus_per_trial: 1}}   # 0.5 lets two trials share a GPU
confirm: {{top: 3, seeds: 5}}   # the best, trained again on fresh seeds, before a test error
"""

_ABLATION = """\
# yaml-language-server: $schema={schema}
# Look first    nasablate plan {file}
# Run it with   nasablate ablate {file}
kind: ablation
name: {name}   # the study's name in the database; a changed file needs a new one
question: {question}

baseline: {base}   # a preset ('nasablate genomes' lists them) or a genome's file
factors:   # what is changed; one level of each leaves the baseline as it is
  activation: {{relu: {{activation: relu}}, silu: {{activation: silu}}}}
  width: {{as_is: {{}}, wider: {{width: {wider}}}}}
  lr: {{as_is: {{}}, tenth: {{training.optimizer.lr: {lr}}}}}   # a field of the recipe

design: one_at_a_time   # leave_one_out, path, factorial, fractional; arms lists edits by name
seeds: {seeds}   # of every arm; {seeds} is the least that can give a verdict with three arms
# sequential: {{looks: [2, 3, 4, 6, 8, 10]}}   # in place of seeds: settled arms stop early
margin: 0.5   # percentage points that count as equivalent
# match: {{params: 1%}}   # change width, then depth of arms that cost more or less than that
# match_mode: both   # and train them as written, too
# pilot: {{sd: 0.3}}   # noise of an arm over seeds, or a records.csv: what plan can promise
evaluate: validation   # or test: read once per trained network, at its last epoch

training: {{recipe: {recipe}, epochs: {epochs}}}   # other keys replace fields of the recipe
data: {data_line}
seed: 0   # of the first replicate; replicate r of all arms shares its random streams

resources: {{gpus_per_trial: auto, cpus_per_trial: 1}}   # 0.5 lets two trials share a GPU
# reported:   # a paper's number, to stand beside the measured one
#   - arm: baseline
#     value: 8.75
#     source: "arXiv 1512.03385, Table 6"
#     protocol: {{training: {{batch_size: 128, augmentation: {{pad: 4}}}}, data: cifar10}}
"""

_DELETION = """\
# yaml-language-server: $schema={schema}
# Look first    nasablate plan {file}
# Run it with   nasablate delete-units {file}
kind: deletion
name: {name}   # the study's name in the database; a changed file needs a new one
question: {question}

networks:   # the first is the one that others are compared with
  {network}: {base}   # a preset, a file, or {{base: ..., edits: ...}}
  # pyramid: pyramidnet-110-a48
  # mine: {{trained: my-study/3}}   # a trial that kept its weights
seeds: {seeds}   # trainings of each; {seeds} is the least that gives verdicts on two more networks
evaluate: validation   # or test: read once all networks are trained

delete: {{each: true, stages: true, downsampling: true, random: {{counts: [2, 4], repeats: 10}}}}
# scale: {{factors: [0.25, 0.5, 0.75]}}   # one unit's branch at a time; 0 would delete it
# reorder: {{swaps: [1, 2, 4], repeats: 10}}   # units of equal shape exchanged
# paths: {{samples: 20}}   # how much gradient the paths of each length carry
# images: {{random: 1000}}   # judge by a random part of the images; labelled an estimate
margin: 0.5   # percentage points within which two mean rises count as equivalent

training: {{recipe: {recipe}, epochs: {epochs}}}   # other keys replace fields of the recipe
data: {data_line}
seed: 0   # of the first replicate; replicate r of all networks shares its random streams

resources: {{gpus_per_trial: auto, cpus_per_trial: 1}}   # 0.5 lets two trainings share a GPU
"""

_RESIDUAL_AXES = """\
  placement:   # the edits of one label belong together
    choice:
      original: {placement: original, head.tail: []}
      preactivation: {placement: preactivation, head.tail: [bn, relu]}
      pyramid: {placement: pyramid, head.tail: [bn, relu]}
  unit.kind: {choice: [basic, bottleneck]}
  unit.cardinality: {choice: [1, 2, 4], when: {unit.kind: bottleneck}}
"""

_PLAIN = re.compile(r"[\w./~:-]*[\w./~-]")
"""Names that YAML takes for text without quotes."""


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """The answers a starting file is made from."""

    name: str
    base: str
    data: str
    size: int | None
    remark: str
    """On the data, empty for none."""
    recipe: str
    epochs: int
    trials: int
    file: str
    schema: str

    @property
    def data_line(self) -> str:
        """The value of ``data``, with the remark as a comment."""
        name = _as_yaml(self.data, self.data)
        value = name if self.size is None else f"{{name: {name}, size: {self.size}}}"
        return f"{value}   # {self.remark}" if self.remark else value

    @property
    def base_value(self) -> str:
        """The base genome as a value."""
        return _as_yaml(self.base, self.base)

    def question(self, text: str) -> str:
        """A question that names data or base, as a value."""
        return _as_yaml(text, self.base, self.data)


def _as_yaml(text: str, *names: str) -> str:
    """Return a text as YAML, in quotes if one of the names in it needs them."""
    if all(_PLAIN.fullmatch(name) for name in names):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def starting_file(start: StartingPoint, genome: "Genome", params: int) -> str:
    """Return the text of a commented search file over a base genome of ``params`` parameters."""
    depths = [stage.units for stage in genome.stages]
    depth_axis = f"  stages.*.units: {{int: [1, {max(2, *depths)}]}}\n"
    return _TEMPLATE.format(
        schema=start.schema,
        file=start.file,
        name=start.name,
        question=start.question(f"Which placement, unit and depth suit {start.data}?"),
        base=start.base_value,
        axes=_RESIDUAL_AXES + depth_axis,
        limit=f"{max(1, round(params / 1000))}k",
        min_epochs=max(1, start.epochs // 4),
        recipe=start.recipe,
        epochs=start.epochs,
        data_line=start.data_line,
        trials=start.trials,
    )


def starting_ablation(start: StartingPoint, genome: "Genome", lr: float) -> str:
    """Return the text of a commented ablation file of a genome whose recipe has the rate ``lr``."""
    return _ABLATION.format(
        schema=start.schema,
        file=start.file,
        name=start.name,
        question=start.question(f"Which change of {start.base} matters on {start.data}?"),
        base=start.base_value,
        data_line=start.data_line,
        wider=genome.width + max(1, genome.width // 4),
        lr=float(f"{lr / 10:.6g}"),
        seeds=7,
        recipe=start.recipe,
        epochs=start.epochs,
    )


def starting_deletion(start: StartingPoint) -> str:
    """Return the text of a commented deletion file of one network."""
    return _DELETION.format(
        schema=start.schema,
        file=start.file,
        name=start.name,
        question=start.question(
            f"What does a unit of {start.base} cost when it is deleted, and which cost most?"
        ),
        base=start.base_value,
        network=json.dumps(PurePath(start.base).stem),
        seeds=7,
        recipe=start.recipe,
        epochs=start.epochs,
        data_line=start.data_line,
    )
