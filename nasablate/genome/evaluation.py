"""How a trained network looks at the images that judge it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nasablate.genome.base import SpecModel

Side = Annotated[int, Field(ge=1, le=4096)]


class Evaluation(SpecModel):
    """Which views of a picture the final error averages over.

    The picture is scaled to each of ``sides``, and boxes of ``size`` pixels are cut from it. The
    numbers are the paper's: a network that reads another size gets the same shares of the picture.
    Every epoch's validation looks at the centre of the middle side alone.
    """

    crops: Literal[1, 2, 10, 12, 50] = 1
    """From each side: 1 the centre; 2 it and its mirror image; 10 the corners and the centre, each
    mirrored too (Krizhevsky et al. 2012); 12 these and the whole picture (Szegedy et al. 2014);
    50 a grid of 5 x 5, mirrored too (Simonyan and Zisserman 2014)."""
    size: Side = 224
    sides: Annotated[tuple[Side, ...], Field(min_length=1, max_length=16)] = (256,)
    average: Literal["probabilities", "logits"] = "probabilities"
    """What is averaged over the views."""
    every_epoch: bool = False
    """Look at all views after every epoch, not only after the last."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if min(self.sides) < self.size:
            message = (
                f"sides: {min(self.sides)} is smaller than size {self.size}, which is cut from it;"
                " raise it"
            )
            raise ValueError(message)
        if len(set(self.sides)) < len(self.sides):
            message = "sides: one is given twice; remove it"
            raise ValueError(message)
        return self
