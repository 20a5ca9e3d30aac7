import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings

from nasablate.cli.main import main
from nasablate.errors import SpecError
from nasablate.search import counting
from nasablate.search.counting import CellCounter, count_valid, estimate_valid
from nasablate.search.crew import Crew
from nasablate.search.plan import plan_search
from nasablate.search.valid_cells import Tally, share
from tests.search import crew_roles
from tests.search.small_spaces import small_spaces, space_of, spec_of

LARGE = {
    "unit.kind": {"choice": ["basic", "bottleneck"]},
    "unit.cardinality": {"choice": [1, 2, 3], "when": {"unit.kind": "bottleneck"}},
    "shortcut.kind": {"choice": ["projection", "identity"]},
    "stages.0.units": {"int": [1, 4]},
    "width": {"int": [4, 103]},
    "training.batch_size": {"choice": [1, 16, 32]},
}
"""(1 + 3) * 2 * 4 * 100 networks and 3 recipes, of which one is illegal."""
LIMIT = {"params": {"max": 60_000}}
PLANNED = LARGE | {"training.batch_size": {"choice": [8, 16, 32]}}
MANY = PLANNED | {"training.epochs": {"int": [1, 200]}}
ENDLESS = PLANNED | {f"stages.{number}.units": {"int": [1, 200]} for number in (0, 1)}


def brute(space):
    """Count as the definition says."""
    legal = valid = 0
    for cell in space.cells():
        try:
            found = space.candidate(cell)
        except SpecError:
            continue
        legal += 1
        valid += not found.violations
    return Tally(space.num_cells, legal, valid)


def counted(cells):
    return Tally(cells.num_cells, cells.legal.cells_of(cells.num_cells)[0], cells.num_valid[0])


@settings(max_examples=60, deadline=None)
@given(space=small_spaces())
def test_counts_are_those_of_a_walk_through_all_cells(space):
    assert counted(count_valid(space, exact=True)) == brute(space)


@settings(max_examples=20, deadline=None)
@given(space=small_spaces())
def test_the_parts_of_a_count_add_up(space):
    counter = CellCounter(space)
    middle = counter.num_networks // 3
    parts = counter.count(range(middle)) + counter.count(range(middle, counter.num_networks))
    assert parts == CellCounter(space).count(range(counter.num_networks)) == brute(space)


def test_recipe_axes_multiply_the_count_and_are_not_walked():
    space = space_of(LARGE, constraints=LIMIT)
    counter = CellCounter(space)
    assert (counter.num_networks, space.num_cells) == (3200, 9600)
    cells = count_valid(space)
    assert cells.valid.exact
    assert cells.num_valid[0] == cells.num_valid[1] == cells.num_valid[2]
    assert counted(cells) == brute(space)
    assert 0 < counted(cells).valid < counted(cells).legal < 6400


def test_several_processes_count_the_same(monkeypatch):
    monkeypatch.setattr(counting, "_ALONE_SECONDS", 0.0)
    monkeypatch.setattr(counting, "_CHUNK_SECONDS", 0.02)
    space = space_of(LARGE, constraints=LIMIT)
    told = []
    cells = count_valid(space, processes=2, on_count=lambda *at: told.append(at))
    assert counted(cells) == counted(count_valid(space))
    assert told == sorted(told)
    assert told[-1] == (9600, 9600)
    assert len(told) > 4


def test_a_member_that_dies_leaves_its_job():
    with Crew(crew_roles.double_or_die, (13,), 2) as crew:
        answers = dict(crew.answers(iter([1, 2, 13, 4, 5, 6])))
    assert answers == {1: 2, 2: 4, 13: None, 4: 8, 5: 10, 6: 12}


def test_a_crew_ends_with_its_context():
    with Crew(crew_roles.own_process, (), 2) as crew:
        numbers = {number for _, number in crew.answers(iter(range(6)))}
    for number in numbers:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


def test_counting_loads_no_torch():
    code = (
        "import sys\n"
        "from tests.search.test_counting import LARGE\n"
        "from tests.search.small_spaces import space_of\n"
        "from nasablate.search.counting import count_valid\n"
        "count_valid(space_of(LARGE))\n"
        "print(sorted({'torch', 'ray', 'optuna'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_what_takes_too_long_is_estimated():
    space = space_of(LARGE, constraints=LIMIT)
    truth = counted(count_valid(space)).valid
    cells = count_valid(space, seconds=0.0)
    number, low, high = cells.num_valid
    assert not cells.valid.exact
    assert cells.valid.num_counted == counting.DRAWS
    assert cells.count_seconds > 0
    assert low < number < high
    assert low <= truth <= high
    assert (high - low) / 9600 < 0.05
    assert estimate_valid(space).valid == cells.valid  # the same draws every time


def test_a_count_that_misses_its_deadline_is_an_estimate(monkeypatch):
    monkeypatch.setattr(counting, "_count_seconds", lambda *_: 0.0)
    cells = count_valid(space_of(LARGE, constraints=LIMIT), seconds=0.001)
    assert not cells.valid.exact


@pytest.mark.parametrize("percent", [2, 30, 50, 90])
def test_intervals_hold_the_truth_as_often_as_they_say(percent):
    """95 % of 1000 draws of 400 cells; Wilson's interval is close to that, not exact."""
    rng = random.Random(percent)
    held = 0
    for _ in range(1000):
        found = share(sum(rng.random() * 100 < percent for _ in range(400)), 400, exact=False)
        held += found.low <= percent <= found.high
    assert 0.93 <= held / 1000 <= 0.975


def test_none_and_all_have_intervals_too():
    nothing, everything = share(0, 50, exact=False), share(50, 50, exact=False)
    assert (nothing.low, everything.high) == (0.0, 100.0)
    assert nothing.high == pytest.approx(100 - everything.low) == pytest.approx(7.1, abs=0.1)
    assert nothing.cells_of(1000) == (0, 0, 72)


def test_spaces_beyond_a_million_cells_are_estimated():
    cells = plan_search(spec_of(MANY, constraints=LIMIT), measure=False).cells
    assert cells.num_cells == 9600 * 200
    assert not cells.valid.exact
    assert f"about {cells.num_valid[0]:,} (95 % interval" in "\n".join(cells.lines())
    assert "--exact counts them all" in "\n".join(cells.lines())


def test_an_infinite_space_is_not_counted():
    space = space_of({**LARGE, "dropout": {"float": [0.0, 0.5]}})
    with pytest.raises(SpecError, match=r"axes\.dropout: takes any number"):
        count_valid(space, exact=True)
    cells = count_valid(space)
    assert (cells.num_cells, cells.num_valid, cells.count_seconds) == (None, None, None)
    assert 0 < cells.valid.percent < 100


def test_a_plan_looks_on_when_no_drawn_cell_is_legal():
    """One legal cell in 200 000: drawing by axis meets it, drawing cells does not."""
    axes = {
        "shortcut.kind": {"choice": ["projection", "identity"]},
        "width": {"int": [1, 200_000], "when": {"shortcut.kind": "identity"}},
    }
    plan = plan_search(spec_of(axes), measure=False)
    assert plan.num_networks == 1
    number, low, high = plan.cells.num_valid
    assert low <= 1 <= high
    assert number <= 1


def test_the_command_counts_or_estimates(tmp_path, capsys):
    path = tmp_path / "s.yaml"
    path.write_text(spec_of(PLANNED, constraints=LIMIT).model_dump_json())
    with pytest.raises(SystemExit) as end:
        main(["plan", str(path), "--exact"])
    assert not end.value.code
    shown = capsys.readouterr().out
    truth = counted(count_valid(space_of(PLANNED, constraints=LIMIT))).valid
    assert "  cells        9,600\n" in shown
    assert f"  valid cells  {truth:,}, {truth / 96:.1f} %, legal and within the limits" in shown


def test_an_ablation_has_no_cells_to_count(capsys):
    study = Path(__file__).parents[2] / "studies" / "placement_digits.yaml"
    with pytest.raises(SystemExit) as end:
        main(["plan", str(study), "--exact"])
    assert end.value.code == 2
    assert "no cells to count; leave out --exact" in capsys.readouterr().err


def test_ctrl_c_ends_a_count_and_its_processes(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(spec_of(ENDLESS).model_dump_json())
    command = [sys.executable, "-m", "tests.search.crew_roles", "plan", str(path), "--exact"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    line = process.stderr.readline()
    assert "of 96,000,000 cells counted" in line
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert err.endswith("interrupted\n")
    assert_ends(process.pid)


def test_members_end_with_a_driver_that_is_killed(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(spec_of(ENDLESS).model_dump_json())
    command = [sys.executable, "-m", "tests.search.crew_roles", "plan", str(path), "--exact"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    process.stderr.readline()
    time.sleep(2)
    process.kill()
    process.communicate()
    assert_ends(process.pid)


def assert_ends(group):
    """Wait until no process of a group is left."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("some process is still there")
