import random

import pytest

from nasablate.search.axis import Axis
from nasablate.search.proposals import Setting, SpaceProposer
from nasablate.search.samplers import Known, distribution, make_sampler, sampler_name
from tests.search.toy import ToySpace

NAMES = ("random", "grid", "tpe", "nsga2")


def propose_all(name, space, trials, *, seed=0, resume_at=None):
    """Propose trials as a driver would; a resumed one starts again with a new sampler."""
    directions = ["minimize", "minimize"] if name == "nsga2" else ["minimize"]

    def proposer():
        sampler = make_sampler(name, space, seed, directions, trials)
        return SpaceProposer(space, sampler, Setting("data", 0, 1), seed)

    current, history = proposer(), []
    while len(history) < trials:
        if len(history) == resume_at:
            current = proposer()
        proposal = current.propose(history)
        if proposal is None:
            break
        value = float(sum(proposal.params.values()))
        history.append(
            Known(
                number=len(history),
                proposal=proposal.index,
                key=proposal.key,
                params=proposal.params,
                state="complete",
                values=(value, 10 - value)[: len(directions)],
                memory=proposal.attributes.get("sampler_memory", {}),
            )
        )
    return history, current


@pytest.mark.parametrize("name", NAMES)
def test_every_proposal_is_new_and_within_the_limits(name):
    space = ToySpace((4, 4), limit=5, illegal=3)
    history, proposer = propose_all(name, space, 100)
    cells = [tuple(known.params.values()) for known in history]
    assert len(cells) == len(set(cells)) == 11  # 16 - 4 illegal - 1 over the limit
    assert all(sum(cell) <= 5 and sum(cell) != 3 for cell in cells)
    assert proposer.note == "space exhausted after 11 distinct networks"


@pytest.mark.parametrize("name", NAMES)
def test_cells_that_are_one_network_are_one_trial(name):
    history, _ = propose_all(name, ToySpace((4, 8), collapse=True), 100)
    assert len(history) == 4


@pytest.mark.parametrize("name", ["random", "grid", "tpe", "nsga2"])
@pytest.mark.parametrize("resume_at", [1, 5, 11])
def test_a_resumed_sampler_goes_on_as_if_nothing_had_happened(name, resume_at):
    space = ToySpace((6, 6), limit=8)
    straight, _ = propose_all(name, space, 14)
    resumed, _ = propose_all(name, space, 14, resume_at=resume_at)
    assert [known.params for known in resumed] == [known.params for known in straight]
    assert [known.proposal for known in resumed] == [known.proposal for known in straight]


@pytest.mark.parametrize("name", ["random", "grid"])
def test_random_and_grid_ignore_how_trials_end(name):
    space = ToySpace((6, 6))
    sampler = make_sampler(name, space, 0, ["minimize"], 10)
    done = Known(0, 0, "k", {"axis0": 0, "axis1": 0}, "complete", (1.0,))
    running = Known(0, 0, "k", {"axis0": 0, "axis1": 0}, "running")
    assert sampler.draw(7, [done]) == sampler.draw(7, [running]) == sampler.draw(7, [])


def test_tpe_learns_where_the_good_ones_are():
    space = ToySpace((40, 40))
    tpe, _ = propose_all("tpe", space, 60)
    uniform, _ = propose_all("random", space, 60)
    late = lambda history: sorted(known.values[0] for known in history[30:])[15]  # noqa: E731
    assert late(tpe) < 0.6 * late(uniform)


def test_only_active_axes_are_proposed():
    kind = Axis("kind", "choice", labels=("a", "b"))
    extra = Axis("extra", "int", conditions=(("kind", ("b",)),), low=1, high=4)

    class Points:
        axes = (kind, extra)
        num_cells = 5

        def cells(self):
            yield {"kind": "a"}

        def random(self, rng: random.Random):
            del rng
            return {"kind": "a"}

    sampler = make_sampler("tpe", Points(), 0, ["minimize"], 10)
    draws = [sampler.draw(index, []).assignment for index in range(20)]
    assert {frozenset(draw) for draw in draws} == {
        frozenset({"kind"}),
        frozenset({"kind", "extra"}),
    }
    assert all(("extra" in draw) == (draw["kind"] == "b") for draw in draws)


@pytest.mark.parametrize(
    ("axis", "high"),
    [
        (Axis("x", "int", low=24, high=97, step=12), 96),
        (Axis("x", "float", low=0.1, high=1.0, step=0.4), 0.9),
        (Axis("x", "float", low=0.0, high=0.3, step=0.1), 0.3),
    ],
)
def test_a_range_that_ends_beside_its_grid_makes_no_warning(axis, high):
    assert distribution(axis).high == pytest.approx(high)
    assert all(distribution(axis)._contains(value) for value in axis.values())


def test_auto_is_grid_for_small_spaces():
    assert sampler_name("auto", 16, 16, 1) == "grid"
    assert sampler_name("auto", 17, 16, 1) == "tpe"
    assert sampler_name("auto", 17, 16, 2) == "nsga2"
    assert sampler_name("random", 2, 16, 1) == "random"
