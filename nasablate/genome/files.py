"""Loads genomes, recipes and search files, by preset name or by path."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from nasablate.errors import NOT_GIVEN, Problem, SpecError
from nasablate.genome.base import SpecModel
from nasablate.genome.edits import apply_edits, check_path
from nasablate.genome.genome import Genome
from nasablate.genome.problems import nearest
from nasablate.genome.recipe import Recipe
from nasablate.genome.weights_header import genome_text, is_safetensors
from nasablate.genome.yaml_source import YamlSource, parse_yaml, read_yaml

if TYPE_CHECKING:  # each kind of study is loaded with the first file of that kind
    from nasablate.genome.ablation import AblationSpec
    from nasablate.genome.dashboard import DashboardSpec
    from nasablate.genome.deletion import DeletionSpec, Network
    from nasablate.genome.space import SearchSpec

_Spec = TypeVar("_Spec", bound=SpecModel)
_Study = TypeVar("_Study", "SearchSpec", "AblationSpec")
_COMMANDS = {
    "search": "nasablate search",
    "genome": "nasablate describe",
    "recipe": "nasablate train --recipe",
    "ablation": "nasablate ablate",
    "deletion": "nasablate delete-units",
    "dashboard": "nasablate report --dashboard",
}


def genome_presets() -> list[str]:
    """Return the names of all genome presets, sorted."""
    return sorted(_preset_files("presets"))


def preset_text(name: str) -> str:
    """Return the YAML file of a genome preset.

    Raises:
        SpecError: there is no such preset; the message names the nearest.
    """
    presets = _preset_files("presets")
    if name not in presets:
        raise _no_preset(name, presets, "genome")
    return presets[name]


def recipe_presets() -> list[str]:
    """Return the names of all recipes that come with the package, sorted."""
    return sorted(_preset_files("recipes"))


def load_genome(ref: str | Path | Mapping[str, Any], *, relative_to: Path | None = None) -> Genome:
    """Load a genome from a preset's name, a YAML file or plain data.

    Args:
        ref: The name, path or mapping; a path may be relative to ``relative_to``. A safetensors
            file of ``nasablate export`` stands for the genome in it.
        relative_to: Folder of the file that names this genome.

    Raises:
        SpecError: there is no such preset or file, or its content breaks a rule.
    """
    if isinstance(ref, Mapping):
        return Genome.parse({"kind": "genome", **ref})
    source = _find(ref, "presets", "genome", relative_to)
    return _parse(source, Genome)


def load_genome_text(text: str, name: str) -> Genome:
    """Load a genome from YAML text; ``name`` stands for the file in messages.

    Raises:
        SpecError: the text breaks a rule.
    """
    return _parse(parse_yaml(text, name), Genome)


def load_recipe(ref: str | Path | Mapping[str, Any], *, relative_to: Path | None = None) -> Recipe:
    """Load a recipe from a name, a YAML file, or the ``training`` value of a study file.

    A mapping with ``recipe`` starts from that recipe and replaces the fields it names:
    ``{recipe: quick, epochs: 5, optimizer: {lr: 0.05}}``.

    Raises:
        SpecError: there is no such recipe or file, or a field breaks a rule.
    """
    if not isinstance(ref, Mapping):
        return _parse(_find(ref, "recipes", "recipe", relative_to), Recipe)
    if "recipe" not in ref:
        return Recipe.parse({"kind": "recipe", **ref})
    name = ref["recipe"]
    if not isinstance(name, str):
        rule, remedy = "must be a recipe's name or file", f"known: {', '.join(recipe_presets())}"
        raise SpecError(Problem("recipe", name, rule, remedy, loc=("recipe",)))
    try:
        base = load_recipe(name, relative_to=relative_to)
    except SpecError as error:
        raise _below("recipe", error) from None
    changes = {key: value for key, value in ref.items() if key != "recipe"}
    if changes:
        changes.setdefault("name", f"{base.name}*")
    document = base.document()
    edits = dict(_leaves(changes, document))
    for path in edits:
        check_path(Recipe, path)
    document, ignored = apply_edits(Recipe, document, edits)
    if ignored:
        rule = "this recipe has no such key; another kind has"
        raise SpecError([Problem(path, edits[path], rule, "set the kind too") for path in ignored])
    return Recipe.parse(document)


def load_search(path: str | Path) -> "SearchSpec":
    """Load a search file with its base genome and its recipe written out in full.

    What comes back depends on no other file, so it can be stored and compared.

    Raises:
        SpecError: the file, its base or its recipe breaks a rule; the message names the place.
    """
    from nasablate.genome.space import SearchSpec

    return _load_study(Path(path), SearchSpec, "base")


def load_ablation(path: str | Path) -> "AblationSpec":
    """Load an ablation file with its baseline and its recipe written out in full.

    Raises:
        SpecError: the file, its baseline or its recipe breaks a rule; the message names the place.
    """
    from nasablate.genome.ablation import AblationSpec

    return _load_study(Path(path), AblationSpec, "baseline")


def load_deletion(path: str | Path) -> "DeletionSpec":
    """Load a deletion file with its genomes and its recipe written out in full.

    Raises:
        SpecError: the file, a network or its recipe breaks a rule; the message names the place.
    """
    from nasablate.genome.deletion import DeletionSpec

    path = Path(path)
    source = read_yaml(path)
    spec = _parse(source, DeletionSpec)
    networks = {
        name: _full_network(source, name, network, path.parent)
        for name, network in spec.networks.items()
    }
    recipe = _nested(
        source, "training", lambda: load_recipe(spec.training, relative_to=path.parent)
    )
    return spec.model_copy(update={"networks": networks, "training": recipe.document()})


def _full_network(source: YamlSource, name: str, network: "Network", folder: Path) -> "Network":
    """Return a network whose genome depends on no other file."""
    from nasablate.genome.deletion import FromWeights, TrainedHere

    key = "base" if isinstance(network, TrainedHere) else "genome"
    ref = getattr(network, key, None)
    if ref is None:
        return network
    try:
        genome = load_genome(ref, relative_to=folder)
    except SpecError as error:
        raise source.locate(error, ("networks", name)) from None
    changes: dict[str, Any] = {key: genome.document()}
    if isinstance(network, FromWeights):
        changes["weights"] = tuple(_beside(file, folder) for file in network.weights)
    return network.model_copy(update=changes)


def _beside(file: str, folder: Path) -> str:
    beside = folder / file
    return str((beside if _is_file(beside) else Path(file)).absolute())


def load_dashboard(path: str | Path) -> "DashboardSpec":
    """Load a dashboard file.

    Raises:
        SpecError: the file breaks a rule; the message names the place.
    """
    from nasablate.genome.dashboard import DashboardSpec

    return _parse(read_yaml(Path(path)), DashboardSpec)


def file_kind(path: str | Path) -> str:
    """Return what a file says it is (``search``, ``ablation``, ...), empty if it does not say.

    Raises:
        SpecError: the file is no YAML mapping.
    """
    return str(read_yaml(Path(path)).data.get("kind", ""))


def _load_study(path: Path, model: type[_Study], key: str) -> _Study:
    source = read_yaml(path)
    spec = _parse(source, model)
    genome = _nested(source, key, lambda: load_genome(getattr(spec, key), relative_to=path.parent))
    recipe = _nested(
        source, "training", lambda: load_recipe(spec.training, relative_to=path.parent)
    )
    return spec.model_copy(update={key: genome.document(), "training": recipe.document()})


def _below(key: str, error: SpecError) -> SpecError:
    """Return an error without a path as one about ``key``."""
    return SpecError(
        [
            problem if problem.path or problem.where else replace(problem, path=key, loc=(key,))
            for problem in error.problems
        ]
    )


def _nested(source: YamlSource, key: str, load: Any) -> Any:
    try:
        return load()
    except SpecError as error:
        raise source.locate(error, (key,)) from None


def _parse(source: YamlSource, model: type[_Spec]) -> _Spec:
    kind = str(model.model_fields["kind"].default)
    found = source.data.get("kind", NOT_GIVEN)
    if found != kind:
        command = _COMMANDS.get(found) if isinstance(found, str) else None
        article = "an" if kind == "ablation" else "a"
        rule = f"{article} {kind} file must say kind: {kind}"
        remedy = f"this file is for '{command}'" if command else f"write kind: {kind}"
        raise SpecError(Problem("kind", found, rule, remedy, source.where(("kind",))))
    try:
        return model.parse(source.data)
    except SpecError as error:
        raise source.locate(error) from None


def _find(ref: str | Path, folder: str, what: str, relative_to: Path | None) -> YamlSource:
    """Find a preset by name, else a file, first beside the file that names it."""
    presets = _preset_files(folder)
    if isinstance(ref, str) and ref in presets:
        return parse_yaml(presets[ref], f"{ref} (preset)")
    path = Path(ref)
    beside = relative_to / path if relative_to is not None else path
    for candidate in (beside, path):
        if _is_file(candidate):
            if what == "genome" and is_safetensors(candidate):
                return parse_yaml(genome_text(candidate), str(candidate))
            return read_yaml(candidate)
    if isinstance(ref, str) and "/" not in ref and path.suffix not in {".yaml", ".yml"}:
        raise _no_preset(ref, presets, what)
    raise SpecError(Problem("", str(ref), "there is no such file", "check the path"))


def _no_preset(name: str, presets: Mapping[str, str], what: str) -> SpecError:
    hint = nearest(name, presets)
    if "mean" not in hint and what == "genome":
        hint = "'nasablate genomes' lists them"
    return SpecError(Problem("", name, f"no {what} preset has this name", hint))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long for the system, or with a null in it
        return False


@cache
def _preset_files(folder: str) -> dict[str, str]:
    entries = files("nasablate.genome").joinpath(folder).iterdir()
    return {
        entry.name.removesuffix(".yaml"): entry.read_text(encoding="utf-8")
        for entry in entries
        if entry.name.endswith(".yaml")
    }


def _leaves(
    changes: Mapping[str, Any], base: Mapping[str, Any], prefix: str = ""
) -> list[tuple[str, Any]]:
    """Flatten nested mappings to dotted paths, so that a change keeps its neighbours.

    Where ``base`` has no record, the change is one: ``{average: {decay: 0.9}}`` sets it whole.
    """
    found: list[tuple[str, Any]] = []
    for key, value in changes.items():
        path, inner = f"{prefix}{key}", base.get(key, {})
        if isinstance(value, Mapping) and value and isinstance(inner, Mapping):
            inner = cast("Mapping[str, Any]", inner)
            found += _leaves(cast("Mapping[str, Any]", value), inner, f"{path}.")
        else:
            found.append((path, cast("Any", value)))
    return found
