"""Learning curves: mean and range over the finished seeds of every arm."""

from math import nan

import pytest
from scipy import stats

from nasablate.figures.curves import MOST_TOGETHER, curves_data
from nasablate.figures.curves_plot import curves_plot
from nasablate.store import Epoch, TrialRecord
from tests.figures.ablations import factorial, result_of, spec_of


def trial(number, arm, state="complete"):
    return TrialRecord("try", number, state, {}, {"arm": arm, "replicate": number}, None, {}, None,
                       None)  # fmt: skip


def curve(*errors, train=50.0):
    return tuple(
        Epoch(place, 1.0, train - place, 1.0, error, 0.1, 1.0)
        for place, error in enumerate(errors, 1)
    )


TRIALS = [trial(0, "baseline"), trial(1, "baseline"), trial(2, "bn=with"),
          trial(3, "relu=remove", "fail"), trial(4, "relu=remove, bn=with", "running")]  # fmt: skip
EPOCHS = {0: curve(30, 20), 1: curve(40, 22), 2: curve(35, 25), 3: curve(90, nan), 4: curve(50)}


def test_mean_and_range_of_finished_replicates():
    found = curves_data(factorial(), TRIALS, EPOCHS)
    assert [(own.name, own.n) for own in found.curves] == [("baseline", 2), ("bn=with", 1)]
    points = [(p.epoch, p.mean, p.low, p.high) for p in found.curves[0].points]
    assert points == [(1, 35, 30, 40), (2, 21, 20, 22)]
    assert found.missing == ("relu=remove", "relu=remove, bn=with")
    assert found.measure == "validation"
    assert "baseline: 35.00 at epoch 1, 21.00 (20.00 to 22.00) at epoch 2, 2 seeds" in (
        found.alt_text()
    )


def test_from_three_seeds_on_bands_are_the_intervals_of_the_means():
    trials = [trial(place, "baseline") for place in range(4)]
    errors = {0: curve(30, 20), 1: curve(40, 22), 2: curve(35, 25), 3: curve(38, 23)}
    found = curves_data(factorial(), trials, errors)
    assert found.band == "interval"
    last = found.curves[0].points[-1]
    margin = stats.t.ppf(0.975, 3) * stats.sem([20, 22, 25, 23])
    assert (last.low, last.high) == pytest.approx((22.5 - margin, 22.5 + margin))
    assert (last.best, last.worst) == (20, 25)
    assert "95 % interval over seeds" in found.alt_text()
    few = curves_data(factorial(), [*trials, trial(4, "bn=with")], {**errors, 4: curve(3, 2)})
    assert few.band == "range"


def test_training_error_where_nothing_was_held_out():
    found = curves_data(factorial(), TRIALS[:1], {0: curve(nan, nan)})
    assert found.measure == "training"
    assert [point.mean for point in found.curves[0].points] == [49, 48]


def test_nothing_finished():
    found = curves_data(factorial(), TRIALS[3:], EPOCHS)
    assert found.curves == ()
    assert len(found.missing) == 4


def test_drawings_have_a_band_and_a_line_per_arm():
    figure = curves_plot(curves_data(factorial(), TRIALS, EPOCHS))
    assert len(figure.data) == 4
    assert list(figure.data[1].y) == [35, 21]
    assert list(figure.data[0].y) == [30, 20, 22, 40]


def test_many_arms_have_a_panel_each_beside_the_reference():
    count = MOST_TOGETHER + 1
    spec = spec_of(
        design="arms", factors={}, seeds=1,
        arms={f"arm{place}": {"width": 5 + place} for place in range(count)},
    )  # fmt: skip
    names = ["baseline", *spec.arms]
    result = result_of(spec, [(name, {}, 10, [5.0]) for name in names])
    trials = [trial(place, name) for place, name in enumerate(names)]
    found = curves_data(result, trials, {place: curve(30, 20 + place) for place in range(6)})
    assert found.is_split
    figure = curves_plot(found)
    assert len({trace.xaxis for trace in figure.data}) == count
    last = [list(trace.y)[-1] for trace in figure.data if trace.name == "this arm"]
    assert last == [20 + place for place in range(1, count + 1)]
    assert sum(bool(trace.showlegend) for trace in figure.data) == 2
