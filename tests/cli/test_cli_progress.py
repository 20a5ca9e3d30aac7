"""The progress of a search, as lines and as a live table."""

import io

import pytest
from rich.console import Console

from nasablate.cli.progress import LineProgress, LiveProgress, Tally
from nasablate.store import Epoch


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def epoch(number: int, error: float) -> Epoch:
    return Epoch(
        epoch=number,
        train_loss=1.0,
        train_error=50.0,
        val_loss=1.0,
        val_error=error,
        lr=0.1,
        seconds=1.0,
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tally(clock: Clock) -> Tally:
    return Tally("val_error", "minimize", clock)


def console() -> Console:
    return Console(file=io.StringIO(), width=100, force_terminal=False)


def text_of(made: Console) -> str:
    assert isinstance(made.file, io.StringIO)
    return made.file.getvalue()


def test_best_is_the_lowest_complete_error(tally: Tally) -> None:
    tally.on_start(4, 0)
    for number, state, value in [
        (0, "complete", 5.0),
        (1, "pruned", 1.0),
        (2, "complete", float("nan")),
        (3, "complete", 4.0),
    ]:
        tally.on_trial_start(number, f"net {number}", 2)
        tally.on_trial_end(number, state, value)
    assert tally.best == (4.0, 3, "net 3")
    assert tally.best_text() == "best so far: trial 3, 4.00 %, net 3"
    assert tally.progress_text().startswith("4 of 4 trials done, 1 stopped early")


def test_maximized_objective_keeps_the_highest() -> None:
    tally = Tally("params", "maximize")
    tally.on_start(2, 0)
    for number, value in enumerate([10.0, 20.0]):
        tally.on_trial_start(number, "net", 1)
        tally.on_trial_end(number, "complete", value)
    assert tally.best_text() == "best so far: trial 1, 20, net"


def test_time_left_counts_started_trials_in_part(tally: Tally, clock: Clock) -> None:
    tally.on_start(10, 5)
    tally.on_trial_start(5, "net", 4)
    clock.seconds = 20.0
    assert "left" not in tally.progress_text()
    tally.on_trial_end(5, "complete", 3.0)
    tally.on_trial_start(6, "net", 4)
    tally.on_epoch(6, epoch(2, 10.0))
    clock.seconds = 30.0
    # 1.5 trials took 30 s, 2.5 of the 10 remain after them.
    assert tally.progress_text() == "6 of 10 trials done, about 1 min 10 s left"


def test_interrupted_trial_is_not_done(tally: Tally) -> None:
    tally.on_start(2, 0)
    tally.on_trial_start(0, "net", 3)
    tally.on_trial_end(0, "waiting", None)
    assert tally.progress_text() == "0 of 2 trials done"
    assert not tally.running


def test_lines_are_sparse(tally: Tally) -> None:
    made = console()
    progress = LineProgress(made, tally)
    progress.on_phase("starting Ray")
    progress.on_start(12, 3)
    progress.on_trial_start(3, "basic, pyramid", 9)
    for number in (1, 2):
        progress.on_epoch(3, epoch(number, 20.0 / number))
    progress.on_trial_end(3, "pruned", None, "not among the best at epoch 2")
    progress.on_trial_start(4, "[red]basic", 9)
    progress.on_trial_end(4, "fail", None, "loss is NaN")
    assert text_of(made).splitlines() == [
        "starting Ray",
        "3 of 12 trials done before",
        " 4/12  trial 3  stopped early after 2 epochs  10.00 %  basic, pyramid",
        " 5/12  trial 4  failed after 0 epochs  -  [red]basic  loss is NaN",
    ]


def test_live_table_shows_running_trials(tally: Tally) -> None:
    made = console()
    progress = LiveProgress("quickstart", made, tally)
    progress.on_phase("searching")
    progress.on_start(3, 0)
    progress.on_phase("starting Ray")
    progress.on_trial_start(7, "unit.kind=[basic]", 12)
    progress.on_epoch(7, epoch(5, 4.25))
    made.print(progress)
    shown = text_of(made)
    assert "quickstart  searching" in shown
    assert "5/12" in shown
    assert "4.25 %" in shown
    assert "unit.kind=[basic]" in shown
    assert "0 of 3 trials done" in shown
    progress.on_trial_end(7, "fail", None, "out of memory")
    assert "trial 7 failed after 5 epochs: out of memory" in text_of(made)


def test_the_best_of_an_earlier_run_is_shown_from_the_start(tally: Tally) -> None:
    made = console()
    progress = LiveProgress("s", made, tally)
    progress.on_start(3, 1)
    progress.on_best(0, "net 0", 5.0)
    made.print(progress)
    assert "best so far: trial 0, 5.00 %, net 0" in text_of(made)
    progress.on_trial_start(1, "net 1", 2)
    progress.on_trial_end(1, "complete", 4.0, "")
    made.print(progress)
    assert "best so far: trial 1, 4.00 %, net 1" in text_of(made)
