"""The genome: how a network is parameterised, not what each layer is."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nasablate.genome.base import Count, Probability, SpecModel
from nasablate.genome.head import AuxiliaryHead, Head
from nasablate.genome.placement import PRESETS, PlacementField, Slot
from nasablate.genome.shortcut import Projection, ShortcutSpec
from nasablate.genome.stage import LocalResponse, Stage
from nasablate.genome.units import Activation, Basic, Custom, UnitSpec
from nasablate.genome.widening import Step, WideningSpec

_MAX_UNITS = 5000


class Input(SpecModel):
    """Shape of one image."""

    channels: Count = 3
    height: Count = 32
    width: Count = 32


class StemPool(SpecModel):
    """The max pool after a 7x7 or deep stem."""

    kernel: Annotated[int, Field(ge=1, le=1000)] = 3
    stride: Annotated[int, Field(ge=1, le=1000)] = 2
    padding: Annotated[int, Field(ge=0, le=1000)] = 1
    ceil: bool = False


class Conv3x3Stem(SpecModel):
    """One 3x3 convolution (CIFAR networks)."""

    kind: Literal["conv3x3"] = "conv3x3"
    width: Count = 16
    stride: Literal[1, 2] = 1
    post: Slot = ("bn", "relu")
    """What follows the convolution: ``[bn]`` in PyramidNet, ``[]`` in He 2016 and WRN."""


class Conv7x7PoolStem(SpecModel):
    """A strided 7x7 convolution and a max pool (ImageNet networks)."""

    kind: Literal["conv7x7_pool"] = "conv7x7_pool"
    width: Count = 64
    post: Slot = ("bn", "relu")
    pool: StemPool | None = StemPool()


class DeepStem(SpecModel):
    """Three 3x3 convolutions, the first strided, and a max pool (ResNet-C; 1812.01187)."""

    kind: Literal["deep"] = "deep"
    width: Count = 64
    mid: Count | tuple[Count, Count] = 32
    """Width of the first two convolutions, or of each of them."""
    between: Slot = ("bn", "relu")
    """After each of the first two convolutions."""
    post: Slot = ("bn", "relu")
    pool: StemPool | None = StemPool()


class NoStem(SpecModel):
    """No stem: the first unit reads the image (LeNet to GoogLeNet)."""

    kind: Literal["none"] = "none"


StemSpec = Annotated[Conv3x3Stem | Conv7x7PoolStem | DeepStem | NoStem, Field(discriminator="kind")]


class SqueezeExcitation(SpecModel):
    """Channel gates computed from the global average (Hu et al. 2017, arXiv 1709.01507)."""

    ratio: Annotated[float, Field(gt=0, le=4)] = 0.0625
    """Squeezed width / input width (1/16 in the paper, whose r is the inverse)."""
    position: Literal["standard", "pre", "post", "identity", "inner"] = "standard"
    """End of the branch, before its first convolution, after the merge, on the shortcut, or
    after the last-but-one convolution and its slot (Table 14 of the paper)."""
    bias: bool = True
    """Of the two convolutions, even where ``bn`` follows the first (ReXNet)."""
    bn: bool = False
    """Whether a normalisation follows the first convolution (ReXNet)."""
    rounding: Literal["half_up", "floor"] = "half_up"
    """How the squeezed width becomes an integer."""
    multiple_of: Count = 1
    """Round the squeezed width to the nearest positive multiple (8 in timm)."""
    stages: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    """Stages with gates, from 0; null means all."""


class DropPath(SpecModel):
    """Probability that a unit's branch is dropped in training (arXiv 1603.09382).

    Units without a shortcut are never dropped, since nothing would be left of them.
    """

    final: Probability = 0.0
    """Probability at the last unit."""
    rule: Literal["linear", "constant"] = "linear"
    """``linear``: unit l of L has ``final * l / L``, l from 1."""
    per: Literal["batch", "sample"] = "sample"
    rescale: Literal["train", "test"] = "train"
    """Divide by the survival probability in training, or multiply by it in testing."""


class DropBlockSpec(SpecModel):
    """Squares of feature maps zeroed in training (Ghiasi et al. 2018, arXiv 1810.12890).

    They follow the normalisation after every convolution of a branch, before its activation
    (ResNeSt, arXiv 2004.08955).
    """

    p: Probability = 0.0
    """Share of positions that is zeroed."""
    size: Annotated[int, Field(ge=1, le=1000)] = 3
    """Side of the squares; feature maps smaller than that are zeroed as a whole."""
    per: Literal["batch", "sample"] = "sample"
    """``batch``: all images of a batch share the mask (ResNeSt's Gluon code)."""
    stages: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    """Stages that have it, from 0; null means all."""


class Norm(SpecModel):
    """Batch normalisation constants."""

    eps: Annotated[float, Field(gt=0)] = 1e-5
    momentum: Annotated[float, Field(gt=0, le=1)] = 0.1


class Genome(SpecModel):
    """A network's parameterisation; ``nasablate.blueprint.lower`` resolves every number.

    Example:
        >>> from nasablate.genome import load_genome
        >>> load_genome("resnet-20").stages[0].units
        3
    """

    kind: Literal["genome"] = "genome"
    schema_version: Literal[1] = 1
    name: str = ""
    """A label; it is no part of the network."""
    source: str = ""
    """Where the numbers come from; it is no part of the network."""
    input: Input = Input()
    classes: Count = 10
    stem: StemSpec = Conv3x3Stem()
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=100)]
    width: Count = 16
    """Width where the widening schedule starts."""
    widening: WideningSpec = Step()
    unit: UnitSpec = Basic()
    placement: PlacementField = PRESETS["original"]
    shortcut: ShortcutSpec = Projection()
    activation: Activation = "relu"
    """The function that stands wherever a slot says ``relu``."""
    se: SqueezeExcitation | None = None
    lrn: LocalResponse | None = None
    dropout: Probability = 0.0
    """Before the last convolution of every unit (Wide ResNet)."""
    drop_path: DropPath = DropPath()
    drop_block: DropBlockSpec = DropBlockSpec()
    head: Head = Head()
    auxiliary: Annotated[tuple[AuxiliaryHead, ...], Field(max_length=16)] = ()
    """Classifiers that help the training from the middle of the network (GoogLeNet)."""
    norm: Norm = Norm()
    conv_bias: Literal["auto", "always"] = "auto"
    """``auto``: convolutions have no bias if the placement has any ``bn``; ``always`` keeps
    biases under normalisation (torchvision's vgg_bn, the stochastic-depth code)."""

    @property
    def own_code(self) -> tuple[Custom, ...]:
        """Return the units that are classes of the user's own."""
        found: list[UnitSpec] = [self.unit]
        for stage in self.stages:
            found += stage.unit if isinstance(stage.unit, tuple) else [stage.unit or self.unit]
        return tuple(unit for unit in found if isinstance(unit, Custom))

    @model_validator(mode="after")
    def _not_endless(self) -> Self:
        units = sum(stage.units for stage in self.stages)
        if units > _MAX_UNITS:
            message = f"the stages have {units} units, more than {_MAX_UNITS}; lower their units"
            raise ValueError(message)
        return self
