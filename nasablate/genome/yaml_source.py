"""Reads one YAML file as plain data and remembers where each value stands."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML, MappingNode, SequenceNode
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from nasablate.errors import NOT_GIVEN, Problem, SpecError
from nasablate.genome.problems import dotted
from nasablate.genome.weights_header import is_safetensors

_MAX_BYTES = 1_000_000
_MAX_VALUES = 100_000
_MAX_INTEGER = 2**63


@dataclass(frozen=True)
class YamlSource:
    """A parsed file: its data and the position of every value."""

    name: str
    data: dict[str, Any]
    root: Any

    def where(self, loc: Sequence[str | int]) -> str:
        """Return ``file:line:column`` of the deepest part of ``loc`` that is in the file.

        What is not in it at all is said of the file's first key.
        """
        line, column = (1, 1) if self.root is None else _mark(self.root, loc)
        return f"{self.name}:{line}:{column}"

    def locate(self, error: SpecError, prefix: Sequence[str | int] = ()) -> SpecError:
        """Return the error with file positions; ``prefix`` leads to the part it speaks of."""
        located = [
            problem
            if problem.where
            else replace(
                problem,
                where=self.where((*prefix, *problem.loc)),
                path=".".join(filter(None, (dotted(tuple(prefix)), problem.path))),
            )
            for problem in error.problems
        ]
        return type(error)(located)


def read_yaml(path: Path) -> YamlSource:
    """Read a YAML 1.2 mapping.

    Raises:
        SpecError: the file is absent, unreadable, too large, no UTF-8, no valid YAML, holds
            tags or values other than plain data, or its top level is no mapping.
    """
    name = str(path)
    if is_safetensors(path):
        remedy = (
            "name it where a genome is named, such as beside weights in a deletion file;"
            " 'nasablate describe FILE' shows its network"
        )
        raise _refuse(name, "is a file of weights, not YAML", remedy)
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)  # no more, since a device has no end
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _refuse(name, f"cannot be read ({reason})", "check the path") from None
    if len(raw) > _MAX_BYTES:
        raise _refuse(name, f"is larger than {_MAX_BYTES} bytes", "name another file")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        rule = f"is not UTF-8 text (byte {error.start})"
        where = _place(name, raw[: error.start].decode("utf-8"))
        raise _refuse(where, rule, "save the file as UTF-8") from None
    return parse_yaml(text, name)


def parse_yaml(text: str, name: str) -> YamlSource:
    """Parse YAML text; ``name`` stands for the file in messages.

    Raises:
        SpecError: as for ``read_yaml``.
    """
    try:
        loader: Any = YAML(typ="safe", pure=True)
        root = loader.compose(text)
        data = None if root is None else loader.constructor.construct_document(root)
    except MarkedYAMLError as error:
        mark = cast("Any", error).problem_mark or cast("Any", error).context_mark
        where = name if mark is None else f"{name}:{mark.line + 1}:{mark.column + 1}"
        raise _refuse(where, *_explain(error)) from None
    except ReaderError as error:
        found = cast("Any", error)
        where = _place(name, text[: found.position])
        rule = f"is not valid YAML: it holds the character {chr(found.character)!r}"
        raise _refuse(where, rule, "remove it, or name the right file") from None
    except Exception as error:  # the parser meets some wrong tags with an IndexError or worse
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        where = f"{name}:1:1"
        raise _refuse(where, f"is not valid YAML: {message}", "correct the syntax") from None
    source = YamlSource(name, cast("dict[str, Any]", data), root)
    if not isinstance(data, dict):
        found = "nothing" if data is None else type(cast("object", data)).__name__
        rule = f"must be a mapping of keys to values, found {found}"
        raise _refuse(source.where(()), rule, "begin with a line such as kind: search")
    _check_plain(source, source.data, (), [0])
    return source


def _explain(error: MarkedYAMLError) -> tuple[str, str]:
    lines = str(cast("Any", error).problem or "").splitlines()
    problem = lines[0] if lines else "syntax error"
    begun, met = cast("Any", error).context_mark, cast("Any", error).problem_mark
    if "constructor for the tag" in problem:
        return f"has an unsafe or unknown YAML tag ({problem})", "write plain values only"
    if "duplicate key" in problem:
        return problem, "keep one of them"
    if r"'\t'" in problem:
        return f"is not valid YAML: {problem}", "write spaces in place of the tab"
    if begun is not None and met is not None and begun.line != met.line:
        remedy = f"correct the syntax from line {begun.line + 1} on"
        return f"is not valid YAML: {problem}", remedy
    return f"is not valid YAML: {problem}", "correct the syntax"


def _place(name: str, before: str) -> str:
    """Return the place after some text, as ``file:line:column``."""
    line = before.count("\n") + 1
    return f"{name}:{line}:{len(before) - (before.rfind(chr(10)) + 1) + 1}"


def _refuse(where: str, rule: str, remedy: str) -> SpecError:
    return SpecError(Problem("", NOT_GIVEN, rule, remedy, where=where))


def _check_plain(  # noqa: C901 - one case per kind of value
    source: YamlSource, value: object, loc: tuple[str | int, ...], seen: list[int]
) -> None:
    """Refuse what JSON cannot hold, and aliases that expand without end."""
    seen[0] += 1
    if seen[0] > _MAX_VALUES or len(loc) > 50:
        rule = f"holds more than {_MAX_VALUES} values, or values inside more than 50 others"
        raise _refuse(source.where(loc[:50]), rule, "drop aliases")
    match value:
        case dict():
            for key, inner in cast("dict[object, object]", value).items():
                if not isinstance(key, str):
                    shown = _shown(key)
                    place = (*loc, str(shown))
                    raise _wrong(source, place, shown, "a key must be text", "put it in quotes")
                _check_plain(source, inner, (*loc, key), seen)
        case list():
            for index, inner in enumerate(cast("list[object]", value)):
                _check_plain(source, inner, (*loc, index), seen)
        case float() if not math.isfinite(value):
            rule, remedy = "must be a finite number", "write a number such as 0.1"
            raise _wrong(source, loc, value, rule, remedy)
        case int() if abs(value) >= _MAX_INTEGER:
            rule = "is no 64-bit integer"
            raise _wrong(source, loc, _shown(value), rule, "write a smaller number")
        case bool() | int() | float() | str() | None:
            pass
        case _:
            rule = f"must be plain data, not a {type(value).__name__}"
            raise _wrong(source, loc, _shown(value), rule, "put it in quotes")


def _shown(value: object) -> object:
    """Return a value that a message can print; Python prints no integer of 5,000 digits."""
    try:
        repr(value)
    except ValueError:
        return hex(value) if isinstance(value, int) else type(value).__name__
    return value if isinstance(value, int) else str(value)


def _wrong(
    source: YamlSource, loc: tuple[str | int, ...], value: object, rule: str, remedy: str
) -> SpecError:
    return SpecError(Problem(dotted(loc), value, rule, remedy, source.where(loc), loc))


def _mark(node: Any, loc: Sequence[str | int]) -> tuple[int, int]:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    for part in loc:
        inner = _child(node, part)
        if inner is None:
            break
        node, line, column = inner
    return line, column


def _child(node: Any, part: str | int) -> tuple[Any, int, int] | None:
    """Return the child node and the position of its key (or of itself in a list)."""
    held: Any = node.value
    if isinstance(node, MappingNode):
        for key, value in held:
            if key.value == part:
                return value, key.start_mark.line + 1, key.start_mark.column + 1
    elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(held):
        inner = held[part]
        return inner, inner.start_mark.line + 1, inner.start_mark.column + 1
    return None


def yaml_text(document: Mapping[str, Any]) -> str:
    r"""Return a document as a YAML file, keys in their order.

    >>> yaml_text({"b": [1, 2], "a": None})
    'b:\n- 1\n- 2\na:\n'
    """
    return _dumped(document, YAML())


def brief_yaml(document: Mapping[str, Any]) -> str:
    r"""Return a document as a YAML file with the innermost records and lists on one line each.

    >>> brief_yaml({"b": [1, 2], "a": [{"c": None}]})
    'b: [1, 2]\na:\n- {c: null}\n'
    """
    writer: Any = YAML(typ="safe", pure=True)
    writer.default_flow_style = None
    writer.sort_base_mapping_type_on_output = False
    return _dumped(document, writer)


def _dumped(document: Mapping[str, Any], writer: Any) -> str:
    buffer = StringIO()
    writer.allow_unicode = True
    writer.width = 100
    writer.dump(dict(document), buffer)
    return buffer.getvalue()
