"""Reads the pickles of the CIFAR python archives without executing anything.

The opcodes are listed by ``pickletools`` and followed by hand. Only plain values can come out:
dicts, lists, tuples, text, bytes, numbers, None and arrays of uint8. A class, a function or an
opcode that these files do not need is refused by name; nothing is ever imported or called.
"""

import pickletools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from nasablate.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

_RECONSTRUCT, _NDARRAY, _DTYPE, _ENCODE = "reconstruct", "ndarray", "dtype", "encode"
_GLOBALS = {
    "numpy.core.multiarray _reconstruct": _RECONSTRUCT,
    "numpy._core.multiarray _reconstruct": _RECONSTRUCT,
    "numpy ndarray": _NDARRAY,
    "numpy dtype": _DTYPE,
    "_codecs encode": _ENCODE,
}
_VALUES = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
_TEXT_OF_PYTHON_2 = frozenset({"BINSTRING", "SHORT_BINSTRING", "STRING"})
_CONSTANTS: dict[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_IGNORED = frozenset({"PROTO", "FRAME"})


class _Mark:
    """Where a list of arguments begins on the stack."""


@dataclass(frozen=True)
class _Global:
    name: str


@dataclass
class _Array:
    values: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class _Dtype:
    kind: object


class _RefusedError(Exception):
    """The pickle holds something that these files do not need."""


def load_plain(data: bytes, where: str) -> object:
    """Return the value of a pickle that holds only plain values.

    Arrays come out as numpy arrays of uint8; text of Python 2 as bytes.

    Raises:
        DataError: it is damaged or holds anything else.
    """
    try:
        return _plain(_Machine().run(data))
    except _RefusedError as error:
        message = (
            f"{where}: {error}, which no CIFAR file holds; nothing was executed."
            " Download the archive again"
        )
        raise DataError(message) from None
    except Exception as error:  # damaged opcodes make pickletools raise many kinds
        message = f"{where}: a damaged pickle ({type(error).__name__}); download the archive again"
        raise DataError(message) from error


class _Machine:
    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._actions: dict[str, Callable[[Any], None]] = {
            "EMPTY_DICT": lambda _: self._stack.append({}),
            "EMPTY_LIST": lambda _: self._stack.append([]),
            "EMPTY_TUPLE": lambda _: self._stack.append(()),
            "MARK": lambda _: self._stack.append(_Mark()),
            "DICT": lambda _: self._stack.append(_pairs(self._to_mark())),
            "LIST": lambda _: self._stack.append(self._to_mark()),
            "TUPLE": lambda _: self._stack.append(tuple(self._to_mark())),
            "TUPLE1": lambda _: self._stack.append(tuple(self._pop(1))),
            "TUPLE2": lambda _: self._stack.append(tuple(self._pop(2))),
            "TUPLE3": lambda _: self._stack.append(tuple(self._pop(3))),
            "APPEND": lambda _: self._extend(self._pop(1)),
            "APPENDS": lambda _: self._extend(self._to_mark()),
            "SETITEM": lambda _: self._update(self._pop(2)),
            "SETITEMS": lambda _: self._update(self._to_mark()),
            "BINPUT": self._put,
            "LONG_BINPUT": self._put,
            "PUT": self._put,
            "MEMOIZE": lambda _: self._put(len(self._memo)),
            "BINGET": lambda key: self._stack.append(self._memo[key]),
            "LONG_BINGET": lambda key: self._stack.append(self._memo[key]),
            "GET": lambda key: self._stack.append(self._memo[key]),
            "GLOBAL": self._global,
            "STACK_GLOBAL": lambda _: self._global(" ".join(self._pop(2))),
            "REDUCE": lambda _: self._reduce(*self._pop(2)),
            "BUILD": lambda _: self._build(self._pop(1)[0]),
        }

    def run(self, data: bytes) -> object:
        for opcode, argument, _ in pickletools.genops(data):
            name = opcode.name
            if name == "STOP":
                return self._pop(1)[0]
            if name in _VALUES:
                self._stack.append(argument)
            elif name in _TEXT_OF_PYTHON_2:
                self._stack.append(str(argument).encode("latin-1"))
            elif name in _CONSTANTS:
                self._stack.append(_CONSTANTS[name])
            elif name in self._actions:
                self._actions[name](argument)
            elif name not in _IGNORED:
                message = f"the opcode {name}"
                raise _RefusedError(message)
        raise EOFError

    def _pop(self, count: int) -> list[Any]:
        if len(self._stack) < count or any(isinstance(x, _Mark) for x in self._stack[-count:]):
            raise IndexError
        taken = self._stack[-count:]
        del self._stack[-count:]
        return taken

    def _to_mark(self) -> list[Any]:
        place = len(self._stack) - 1
        while not isinstance(self._stack[place], _Mark):
            place -= 1
            if place < 0:
                raise IndexError
        taken = self._stack[place + 1 :]
        del self._stack[place:]
        return taken

    def _put(self, key: int) -> None:
        self._memo[key] = self._stack[-1]

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise TypeError
        cast("list[Any]", target).extend(items)

    def _update(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise TypeError
        cast("dict[Any, Any]", target).update(_pairs(items))

    def _global(self, name: str) -> None:
        if name not in _GLOBALS:
            message = f"the global {' '.join(name.split())[:80]!r}"
            raise _RefusedError(message)
        self._stack.append(_Global(_GLOBALS[name]))

    def _reduce(self, function: object, arguments: tuple[Any, ...]) -> None:
        match function, arguments:
            case _Global("reconstruct"), (_Global("ndarray"), _, _):
                self._stack.append(_Array())
            case _Global("dtype"), (kind, *_):
                self._stack.append(_Dtype(kind))
            case _Global("encode"), (str() as text, _):
                self._stack.append(text.encode("latin-1"))
            case _:
                message = "a call of something that is no array"
                raise _RefusedError(message)

    def _build(self, state: Any) -> None:
        match self._stack[-1], state:
            case _Dtype(), tuple():
                pass
            case _Array() as array, (_, shape, _Dtype("u1" | b"u1"), order, bytes() as raw):
                values: Any = np.frombuffer(raw, dtype=np.uint8)
                array.values = values.reshape(shape, order="F" if order else "C")
            case _:
                message = "an object that is no array of uint8"
                raise _RefusedError(message)


def _pairs(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(items[::2], items[1::2], strict=True))


def _plain(value: Any) -> object:
    """Take the arrays out of their wrappers at the top of a dict; the rest is plain already."""
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return {key: _plain(inner) if isinstance(inner, _Array) else inner for key, inner in items}
    return value.values if isinstance(value, _Array) else value
