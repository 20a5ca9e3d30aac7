"""What is done to training images before the network sees them."""

from typing import Annotated, Literal

from pydantic import Field

from nasablate.genome.base import SpecModel


class Augmentation(SpecModel):
    """Random crop after padding, and horizontal flip, on batches of uint8 images."""

    pad: Annotated[int, Field(ge=0, le=64)] = 0
    pad_mode: Literal["zero", "reflect"] = "zero"
    """``zero`` pads with the data set's mean colour, zero after normalisation."""
    flip: bool = False
