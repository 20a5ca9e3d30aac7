"""Where normalisation and activation stand around the convolutions of a residual unit."""

from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import AfterValidator, Discriminator, Tag

from nasablate.genome.base import SpecModel

Token = Literal["bn", "relu"]
"""``bn`` is a batch normalisation, ``relu`` the activation (the genome's ``activation``)."""

Slot = tuple[Token, ...]


class Placement(SpecModel):
    """Four slots around the convolutions of every unit, each a sequence of ``bn`` and ``relu``.

    Sources: He et al. 2016 (arXiv 1603.05027, Fig. 4), Han et al. 2017 (arXiv 1610.02915, Fig. 6).
    """

    pre: Slot = ()
    """Before the first convolution."""
    between: Slot | tuple[Slot, ...] = ("bn", "relu")
    """Between two convolutions: one slot for every gap, or a list with one slot per gap."""
    post: Slot = ("bn",)
    """After the last convolution, inside the branch."""
    merged: Slot = ("relu",)
    """After the addition."""
    first_unit_pre: bool = True
    """False leaves out ``pre`` in the very first unit (ImageNet pre-activation networks)."""

    def gap(self, index: int) -> Slot:
        """Return the slot of gap ``index`` (from 0); the last one repeats."""
        slots = self.between
        if not slots or isinstance(slots[0], str):
            return cast("Slot", slots)
        return cast("tuple[Slot, ...]", slots)[min(index, len(slots) - 1)]


PRESETS: dict[str, Placement] = {
    "original": Placement(),
    "bn_after_addition": Placement(post=(), merged=("bn", "relu")),
    "relu_before_addition": Placement(post=("bn", "relu"), merged=()),
    "relu_only_preactivation": Placement(pre=("relu",), post=("bn",), merged=()),
    "preactivation": Placement(pre=("bn", "relu"), post=(), merged=()),
    "no_first_relu": Placement(pre=("bn",), post=(), merged=()),
    "final_bn": Placement(pre=("bn", "relu"), post=("bn",), merged=()),
    "pyramid": Placement(pre=("bn",), post=("bn",), merged=()),
}
"""He 2016: original (a), bn_after_addition (b), relu_before_addition (c),
relu_only_preactivation (d), preactivation (e). Han 2017: preactivation (a), no_first_relu (b),
final_bn (c), pyramid (d)."""


def placement_name(placement: Placement) -> str:
    """Return the preset's name, or ``custom``.

    >>> placement_name(Placement())
    'original'
    """
    return next((name for name, preset in PRESETS.items() if preset == placement), "custom")


PlacementName = Literal[
    "original",
    "bn_after_addition",
    "relu_before_addition",
    "relu_only_preactivation",
    "preactivation",
    "no_first_relu",
    "final_bn",
    "pyramid",
]


def _name_or_slots(value: object) -> str:
    return "name" if isinstance(value, str) else "slots"


def _from_name(value: Placement | str) -> Placement:
    return PRESETS[value] if isinstance(value, str) else value


if TYPE_CHECKING:
    PlacementField = Placement
else:
    PlacementField = Annotated[
        Annotated[Placement, Tag("slots")] | Annotated[PlacementName, Tag("name")],
        Discriminator(_name_or_slots),
        AfterValidator(_from_name),
    ]
    """A preset's name or the four slots; always a ``Placement`` once validated."""
