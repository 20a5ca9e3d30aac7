"""A finished network's predictions for every image, left beside its checkpoint."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

PREDICTIONS = "validation.json"


def save_predictions(folder: Path, correct: Tensor, loss: float, true_probability: float) -> None:
    """Write the validation part's predictions so that no reader sees half of them.

    Args:
        folder: The trial's folder.
        correct: Bool, one per image, in the order of the data set.
        loss: Mean cross-entropy.
        true_probability: Mean probability of the true class.
    """
    packed = np.packbits(correct.cpu().numpy()).tobytes()
    document: dict[str, Any] = {
        "num_images": len(correct),
        "correct": base64.b64encode(packed).decode(),
        "loss": loss,
        "true_probability": true_probability,
    }
    path = folder / PREDICTIONS
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(document))
    temporary.replace(path)
