"""Deleting a unit is running the network that was built without it, bit for bit."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from nasablate.errors import InputError
from nasablate.nets import Net
from nasablate.training.deletion.candidates import deletable
from nasablate.training.deletion.cases import (
    branch_scalings,
    intact_case,
    pair_deletions,
    possible_units,
    random_deletions,
    reorderings,
    single_deletions,
    stage_deletions,
)
from nasablate.training.deletion.chains import Chain, Step, intact, scaled
from nasablate.training.deletion.evaluation import evaluate_chains, evaluate_naively
from nasablate.training.deletion.tree import naive_work, shared_work
from nasablate.training.evaluation import evaluate
from nasablate.training.onednn import avoid_strided_pointwise
from tests.training.deletion.families import (
    FAMILIES,
    family,
    images,
    rebuilt_without,
    trained,
    with_weights_of,
)


def logits_of(net: Net, batch: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        return net(batch).numpy()


def run(net: Net, chains: list[Chain], batch: tuple[torch.Tensor, torch.Tensor], **more):
    return evaluate_chains(net, chains, [batch], keep_logits=True, **more).logits


@pytest.mark.parametrize("name", FAMILIES)
def test_deleting_a_unit_is_rebuilding_the_network_without_it(name: str) -> None:
    net = family(name)
    batch = images(net)
    cases = (intact_case(net.blueprint), *single_deletions(net.blueprint))
    assert len(cases) > 3
    found = run(net, [case.chain for case in cases], batch)
    for logits, case in zip(found, cases, strict=True):
        expected = logits_of(rebuilt_without(net, *case.units), batch[0])
        assert (logits == expected).all(), case.name
        assert case.kind == "intact" or (logits != found[0]).any(), case.name


@pytest.mark.parametrize("name", FAMILIES)
def test_shared_and_growing_passes_are_separate_passes(name: str) -> None:
    net = family(name)
    batch = images(net)
    blueprint = net.blueprint
    cases = (
        *single_deletions(blueprint),
        *pair_deletions(blueprint),
        *stage_deletions(blueprint),
        *random_deletions(blueprint, [1, 3], 3, seed=0),
        *branch_scalings(blueprint, [0.25, 1.0]),
        *branch_scalings(blueprint, [0.5], together=True),
        intact_case(blueprint),
    )
    chains = [case.chain for case in cases]
    naive = evaluate_naively(net, chains, [batch], keep_logits=True)
    assert (run(net, chains, batch) == naive.logits).all()
    growing = run(net, chains, batch, form="growing")
    assert np.abs(growing - naive.logits).max() <= 1e-5 * np.abs(naive.logits).max()


def test_an_identity_unit_may_as_well_be_left_out_of_the_network() -> None:
    net = trained("preactresnet-110", {"width": 8, "stem.width": 8}, (3, 3))
    batch = images(net)
    parts = net.blueprint.parts
    assert parts[2].fragment.shortcut == -1
    shorter = replace(net.blueprint, parts=(*parts[:2], *parts[3:]))
    expected = logits_of(with_weights_of(net, shorter), batch[0])
    assert (run(net, [scaled(intact(net.blueprint), [2])], batch)[0] == expected).all()


def test_relu_after_the_addition_still_runs() -> None:
    net = trained("resnet-20", {"width": 8, "stem.width": 8, "stem.post": []}, (2, 2))
    batch = images(net)
    before = net.units[0][1](batch[0])
    assert (before < 0).any()
    seen: list[torch.Tensor] = []
    net.units[2][1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    run(net, [scaled(intact(net.blueprint), [1])], batch)
    assert (seen[0] == before.relu()).all()


@pytest.mark.parametrize("factor", [0.3, -2.0])
@pytest.mark.parametrize("name", ["exclusive gating", "stochastic depth", "identity, merged relu"])
def test_a_factor_multiplies_the_branch_just_before_the_addition(name: str, factor: float) -> None:
    net = family(name)
    batch = images(net)
    found = run(net, [scaled(intact(net.blueprint), [2, 3], factor)], batch)[0]
    for unit in (2, 3):
        addition = net.units[unit][1].get_submodule("add")
        addition.register_forward_pre_hook(lambda _, inputs: (inputs[0], inputs[1] * factor))
    assert (found == logits_of(net, batch[0])).all()


def test_stochastic_depth_scales_the_branch_that_is_left() -> None:
    net = family("stochastic depth")
    kept = [net.units[unit][1].get_submodule("drop_path").keep for unit in range(1, 7)]
    assert kept == pytest.approx([1 - 0.5 * unit / 6 for unit in range(1, 7)])
    batch = images(net)
    found = run(net, [scaled(intact(net.blueprint), [6], 0.5)], batch)[0]
    net.units[6][1].get_submodule("drop_path").keep *= 0.5
    assert np.allclose(found, logits_of(net, batch[0]), rtol=1e-5)


def test_reordered_units_run_in_their_new_order() -> None:
    net = trained("resnet-20", {"width": 8, "stem.width": 8}, (3, 3))
    batch = images(net)
    order = (1, 3, 2, 4, 6, 5)
    chain = tuple(Step(unit, 0.0 if unit == 6 else 1.0) for unit in order)
    parts = list(net.blueprint.parts)
    moved = [parts[0], *(parts[unit] for unit in order), parts[-1]]
    reordered = with_weights_of(net, replace(net.blueprint, parts=tuple(moved)))
    expected = logits_of(rebuilt_without(reordered, 5), batch[0])  # the fifth place holds unit 6
    assert (run(net, [chain], batch)[0] == expected).all()
    cases = reorderings(net.blueprint, [1, 3], 5, seed=0)
    chains = [case.chain for case in cases]
    naive = evaluate_naively(net, chains, [batch], keep_logits=True)
    assert (run(net, chains, batch) == naive.logits).all()


@pytest.mark.parametrize("kind", ["basic", "single"])
def test_plain_units_are_passed_over(kind: str) -> None:
    net = trained("plain-20", {"width": 8, "stem.width": 8, "unit": {"kind": kind}}, (2, 2))
    assert possible_units(net.blueprint) == (1, 2, 4)
    batch = images(net)
    for case in single_deletions(net.blueprint):
        expected = logits_of(rebuilt_without(net, *case.units), batch[0])
        assert (run(net, [case.chain], batch)[0] == expected).all()


def test_the_workaround_for_onednn_stays_in_force() -> None:
    net = family("projection")
    batch = images(net)
    chains = [case.chain for case in single_deletions(net.blueprint)]
    before = run(net, chains, batch)
    avoid_strided_pointwise(net)
    assert any(module._forward_pre_hooks for module in net.modules())
    after = run(net, chains, batch)
    assert np.abs(after - before).max() <= 1e-5 * np.abs(before).max()
    assert (after == evaluate_naively(net, chains, [batch], keep_logits=True).logits).all()


@pytest.mark.parametrize("pairs", [0, 1])
def test_every_distinct_beginning_runs_once(pairs: int) -> None:
    net = trained("resnet-20", {"width": 8, "stem.width": 8}, (3, 3, 3))
    blueprint = net.blueprint
    singles = [case.chain for case in (intact_case(blueprint), *single_deletions(blueprint))]
    chains = singles + [case.chain for case in pair_deletions(blueprint)] * pairs
    runs: Counter[str] = Counter()
    for unit, (place, module) in enumerate(net.units):
        # an intact unit is called, a deleted one is not, but its merged ReLU is
        module.register_forward_hook(lambda *_, name=place.name: runs.update([name]))
        if 0 < unit < 10:
            inner = module.get_submodule("merged_relu")
            inner.register_forward_hook(lambda *_: runs.update(["unit"]))
    evaluate_chains(net, chains, [images(net)])
    units = 9
    branch_runs = sum(runs[place.name] for place in blueprint.units[1:-1])
    work = shared_work(blueprint, chains)
    assert (runs["stem"], runs["head"]) == (1, len(chains))
    assert branch_runs == work.branch_runs
    assert runs["unit"] == work.branch_runs + work.shortcut_runs
    if pairs:  # each pair d < e shares the single deletion of d up to e
        pair_suffixes = sum(
            units - second for first in range(1, 10) for second in range(first + 1, 10)
        )
        assert work.branch_runs == units * (units + 1) // 2 + pair_suffixes
        assert work.shortcut_runs == units + units * (units - 1) // 2
    else:  # one pass and the suffixes
        assert work.branch_runs == units + units * (units - 1) // 2
        assert work.shortcut_runs == units
    assert naive_work(blueprint, singles).branch_runs == units + units * (units - 1)


def test_work_counts_the_multiply_adds_of_what_runs() -> None:
    net = trained("resnet-20-b", {}, (1, 1), side=16)
    blueprint = net.blueprint
    stem, first, second, head = (part.fragment.cost.macs for part in blueprint.parts)
    projection = 16 * 32 * 8 * 8
    work = shared_work(blueprint, [case.chain for case in single_deletions(blueprint)])
    assert work.macs == stem + second + first + projection + 2 * head


def test_results_are_those_of_the_evaluation_of_networks() -> None:
    net = trained("resnet-20", {"width": 8, "stem.width": 8}, (2, 2))
    batches = [images(net, 8, seed) for seed in range(3)]
    done: list[int] = []
    results = evaluate_chains(
        net, [intact(net.blueprint), scaled(intact(net.blueprint), [1])], batches,
        progress=done.append,
    )  # fmt: skip
    assert done == [8, 16, 24]
    assert results.logits is None
    for chain, other in enumerate([net, rebuilt_without(net, 1)]):
        expected = evaluate(other, batches)
        assert results.error_percent[chain] == expected.error
        assert results.loss[chain] == expected.loss
        assert results.true_probability[chain].mean() == pytest.approx(expected.true_probability)
        assert (results.correct[chain] == expected.correct.numpy()).all()
        packed = np.packbits(expected.correct.numpy()).tobytes()
        assert results.packed_correct(chain) == packed
    assert 0 < results.correct.mean() < 1


def test_logits_that_are_no_number_name_no_class() -> None:
    net = trained("resnet-20", {"width": 8, "stem.width": 8}, (2, 2))
    batch, _ = images(net)
    batch[1] = torch.nan
    labels = torch.zeros(len(batch), dtype=torch.long)
    results = evaluate_chains(net, [intact(net.blueprint)], [(batch, labels)])
    assert results.predicted[0, 1] == -1
    assert not results.correct[0, 1]
    assert np.isnan(results.cross_entropy[0, 1])
    assert (results.predicted[0, [0, 2]] >= 0).all()


def test_same_chain_twice_has_two_results() -> None:
    net = trained("resnet-20", {"width": 8, "stem.width": 8}, (2, 2))
    chain = scaled(intact(net.blueprint), [1])
    for form in ("depth", "growing"):
        found = run(net, [chain, intact(net.blueprint), chain], images(net), form=form)
        assert (found[0] == found[2]).all()
        assert (found[0] != found[1]).any()


def test_every_family_has_its_way() -> None:
    for name in FAMILIES:
        ways = {c.way for c in deletable(family(name).blueprint) if c.stage >= 0}
        assert "shortcut" in ways, name
        assert (ways == {"shortcut"}) == (name != "linear bottleneck"), name


def test_nothing_to_evaluate_is_refused() -> None:
    net = trained("resnet-20", {"width": 8, "stem.width": 8}, (2, 2))
    with pytest.raises(InputError, match="no chain"):
        evaluate_chains(net, [], [images(net)])
    with pytest.raises(InputError, match="no images"):
        evaluate_chains(net, [intact(net.blueprint)], [])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_gives_what_a_processor_gives() -> None:
    net = trained("pyramidnet-110-a48", {"widening.alpha": 9}, (3, 3, 3))
    batch = images(net)
    chains = [case.chain for case in single_deletions(net.blueprint)]
    expected = run(net, chains, batch)
    torch.backends.cudnn.allow_tf32, before = False, torch.backends.cudnn.allow_tf32
    try:
        on_gpu = (batch[0].cuda(), batch[1].cuda())
        found = [run(net.cuda(), chains, on_gpu, form=form) for form in (None, "depth")]
    finally:
        torch.backends.cudnn.allow_tf32 = before
    for logits in found:
        assert np.abs(logits - expected).max() <= 1e-4 * np.abs(expected).max()
