"""Which family a network belongs to, and how each family is marked in charts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """A family of networks; no two share both colour and symbol."""

    name: str
    colour: str
    """From Okabe and Ito's palette, which colour-blind readers can tell apart."""
    symbol: str
    """A plotly marker that prints in black and white."""


_PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "pentagon", "hexagon2", "cross",
            "triangle-down", "x", "hourglass")  # fmt: skip
_PREFIXES = {
    "preactresnet": "pre-activation ResNet",
    "pyramidnet": "PyramidNet",
    "resnext": "ResNeXt",
    "resnest": "ResNeSt",
    "resnet": "ResNet",
    "wrn": "Wide ResNet",
    "wide-resnet": "Wide ResNet",
    "plain": "plain",
    "senet": "SENet",
    "seres": "SENet",
    "res2ne": "Res2Net",
    "rexnet": "ReXNet",
    "vgg": "VGG",
    "alexnet": "AlexNet",
    "caffenet": "AlexNet",
    "zfnet": "AlexNet",
    "googlenet": "Inception",
    "inception": "Inception",
    "nin": "NIN",
    "lenet": "LeNet",
}
OTHER = "other"
OWN = "your own"
_NAMES = (*dict.fromkeys(_PREFIXES.values()), OTHER, OWN)


def family_name(preset: str) -> str:
    """Return the family of a preset, by its name.

    >>> family_name("seresnext50-32x4d"), family_name("something-new")
    ('SENet', 'other')
    """
    found = [family for prefix, family in _PREFIXES.items() if preset.startswith(prefix)]
    return found[0] if found else OTHER


def family(name: str) -> Family:
    """Return how a family is marked."""
    place = _NAMES.index(name)
    return Family(name, _PALETTE[place % len(_PALETTE)], _SYMBOLS[place % len(_SYMBOLS)])
