"""What the speed benchmarks share: processor time, rounds that take turns, and numbers kept.

Machines are shared and busy, so what is compared is the processor time of whole process trees. The
forms of a question take turns within a round, in an order that reverses every other round, and a
ratio is taken within a round.
"""

import json
import os
import platform
import resource
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"

Form = Callable[[], float]
"""Does one round's work and returns what it cost, or how much was done per cost."""


def take_turns(forms: Mapping[str, Form], rounds: int) -> dict[str, list[float]]:
    """Run all forms ``rounds`` times in alternating order and return their numbers by form."""
    found: dict[str, list[float]] = {name: [] for name in forms}
    for number in range(rounds):
        order = list(forms)[:: 1 if number % 2 == 0 else -1]
        for name in order:
            found[name].append(forms[name]())
    return found


def own_seconds() -> float:
    """Return the processor seconds of this process and of all children that have ended."""
    return _used(resource.RUSAGE_SELF) + children_seconds()


def children_seconds() -> float:
    """Return the processor seconds of all children that have ended."""
    return _used(resource.RUSAGE_CHILDREN)


def _used(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def tree_seconds() -> dict[int, float]:
    """Return the processor seconds of this process and its living descendants. Linux only."""
    ticks = os.sysconf("SC_CLK_TCK")
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(entry)
            if fields is not None:
                parents[int(entry.name)] = int(fields[1])
                spent[int(entry.name)] = sum(int(ticked) for ticked in fields[11:13]) / ticks
    family = {os.getpid()}
    while True:
        found = {child for child, parent in parents.items() if parent in family} - family
        if not found:
            return {member: spent.get(member, 0.0) for member in family}
        family |= found


def seconds_between(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Return what the processes that are there afterwards have spent; ended ones are left out.

    >>> seconds_between({1: 5.0, 2: 9.0}, {1: 6.0, 3: 0.5})
    1.5
    """
    return sum(spent - before.get(process, 0.0) for process, spent in after.items())


def _stat(entry: Path) -> list[str] | None:
    """Return the fields of /proc/PID/stat after the name, from the state on."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return None


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the quotients round by round."""
    return [a / b for a, b in zip(above, below, strict=True)]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Return median and range as text.

    >>> spread([1.0, 3.0, 2.0])
    '2 (1 to 3)'
    """
    median = statistics.median(values)
    return (
        f"{_short(median, digits)} ({_short(min(values), digits)} to {_short(max(values), digits)})"
    )


def _short(value: float, digits: int) -> str:
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def machine() -> dict[str, str | int | float]:
    """Describe the machine and how busy it is."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def machine_text(found: Mapping[str, Any]) -> str:
    """Return the machine in words."""
    return (
        f"{found['processor']}, {found['cores']} cores, Python {found['python']};"
        f" load average {found['load']} at the end"
    )


def keep(name: str, numbers: Mapping[str, Any]) -> None:
    """Write the numbers of a benchmark, with the machine."""
    RESULTS.mkdir(exist_ok=True)
    document = {"machine": machine(), **numbers}
    text = json.dumps(document, indent=1) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")


def kept(name: str) -> dict[str, Any] | None:
    """Return the numbers of a benchmark, None if it was never run."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
