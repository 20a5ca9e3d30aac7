"""What is done to training images before the network sees them."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nasablate.genome.base import SpecModel

Chance = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Spread = Annotated[float, Field(ge=0, le=1)]


class ResizedCrop(SpecModel):
    """A box of random area, shape and place, scaled to the size of the image (bilinear).

    Szegedy et al. 2014 (arXiv 1409.4842). The box is cut from the image as the data set holds it.
    """

    min_area: Share = 0.08
    max_area: Share = 1.0
    max_aspect: Annotated[float, Field(ge=1, le=100)] = 4 / 3
    """Width over height is between this and its inverse, uniform in the logarithm."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_area > self.max_area:
            message = f"min_area {self.min_area} is above max_area; lower it"
            raise ValueError(message)
        return self


class RandomCrop(SpecModel):
    """A box at a random place of the picture, after the picture was scaled to a random side.

    Side and place are whole pixels, all equally likely: Krizhevsky et al. 2012 cut 224 of 256;
    Simonyan and Zisserman 2014 (arXiv 1409.1556) jitter the side. The numbers are the paper's:
    a network that reads another ``size`` gets the same shares of the picture.
    """

    size: Annotated[int, Field(ge=1, le=4096)] = 224
    min_side: Annotated[int, Field(ge=1, le=4096)] = 256
    max_side: Annotated[int, Field(ge=1, le=4096)] = 256

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.size <= self.min_side <= self.max_side:
            message = (
                f"size {self.size}, min_side {self.min_side} and max_side {self.max_side} must not"
                " fall in this order; e.g. size: 224, min_side: 256, max_side: 480"
            )
            raise ValueError(message)
        return self


class ColourJitter(SpecModel):
    """Brightness, contrast and saturation, each blended by a factor in 1 - x to 1 + x.

    The order of the three is drawn for every image, as in fb.resnet.torch.
    """

    brightness: Spread = 0.4
    contrast: Spread = 0.4
    saturation: Spread = 0.4


class Cutout(SpecModel):
    """A square around a random pixel becomes the mean colour (DeVries and Taylor 2017, 1708.04552).

    Of a square that reaches over the border, only the part inside is cut out.
    """

    size: Annotated[int, Field(ge=1, le=4096)] = 16
    p: Chance = 1.0


class RandomErasing(SpecModel):
    """A box of random area and shape is painted over (Zhong et al. 2017, arXiv 1708.04896)."""

    p: Chance = 0.5
    min_area: Share = 0.02
    max_area: Share = 0.4
    max_aspect: Annotated[float, Field(ge=1, le=100)] = 10 / 3
    fill: Literal["mean", "colour"] = "mean"
    """The mean colour, or one drawn from N(0, 1) in each normalised channel."""


class Mixup(SpecModel):
    """Images and labels mixed with those of another image (Zhang et al. 2017, arXiv 1710.09412).

    Every image has its own share, from a beta distribution; the other is the batch's next one.
    """

    alpha: Annotated[float, Field(gt=0, le=100)] = 0.2
    p: Chance = 1.0


class CutMix(SpecModel):
    """A box of another image pasted in, labels mixed by area (Yun et al. 2019, 1905.04899)."""

    alpha: Annotated[float, Field(gt=0, le=100), "cutmix"] = 1.0
    p: Annotated[float, Field(gt=0, le=1), "cutmix"] = 0.5


class AutoAugment(SpecModel):
    """One of 25 pairs of operations for every image (Cubuk et al. 2018, arXiv 1805.09501).

    The policies and operations are kornia's; needs ``nasablate[augment]``.
    """

    kind: Literal["auto_augment"] = "auto_augment"
    policy: Literal["cifar10", "imagenet", "svhn"] = "cifar10"


class RandAugment(SpecModel):
    """``ops`` operations out of 15 for every image (Cubuk et al. 2019, arXiv 1909.13719).

    The operations are kornia's; needs ``nasablate[augment]``.
    """

    kind: Literal["rand_augment"] = "rand_augment"
    ops: Annotated[int, Field(ge=1, le=10)] = 2
    magnitude: Annotated[int, Field(ge=1, le=29)] = 9
    """Strength out of 30; magnitude 9 out of 10, as some programs count, is 27 here."""


PolicySpec = Annotated[AutoAugment | RandAugment, Field(discriminator="kind")]


class Augmentation(SpecModel):
    """What a batch of uint8 images goes through, in the order of these fields.

    Everything is drawn for every image by itself. Each kind has its own stream of randomness, so
    that arms which differ in one of them still share the others.
    """

    later: ClassVar[frozenset[str]] = frozenset(
        {
            "crop",
            "resized_crop",
            "policy",
            "colour_jitter",
            "lighting",
            "cutout",
            "erasing",
            "mixup",
            "cutmix",
        }
    )
    pad: Annotated[int, Field(ge=0, le=64)] = 0
    """Pixels added on each side before a random crop of the former size."""
    pad_mode: Literal["zero", "reflect"] = "zero"
    """``zero`` pads with the data set's mean colour, zero after normalisation."""
    crop: RandomCrop | None = None
    resized_crop: ResizedCrop | None = None
    flip: bool = False
    """Mirror half of the images."""
    policy: PolicySpec | None = None
    colour_jitter: ColourJitter | None = None
    lighting: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Standard deviation of the noise along the principal colours of ImageNet (Krizhevsky et al.
    2012, there 0.1), with the axes and lengths of fb.resnet.torch."""
    cutout: Cutout | None = None
    erasing: RandomErasing | None = None
    mixup: Mixup | None = None
    cutmix: CutMix | None = None

    @model_validator(mode="after")
    def _one_crop_one_mixture(self) -> Self:
        if self.resized_crop is not None and self.pad:
            message = "pad and resized_crop both crop; set pad: 0"
            raise ValueError(message)
        if self.crop is not None and (self.pad or self.resized_crop is not None):
            other = "pad" if self.pad else "resized_crop"
            message = f"{other} and crop both crop; set {other}: {'0' if self.pad else 'null'}"
            raise ValueError(message)
        if self.mixup is not None and self.cutmix is not None:
            chances = self.mixup.p + self.cutmix.p
            if chances > 1:
                message = (
                    f"mixup.p + cutmix.p = {chances:g}: an image gets one of the two or neither;"
                    " lower one of them, e.g. both to 0.5"
                )
                raise ValueError(message)
        return self
