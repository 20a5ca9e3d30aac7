"""Data sets, their fixed splits and, in ``nasablate.data.augment``, batches on the device.

Everything here but ``augment`` works without torch.
"""

from nasablate.data.images import DataInfo, ImageSet, TrainingData
from nasablate.data.loading import load_info, load_test, load_train

__all__ = ["DataInfo", "ImageSet", "TrainingData", "load_info", "load_test", "load_train"]
