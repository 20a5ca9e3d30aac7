"""How a training's steps are executed: settled before it begins, from counts alone; no torch.

On a CPU nothing but a recipe's own word changes how steps are executed, since compiled steps round
differently. On a GPU results agree within a band anyway, so there the form with the least expected
time is taken. What is expected follows from the network, the recipe and the number of trainings,
never from a clock, so that a training that is taken up again is executed as before.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from nasablate.blueprint import cost, lower
from nasablate.blueprint.blueprint import Blueprint
from nasablate.blueprint.ops import Conv
from nasablate.errors import Problem, SpecError
from nasablate.training.job import Execution, Form, TrainJob

LEAST_GAIN = 0.05
"""The share of eager steps' time that another form must save."""

_LAUNCHES_PER_LAYER = 3
"""Kernels of a layer in a step, forward and backward."""
_LAUNCH_SECONDS = {"eager": 8e-6, "compile": 8e-6, "graphs": 3e-6}
"""Per kernel: what starting it takes, or its own latency where the GPU starts it."""
_FUSED = 0.5
"""The share of kernels that compiled steps are left with."""
_BYTES_PER_VALUE = 4 * 6
"""Traffic of a step per value of the feature maps: each is read or written some six times."""
_FUSED_BYTES = 0.8
_BYTES_PER_SECOND = 4e12
_COMPILE_SECONDS = 5.7
"""Per convolution: compiling PyramidNet-110 anew took 629 s on a CPU."""
_CAPTURE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class FormCost:
    """What is expected of one form."""

    setup_seconds: float
    """Once for all trainings of a network."""
    step_seconds: float

    def total(self, steps: int) -> float:
        """Return the seconds of so many steps."""
        return self.setup_seconds + steps * self.step_seconds


def choose(costs: Mapping[Form, FormCost], steps: int) -> Execution:
    """Return the form with the least expected time, eager unless another saves enough.

    Args:
        costs: Of all forms that are possible, eager among them.
        steps: Of all trainings that share what is set up.

    >>> costs = {"eager": FormCost(0, 1.0), "compile": FormCost(100, 0.8)}
    >>> choose(costs, 400).reason
    'compile would take 420 s for 400 steps, eager 400 s'
    >>> choose(costs, 4000).reason
    'expected to take 3,300 s for 4,000 steps, eager 4,000 s'
    """
    eager = costs["eager"].total(steps)
    others: dict[Form, FormCost] = {form: each for form, each in costs.items() if form != "eager"}
    if not others:
        return Execution("eager", "no other form is possible")
    best = min(others, key=lambda form: others[form].total(steps))
    seconds = others[best].total(steps)
    if seconds > (1 - LEAST_GAIN) * eager:
        reason = f"{best} would take {_seconds(seconds)} for {steps:,} steps, eager"
        return Execution("eager", f"{reason} {_seconds(eager)}")
    reason = f"expected to take {_seconds(seconds)} for {steps:,} steps, eager {_seconds(eager)}"
    return Execution(best, reason)


def execution_of(job: TrainJob, device: str, steps: int) -> Execution:
    """Return how a job's training of ``steps`` steps is executed on a kind of device.

    Raises:
        SpecError: compiled steps are asked for, and there is no compiler.
    """
    asked = job.recipe.execution
    if asked == "eager":
        return Execution("eager", "asked for")
    if asked != "auto":
        hindrance = hindrance_to(asked, job, device)
        if hindrance:
            return Execution("eager", f"{asked} was asked for, but {hindrance}")
        if asked == "compile" and not has_compiler():
            rule, remedy = "there is no C++ compiler here", "install one, or write eager"
            raise SpecError(Problem("training.execution", asked, rule, remedy))
        return Execution(asked, "asked for")
    if device != "cuda":
        return Execution("eager", "compiled steps would change the bits; a recipe can ask for them")
    expected = expected_costs(lower(job.genome), job.recipe.batch_size)
    if not has_compiler():
        del expected["compile"]
    possible: dict[Form, FormCost] = {
        form: each for form, each in expected.items() if not hindrance_to(form, job, device)
    }
    return choose(possible, steps * job.trainings)


def hindrance_to(form: Form, job: TrainJob, device: str) -> str:
    """Return why a form is not possible, empty if it is."""
    if form == "eager":
        return ""
    if job.genome.own_code:
        return "the network has code of its own"
    if job.workers > 1:
        return "several workers share every batch"
    if form == "graphs":
        if device != "cuda":
            return "graphs are those of CUDA"
        if job.recipe.accumulate > 1:
            return "a step has several batches"
    return ""


def has_compiler() -> bool:
    """Tell whether torch finds what it compiles with."""
    return any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl"))


def expected_costs(blueprint: Blueprint, batch_size: int) -> dict[Form, FormCost]:
    """Return what each form is expected to take on a large GPU.

    Estimates from counts of layers and of values, good for a ranking: a step takes as long as its
    launches or its memory traffic, whichever is longer.
    """
    parts = [*blueprint.parts, *(head.part for head in blueprint.auxiliary)]
    launches = _LAUNCHES_PER_LAYER * sum(len(part.fragment.layers) for part in parts)
    traffic = cost(blueprint).activations * batch_size * _BYTES_PER_VALUE / _BYTES_PER_SECOND
    convolutions = sum(
        isinstance(layer.op, Conv) for part in parts for layer in part.fragment.layers
    )
    compiled = _COMPILE_SECONDS * convolutions
    started = {form: launches * seconds for form, seconds in _LAUNCH_SECONDS.items()}
    return {
        "eager": FormCost(0.0, max(started["eager"], traffic)),
        "compile": FormCost(compiled, max(_FUSED * started["compile"], _FUSED_BYTES * traffic)),
        "graphs": FormCost(_CAPTURE_SECONDS, max(started["graphs"], traffic)),
    }


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
