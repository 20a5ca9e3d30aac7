"""The dashboard file: which panels a page shows of the studies it is rendered for."""

from typing import Annotated, Literal

from pydantic import Field

from nasablate.genome.base import SpecModel
from nasablate.genome.space import NAME_PATTERN

CostName = Literal["params", "macs", "activation_bytes"]
_Resamples = Annotated[int, Field(ge=10, le=10_000)]
_Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class _Panel(SpecModel):
    title: Annotated[str, Field(max_length=200)] = ""
    """Heading instead of the panel's own."""
    note: Annotated[str, Field(max_length=2000)] = ""
    """Text below the heading."""


class PlainPanel(_Panel):
    """A panel without arguments."""

    kind: Literal[
        "answer",
        "results",
        "forest",
        "effects",
        "steps",
        "interaction",
        "sizes",
        "reported",
        "curves",
        "replicates",
        "arms",
        "best",
        "history",
        "parallel",
        "rungs",
        "timeline",
        "trials",
        "failures",
        "protocol",
        "environment",
        "reproduce",
        "studies",
        "contrasts",
        "units",
        "random",
        "groups",
        "pairs",
        "scale",
        "orders",
        "paths",
        "ensembles",
    ]


class FrontPanel(_Panel):
    """The Pareto front of error and a cost, with the limits of the search."""

    kind: Literal["front"]
    cost: CostName = "params"


class SlicePanel(_Panel):
    """The error against each axis."""

    kind: Literal["slice"]
    axes: tuple[str, ...] = ()
    """Only these; none: all that took several values."""


class ContourPanel(_Panel):
    """The mean error over two axes."""

    kind: Literal["contour"]
    axes: tuple[str, str] | None = None
    """Across and up; without them the two that matter most."""


class ImportancePanel(_Panel):
    """How much each axis matters, with intervals."""

    kind: Literal["importance"]
    resamples: _Resamples = 30
    seed: _Seed = 0


class EdfPanel(_Panel):
    """The distribution of errors of all given searches in one figure."""

    kind: Literal["edf"]
    resamples: _Resamples = 1000
    seed: _Seed = 0


class NetworkPanel(_Panel):
    """One network: its picture and cost, its curve, gradients at its units, its first filters."""

    kind: Literal["network", "curve", "gradients", "filters"]
    trial: Annotated[int, Field(ge=0)] | None = None
    """Number of the trial; without it the one in NAME/NUMBER, else the best or the reference."""


class FeatureMapsPanel(_Panel):
    """The images that excite channels of a trained network most, and what in them does."""

    kind: Literal["feature_maps"]
    trial: Annotated[int, Field(ge=0)] | None = None
    """As of the other panels of one network."""
    unit: str = ""
    """Whose output is looked at, such as stages.0.1; without it the last one before the head."""
    channels: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=16)] = ()
    """From 0; without them four spread evenly."""
    most: Annotated[int, Field(ge=1, le=9)] = 4
    """Images of each channel."""
    images: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Images of the validation part that are looked through, from the first."""


class WidthsPanel(_Panel):
    """Width profiles of the networks of all given studies in one figure."""

    kind: Literal["widths"]
    most: Annotated[int, Field(ge=1, le=9)] = 4
    """Networks of each study: arms in their order, or the best trials."""


PanelSpec = (
    PlainPanel
    | FrontPanel
    | SlicePanel
    | ContourPanel
    | ImportancePanel
    | EdfPanel
    | NetworkPanel
    | FeatureMapsPanel
    | WidthsPanel
)


class DashboardSpec(SpecModel):
    """A dashboard, as ``nasablate report NAME --dashboard FILE`` renders it."""

    kind: Literal["dashboard"] = "dashboard"
    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    title: Annotated[str, Field(max_length=200)] = ""
    """Heading of the page; without it the name."""
    panels: Annotated[
        tuple[Annotated[PanelSpec, Field(discriminator="kind")], ...], Field(min_length=1)
    ]
