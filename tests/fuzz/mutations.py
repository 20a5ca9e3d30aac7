"""Damage done to valid files: to their bytes, and to the documents they hold."""

import copy
import random
from collections.abc import Iterator
from typing import Any

BYTES = (
    b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\x1b[31m", b"\t", b"\r",
    b"\n", b"- ", b"? ", b": ", b"{", b"}", b"[", b"]", b"&a ", b"*a", b"<<: *a\n", b"!!binary ",
    b"!!set ", b"!!float ", b"!!int ", b"!x ", b"%YAML 1.1\n", b"---\n", b"...\n", b"|\n", b">\n",
    b"'", b'"', b"\\u0000", b"#", b"@", b"`", b"~", b"9" * 5000, b"0x" + b"f" * 5000, b".inf",
    b".nan", b"1e999", b"-1", b"[" * 400, b"{a: " * 400,
)  # fmt: skip
"""Pieces that are special to YAML, to terminals or to numbers."""

SCALARS: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, -1, 3, 64, 1000, 2**31, 2**63, 10**30, -(10**30), 10**400, 0.0,
    -0.0, 0.5, 1.0, 1e-320, 1e308, -1e308, 1e-9, "", " ", "*", "a", "basic", "bn", "relu", "null",
    "\x00", "\x1b[2J", "a\nb", "\ud7ff", "é", "." * 50, "x" * 3000, "unit.kind", "4.0M", "nanM",
    "infK", "1e999", [], {}, [[]], {"": None}, ["bn"], ["bn", "relu"], {"kind": "basic"},
    {"kind": "nosuch"}, {"kind": None}, {"name": "halving"}, [0], [1, 2], [2, 1], [0.0, 1.0],
    {"choice": [1]}, {"int": [1, 2]}, {"float": [0, 1]}, {"max": 1}, "resnet-20", "quick", "digits",
)  # fmt: skip

Place = tuple[Any, Any]
"""A container and the key or index of something in it."""


def mutate_bytes(rng: random.Random, raw: bytes, *, others: tuple[bytes, ...] = ()) -> bytes:
    """Return the bytes with one to four random changes, most often one."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        start = rng.randrange(len(data) + 1)
        stop = min(len(data), start + rng.choice((0, 1, 1, 2, 8, 60)))
        match rng.randrange(7):
            case 0:
                data[start:stop] = b""
            case 1:
                data[start:stop] = rng.choice(BYTES)
            case 2:
                data[start:stop] = rng.randbytes(stop - start or 1)
            case 3 if start < len(data):
                data[start] ^= 1 << rng.randrange(8)
            case 4:
                data[start:start] = data[stop : stop + rng.randrange(200)]
            case 5:
                del data[start:]
            case _:
                other = rng.choice(others) if others else raw
                cut = rng.randrange(len(other) + 1)
                data[start:stop] = other[cut : cut + rng.randrange(120)]
    return bytes(data)


def mutate_document(rng: random.Random, document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy with one to four values or keys changed, most often one."""
    changed = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(_places(changed))
        if not places:
            break
        container, key = rng.choice(places)
        _change(rng, container, key, places)
    return changed


def _change(rng: random.Random, container: Any, key: Any, places: list[Place]) -> None:
    match rng.randrange(8):
        case 0 | 1 | 2:
            container[key] = copy.deepcopy(rng.choice(SCALARS))
        case 3:
            del container[key]
        case 4:
            other, name = rng.choice(places)
            container[key] = copy.deepcopy(other[name]) if _has(other, name) else None
        case 5 if isinstance(container, dict):
            container[_misspelt(rng, str(key))] = container.pop(key)
        case 6 if isinstance(container, list):
            container.extend(copy.deepcopy(container[: rng.randint(1, 3)]))
        case _ if _is_number(container[key]):
            value = container[key]
            container[key] = rng.choice((-value, value + 1, value * 2, value / 3, value * 10**6))
        case _:
            container[key] = [container[key]]


def _places(value: Any) -> Iterator[Place]:
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _has(container: Any, key: Any) -> bool:
    return key in container if isinstance(container, dict) else key < len(container)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _misspelt(rng: random.Random, word: str) -> str:
    place = rng.randrange(len(word) + 1)
    return word[:place] + rng.choice(("", "x", ".", "\n", "*", "0", "\x1b")) + word[place + 1 :]
