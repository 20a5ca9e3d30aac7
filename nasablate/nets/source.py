"""Writes one network as a Python file of its own: plain PyTorch, without this package.

Equal units share a class. Units that differ in numbers alone share one too, and get the numbers
as arguments. Modules have the names that they have here, so the weights are the same files.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from nasablate.blueprint import Blueprint, cost, digest
from nasablate.blueprint.blueprint import Fragment, Part
from nasablate.nets.source_ops import Call, Expression, helper_source, module_names, written

_WIDTH = 100
_INDENT = "    "


@dataclass(frozen=True)
class _Template:
    """A class of the file, and what its instances are made with."""

    name: str
    fragment: Fragment
    """The first of its units."""
    arguments: tuple[tuple[str, str], ...]
    """Of each argument the name, and the place ``layer.field`` that it was named after."""
    places: dict[str, str]
    """Argument by place, for all places that take one."""

    def instance(self, fragment: Fragment) -> str:
        """Return the expression that makes the module of a fragment."""
        values = _values(fragment)
        given = [f"{name}={values[place]!r}" for name, place in self.arguments]
        return f"{self.name}({', '.join(given)})"


def source(blueprint: Blueprint, name: str = "") -> str:
    """Return the Python source of a network.

    The file defines ``Net`` and ``load(path)``, which reads a safetensors file.

    Args:
        blueprint: The network.
        name: What to call it in the file's first line.

    Raises:
        GenomeError: a unit is a class of the user's own.
    """
    parts = [*blueprint.parts, *(head.part for head in blueprint.auxiliary)]
    templates = _templates([part.fragment for part in parts if part.fragment.layers])
    classes = [_class(template) for template in _distinct(templates.values())]
    helpers = _helpers(parts)
    blocks = [*helpers, *classes, _network(blueprint, templates), _LOAD]
    header = _header(blueprint, name, "".join(blocks))
    return header + "".join(f"\n\n{block.strip()}\n" for block in blocks)


def _distinct(templates: Iterable[_Template]) -> list[_Template]:
    return list({template.name: template for template in templates}.values())


def _header(blueprint: Blueprint, name: str, body: str) -> str:
    # the name is the user's text, and here it becomes part of a program
    label = re.sub(r"[^\w .,()+-]", "", name).strip()[:60] or "A network"
    shape = " x ".join(map(str, blueprint.input))
    lines = [
        f'"""{label}: {shape} images to {blueprint.output[0]} logits.',
        "",
        f"{cost(blueprint).params:,} parameters; digest {digest(blueprint)[:12]}."
        " Written by nasablate, which it does not need.",
        '"""',
        "",
    ]
    if "Literal[" in body:
        lines += ["from typing import Literal", ""]
    lines += ["import torch"] if "torch." in body.replace("safetensors.torch", "") else []
    lines += ["from torch import Tensor, nn"]
    lines += ["from torch.nn import functional"] if "functional." in body else []
    return "\n".join(lines) + "\n"


# Classes of units


def _templates(fragments: Iterable[Fragment]) -> dict[Fragment, _Template]:
    """Return the class of every fragment."""
    groups: dict[object, list[Fragment]] = {}
    for fragment in dict.fromkeys(fragments):
        groups.setdefault(_structure(fragment), []).append(fragment)
    taken = set(module_names())
    found: dict[Fragment, _Template] = {}
    for members in groups.values():
        template = _template(members, taken)
        taken.add(template.name)
        found |= dict.fromkeys(members, template)
    return found


def _structure(fragment: Fragment) -> object:
    """Return what fragments of one class have in common: everything but numbers."""
    layers = tuple((layer.name, _target(layer.op), layer.inputs) for layer in fragment.layers)
    return fragment.kind, layers, fragment.output


def _target(op: Any) -> str:
    found = written(op)
    return found.target if isinstance(found, Call) else repr(found)


def _template(members: Sequence[Fragment], taken: set[str]) -> _Template:
    """Return the class of fragments that differ in numbers alone.

    Numbers that are equal in all of them are written into the class; those that always change
    together become one argument.
    """
    first = members[0]
    columns: dict[tuple[str, ...], str] = {}
    places: dict[str, str] = {}
    arguments: list[tuple[str, str]] = []
    values = [_values(member) for member in members]
    for place in values[0]:
        column = tuple(repr(value[place]) for value in values)
        if len(set(column)) > 1:
            if column not in columns:
                columns[column] = place.replace(".", "_")
                arguments.append((columns[column], place))
            places[place] = columns[column]
    base = "".join(word.capitalize() for word in re.split(r"[^a-zA-Z0-9]+", first.kind))
    name = next(name for name in _numbered(base) if name not in taken)
    return _Template(name, first, tuple(arguments), places)


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}{number}"
        number += 1


def _values(fragment: Fragment) -> dict[str, Any]:
    """Return every number of a fragment by place."""
    found: dict[str, Any] = {}
    for layer in fragment.layers:
        call = written(layer.op)
        if isinstance(call, Call):
            for name, value in {**call.positional, **call.named}.items():
                found[f"{layer.name}.{name}"] = value
    return found


def _class(template: _Template) -> str:
    fragment = template.fragment
    names = [name for name, _ in template.arguments]
    typed = [f"{name}: {_type(fragment, place)}" for name, place in template.arguments]
    starred = ["self", "*", *typed] if names else ["self"]
    lines = [f"class {template.name}(nn.Module):", f'{_INDENT}"""A unit: {fragment.kind}."""', ""]
    if fragment.kind in {"stem", "head", "auxiliary"}:
        lines[1] = f'{_INDENT}"""The {fragment.kind}."""'
    lines += _wrapped(f"{_INDENT}def __init__(", starred, ") -> None:")
    lines.append(f"{_INDENT * 2}super().__init__()")
    for layer in fragment.layers:
        call = written(layer.op)
        if isinstance(call, Call):
            given = _given(call, layer.name, template.places)
            lines += _wrapped(f"{_INDENT * 2}self.{layer.name} = {call.target}(", given, ")")
    lines += ["", *_forward(fragment)]
    return "\n".join(lines)


def _type(fragment: Fragment, place: str) -> str:
    value = _values(fragment)[place]
    return "tuple[int, int]" if isinstance(value, tuple) else type(value).__name__


def _given(call: Call, layer: str, places: dict[str, str]) -> list[str]:
    """Return the arguments of a module, each a number or an argument of its class."""
    given = [places.get(f"{layer}.{name}", repr(value)) for name, value in call.positional.items()]
    for name, value in call.named.items():
        argument = places.get(f"{layer}.{name}")
        if argument is not None or call.defaults.get(name) != value:
            given.append(f"{name}={argument or repr(value)}")
    return given


def _forward(fragment: Fragment) -> list[str]:
    """Return the method; a variable is used again once nothing reads its value any more."""
    last = {index: step for step, layer in enumerate(fragment.layers) for index in layer.inputs}
    last[fragment.output] = len(fragment.layers)
    variables = {-1: "x"}
    lines = [f"{_INDENT}def forward(self, x: Tensor) -> Tensor:"]
    for step, layer in enumerate(fragment.layers):
        inputs = [variables[index] for index in layer.inputs]
        found = written(layer.op)
        text = (
            found.of(inputs)
            if isinstance(found, Expression)
            else f"self.{layer.name}({', '.join(inputs)})"
        )
        for index in layer.inputs:
            if last[index] == step:
                variables.pop(index, None)
        free = next(name for name in _names() if name not in variables.values())
        lines.append(f"{_INDENT * 2}{free} = {text}")
        variables[step] = free
    lines.append(f"{_INDENT * 2}return {variables[fragment.output]}")
    return lines


def _names() -> Iterator[str]:
    yield "x"
    yield from _numbered("y")


# The network


def _network(blueprint: Blueprint, templates: dict[Fragment, _Template]) -> str:
    def made(part: Part) -> str:
        fragment = part.fragment
        return templates[fragment].instance(fragment) if fragment.layers else "nn.Identity()"

    stem, *units, head = blueprint.parts
    lines = ["class Net(nn.Module):", f'{_INDENT}"""The whole network."""', ""]
    lines += [f"{_INDENT}def __init__(self) -> None:", f"{_INDENT * 2}super().__init__()"]
    lines += _assigned("stem", made(stem))
    lines += [f"{_INDENT * 2}self.stages = nn.ModuleList(", f"{_INDENT * 3}["]
    for stage, members in groupby(units, key=lambda part: part.stage):
        lines += _stage(stage, list(members), made)
    lines += [f"{_INDENT * 3}]", f"{_INDENT * 2})"]
    lines += _assigned("head", made(head))
    heads = [made(auxiliary.part) for auxiliary in blueprint.auxiliary]
    if heads:
        lines += _wrapped(f"{_INDENT * 2}self.auxiliary = nn.ModuleList([", heads, "])")
    lines += ["", *_NETWORK_FORWARD.strip("\n").splitlines()]
    if heads:
        after = tuple(auxiliary.after for auxiliary in blueprint.auxiliary)
        lines += ["", *_ALL_LOGITS.format(after=after).strip("\n").splitlines()]
    return "\n".join(lines)


def _assigned(name: str, made: str) -> list[str]:
    target, _, arguments = made.removesuffix(")").partition("(")
    return _wrapped(f"{_INDENT * 2}self.{name} = {target}(", _split_arguments(arguments), ")")


def _stage(stage: int, parts: list[Part], made: Any) -> list[str]:
    """Return the lines of a stage; equal units in a row are written once."""
    shape = " x ".join(map(str, parts[-1].fragment.output_shape))
    lines = [f"{_INDENT * 4}nn.Sequential(  # stage {stage}: {len(parts)} units, {shape}"]
    for text, run in groupby(made(part) for part in parts):
        count = len(list(run))
        target, _, arguments = text.removesuffix(")").partition("(")
        before, after = ("*(", f") for _ in range({count})),") if count > 1 else ("", "),")
        given = _split_arguments(arguments)
        lines += _wrapped(f"{_INDENT * 5}{before}{target}(", given, after)
    return [*lines, f"{_INDENT * 4}),"]


def _split_arguments(text: str) -> list[str]:
    """Return keyword arguments one by one; values may be pairs.

    >>> _split_arguments("width=64, kernel=(1, 7), stride=2")
    ['width=64', 'kernel=(1, 7)', 'stride=2']
    """
    return re.split(r", (?=\w+=)", text) if text else []


def _wrapped(before: str, given: Sequence[str], after: str) -> list[str]:
    """Return a call on one line, or with one argument to a line where it is too long."""
    line = f"{before}{', '.join(given)}{after}"
    if len(line) <= _WIDTH or not given:
        return [line]
    indent = before[: len(before) - len(before.lstrip())]
    return [before, *(f"{indent}{_INDENT}{argument}," for argument in given), f"{indent}{after}"]


def _helpers(parts: Iterable[Part]) -> list[str]:
    """Return the definitions of what torch has not, each once, what others use first."""
    used = {_target(layer.op) for part in parts for layer in part.fragment.layers}
    pieces = [
        piece
        for target in sorted(used)
        if not target.startswith(("nn.", "Expression"))
        for piece in reversed(helper_source(target))
    ]
    return list(dict.fromkeys(pieces))


_NETWORK_FORWARD = '''
    def forward(self, images: Tensor) -> Tensor:
        """Return one row of logits per image."""
        x = self.stem(images)
        for stage in self.stages:
            x = stage(x)
        return self.head(x)
'''
_ALL_LOGITS = '''
    def all_logits(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of the network and of its auxiliary classifiers, for training."""
        units = [unit for stage in self.stages for unit in stage]
        x, found = images, []
        for place, module in enumerate([self.stem, *units, self.head]):
            x = module(x)
            for head, after in zip(self.auxiliary, {after}, strict=True):
                if after == place:
                    found.append(head(x))
        return (x, *found)
'''
_LOAD = '''
def load(path: str) -> Net:
    """Return the network with the weights of a safetensors file, in evaluation mode."""
    from safetensors.torch import load_file

    net = Net()
    net.load_state_dict(load_file(path))
    return net.eval()
'''
