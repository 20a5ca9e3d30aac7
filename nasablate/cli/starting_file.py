"""The commented search file that ``nasablate init search`` writes."""

from dataclasses import dataclass
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
data: {data}
trials: {trials}   # distinct networks; those tried before do not count again
seed: 0

resources: {{gpus_per_trial: auto, cpus_per_trial: 1}}   # 0.5 lets two trials share a GPU
confirm: {{top: 3, seeds: 5}}   # the best, trained again on fresh seeds, before a test error
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


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """The answers a starting file is made from."""

    name: str
    base: str
    data: str
    recipe: str
    epochs: int
    trials: int
    file: str
    schema: str


def starting_file(start: StartingPoint, genome: "Genome", params: int) -> str:
    """Return the text of a commented search file over a base genome of ``params`` parameters."""
    depths = [stage.units for stage in genome.stages]
    depth_axis = f"  stages.*.units: {{int: [1, {max(2, *depths)}]}}\n"
    return _TEMPLATE.format(
        schema=start.schema,
        file=start.file,
        name=start.name,
        question=f"Which placement, unit and depth suit {start.data}?",
        base=start.base,
        axes=_RESIDUAL_AXES + depth_axis,
        limit=f"{max(1, round(params / 1000))}k",
        min_epochs=max(1, start.epochs // 4),
        recipe=start.recipe,
        epochs=start.epochs,
        data=start.data,
        trials=start.trials,
    )
