"""The texts under the fields of a record, for its JSON Schema.

Read when a schema is asked for, since reading them with every class takes longer than making it.
"""

import ast
import inspect
import sys
from functools import cache


def field_descriptions(model: type) -> dict[str, str]:
    """Return the text under each field of a class and of its bases, by the field's name.

    >>> from nasablate.genome.genome import DropPath
    >>> field_descriptions(DropPath)["final"]
    'Probability at the last unit.'
    """
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        found |= _texts_of(base.__module__).get(base.__qualname__, {})
    return found


@cache
def _texts_of(module: str) -> dict[str, dict[str, str]]:
    """Return the texts of a module's classes; only ours have any."""
    if module.partition(".")[0] != __name__.partition(".")[0]:
        return {}
    body = ast.parse(inspect.getsource(sys.modules[module])).body
    return {node.name: _texts(node) for node in body if isinstance(node, ast.ClassDef)}


def _texts(node: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = inspect.cleandoc(text)
            case _:
                pass
    return found
