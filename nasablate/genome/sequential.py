"""The looks of an ablation that stops training arms which are settled."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from nasablate.genome.base import SpecModel

_BASELINE_SEEDS = 24
"""Enough to show the spread of an ablation with a single arm at its first look."""
MANY_ARMS = 20
"""Arms from which on other looks are the default; so many show how their spreads differ, too."""
_FOR_MANY: dict[str, Any] = {
    "looks": tuple(range(1, 15)),
    "baseline_seeds": 28,
    "spending": "cubic",
}
_FUTILITY_FOR_MANY = 2.2
"""With the default looks alone: a study begun before this key existed has all looks written out."""


def _baseline_seeds(given: dict[str, Any]) -> int:
    return max(_BASELINE_SEEDS, *given.get("looks", ()))


class Sequential(SpecModel):
    """Looks at planned numbers of seeds: an arm that is settled there is trained no further."""

    looks: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1000)], ...], Field(min_length=1, max_length=50)
    ] = (2, 3, 4, 6, 8, 10)
    """Seeds that every open arm has at each look, growing. With 20 arms or more the default is 1
    to 14: after a single training an arm may be futile, which most of many arms are."""
    baseline_seeds: Annotated[int, Field(ge=2, le=1000, default_factory=_baseline_seeds)]
    """Seeds of the baseline, which all arms are compared with; 24, with 20 arms or more 28, or the
    last look if that is more. With more than 20 any number of arms will do; the square root of the
    number of arms times the seeds of an arm costs least."""
    interest: Annotated[float, Field(gt=0, le=100)] | None = None
    """Smallest difference that matters, in percentage points: an arm two standard errors short of
    it is futile and stops. Null never stops for that."""
    interest_in: Literal["worse", "both"] = "both"
    """``worse``: an arm is futile as soon as it cannot be that much worse than the baseline, though
    it may be better, as when parts are taken away."""
    spending: Literal["obrien_fleming", "cubic", "power"] = "obrien_fleming"
    """How the error of 5 % is spread over the looks: ``obrien_fleming`` spends almost nothing
    early, ``power`` (the square of the share of information) stops large differences sooner,
    ``cubic`` (its cube) lies between them and is the default with 20 arms or more."""

    futility: Annotated[float, Field(gt=0, le=10)] = 2.0
    """Standard errors short of ``interest`` at which an arm is futile; 2.2 with the looks that 20
    arms or more have by default, since each look may give up an arm by chance."""

    @classmethod
    def of(cls, arms: int) -> Self:
        """Return the default for a number of arms."""
        return cls.parse({}).for_arms(arms)

    def for_arms(self, arms: int) -> Self:
        """Return it with the defaults for a number of arms where nothing was said."""
        if arms < MANY_ARMS:
            return self
        said = {key: getattr(self, key) for key in self.model_fields_set}
        if "looks" not in said:
            said.setdefault("futility", _FUTILITY_FOR_MANY)
        if "looks" in said:
            said.setdefault("baseline_seeds", max(_FOR_MANY["baseline_seeds"], *said["looks"]))
        return type(self)(**{**_FOR_MANY, **said})
