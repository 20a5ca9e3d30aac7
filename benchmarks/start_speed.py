"""Processor time until the command line has answered, beside a Python that does nothing.

    python -m benchmarks.start_speed [--rounds 15] [--write]

Byte code is kept between the runs, as that of an installed package is, in a folder of its own.
``--write`` keeps the numbers in benchmarks/results and writes docs/speed.md anew.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable

from benchmarks.measuring import children_seconds, keep, ratios, spread, take_turns
from benchmarks.speed_page import write_page

START = "from nasablate.cli.main import main; main()"
BARE = "python -c pass"
COMMANDS = {
    BARE: ["-c", "pass"],
    "nasablate --help": ["-c", START, "--help"],
    "nasablate describe resnet-20": ["-c", START, "describe", "resnet-20"],
}


def main() -> None:
    """Time all commands and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        forms = {name: _seconds(command, folder) for name, command in COMMANDS.items()}
        for form in forms.values():
            form()  # compiles what is not compiled yet
        found = take_turns(forms, arguments.rounds)
    for name, seconds in found.items():
        times = spread(ratios(seconds, found[BARE]))
        print(f"{name:30} {spread(seconds):>28} s {times:>28} times the bare Python")
    if arguments.write:
        keep("start", {"seconds": found})
        write_page()


def _seconds(arguments: list[str], folder: str) -> Callable[[], float]:
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, *arguments]

    def run() -> float:
        before = children_seconds()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)  # noqa: S603
        return children_seconds() - before

    return run


if __name__ == "__main__":
    main()
