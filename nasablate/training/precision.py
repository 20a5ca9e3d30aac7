"""Half precision where the hardware computes in it; norms and losses stay in single precision."""

from contextlib import AbstractContextManager, nullcontext

import torch

from nasablate.errors import NOT_GIVEN, Problem, SpecError
from nasablate.genome.recipe import Precision

_CPU_UNITS = ("amx_bf16", "avx512_bf16", "bf16")


def check_precision(precision: Precision, device: torch.device) -> None:
    """Refuse bfloat16 on hardware that only imitates it.

    Raises:
        SpecError: the device has no bfloat16 units; a CPU without them takes ten times as long.
    """
    if precision == "bfloat16" and not has_bfloat16(device):
        rule = f"bfloat16 is not computed by this {device.type}, only imitated"
        raise SpecError(Problem("training.precision", NOT_GIVEN, rule, "use float32"))


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether the device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(unit, False) for unit in _CPU_UNITS)


def computing_in(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a network's forward pass runs.

    Weights and the statistics of normalisations stay float32, feature maps become bfloat16.
    """
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
