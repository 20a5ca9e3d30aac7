"""Everything a user can write in a file: genomes, recipes, search spaces.

The kinds of studies load on first use, since most commands need none or one of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from nasablate.genome.data_spec import DataSpec as DataSpec
from nasablate.genome.files import file_kind as file_kind
from nasablate.genome.files import genome_presets as genome_presets
from nasablate.genome.files import load_ablation as load_ablation
from nasablate.genome.files import load_dashboard as load_dashboard
from nasablate.genome.files import load_deletion as load_deletion
from nasablate.genome.files import load_genome as load_genome
from nasablate.genome.files import load_genome_text as load_genome_text
from nasablate.genome.files import load_recipe as load_recipe
from nasablate.genome.files import load_search as load_search
from nasablate.genome.files import recipe_presets as recipe_presets
from nasablate.genome.genome import Genome as Genome
from nasablate.genome.recipe import Recipe as Recipe

if TYPE_CHECKING:
    from nasablate.genome.ablation import AblationSpec as AblationSpec
    from nasablate.genome.dashboard import DashboardSpec as DashboardSpec
    from nasablate.genome.deletion import DeletionSpec as DeletionSpec
    from nasablate.genome.space import SearchSpec as SearchSpec

_STUDIES = {
    "AblationSpec": "nasablate.genome.ablation",
    "DashboardSpec": "nasablate.genome.dashboard",
    "DeletionSpec": "nasablate.genome.deletion",
    "SearchSpec": "nasablate.genome.space",
}


def __getattr__(name: str) -> object:
    """Import a kind of study from its home."""
    if name not in _STUDIES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_STUDIES[name]), name)
