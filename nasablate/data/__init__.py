"""Data sets, their fixed splits and, in ``nasablate.data.batches``, batches on the device.

Only ``augment``, ``batches``, ``stream_batches`` and ``preview`` need torch.
"""

from nasablate.data.absent import info_to_plan
from nasablate.data.images import DataInfo, ImageSet, TrainingData
from nasablate.data.loading import has_test_part, load_info, load_test, load_train

__all__ = [
    "DataInfo",
    "ImageSet",
    "TrainingData",
    "has_test_part",
    "info_to_plan",
    "load_info",
    "load_test",
    "load_train",
]
