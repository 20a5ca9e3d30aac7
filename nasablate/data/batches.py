"""The batches of a part: from memory where it is there, else from the disk; the same either way."""

import torch

from nasablate.data.augment import EvalBatches, TrainBatches
from nasablate.data.images import DataInfo, ImageSet, Part
from nasablate.data.stream_batches import StreamedEvalBatches, StreamedTrainBatches
from nasablate.data.streaming import StreamedSet
from nasablate.genome.augmentation import Augmentation


def train_batches(
    part: Part,
    info: DataInfo,
    augmentation: Augmentation,
    batch_size: int,
    device: torch.device,
) -> TrainBatches | StreamedTrainBatches:
    """Return shuffled, augmented batches for training."""
    if isinstance(part, StreamedSet):
        return StreamedTrainBatches(part, info, augmentation, batch_size, device)
    assert isinstance(part, ImageSet)
    return TrainBatches(part, info, augmentation, batch_size, device)


def eval_batches(
    part: Part, info: DataInfo, batch_size: int, device: torch.device
) -> EvalBatches | StreamedEvalBatches:
    """Return batches in the part's own order, without augmentation."""
    if isinstance(part, StreamedSet):
        return StreamedEvalBatches(part, info, batch_size, device)
    assert isinstance(part, ImageSet)
    return EvalBatches(part, info, batch_size, device)
