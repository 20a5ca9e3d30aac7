"""The nodes of the Ray that runs now, and whether all of them can run the trials of a study."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# Ray is half typed.

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from nasablate.errors import RunError
from nasablate.search.node import Needs, Question, look, versions


def alive_nodes() -> list[Mapping[str, Any]]:
    """Return the nodes that are up."""
    nodes = cast("list[Mapping[str, Any]]", ray.nodes())
    return [node for node in nodes if node["Alive"]]


def check_nodes(needs: Needs) -> None:
    """Ask every node whether trials can run there.

    Raises:
        RunError: they cannot; the message has a line for every such node.
    """
    folder, word = needs.folder, f"node-check-{secrets.token_hex(8)}"
    cwd = str(Path.cwd())
    question = Question(cwd, str(folder), word, needs.data, needs.fingerprint, versions())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / word).write_text(word)
        asked = [(node, _ask(str(node["NodeID"]), question)) for node in alive_nodes()]
        found = [(node["NodeManagerAddress"], _answer(answer)) for node, answer in asked]
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror}; change that"
        raise RunError(message) from error
    finally:
        for path in folder.glob(f"{word}*"):
            path.unlink(missing_ok=True)
    problems = [f"Ray node {address} {said}" for address, said in found if said]
    if problems:
        raise RunError("\n".join(problems))


def _ask(node: str, question: Question) -> Any:
    where: Any = NodeAffinitySchedulingStrategy(node, soft=False)
    remote: Any = ray.remote(num_cpus=0, scheduling_strategy=where)(look)
    return remote.remote(question.to_json())


def _answer(asked: Any) -> str:
    try:
        return str(ray.get(asked))
    except RayTaskError as error:
        lines = str(error.cause).strip().splitlines() or [type(error.cause).__name__]
        return f"cannot run nasablate: {lines[-1]}; install the driver's packages there"
    except RayError as error:
        return f"did not answer: {type(error).__name__}; look at it with 'ray status'"
