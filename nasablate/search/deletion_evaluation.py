"""Evaluates one trained network under all its deletions; the part of a study with torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from nasablate.analysis.finite_population import random_part as drawn_indices
from nasablate.data import DataInfo, ImageSet, load_info, load_test, load_train
from nasablate.data.batches import eval_batches
from nasablate.data.images import Part, fingerprint
from nasablate.data.streaming import StreamedSet
from nasablate.errors import DataError, RunError
from nasablate.genome import DeletionSpec, Genome, Recipe
from nasablate.nets import Net
from nasablate.nets.weight_files import read_weights
from nasablate.search.deletion_memory import MOST_BATCH
from nasablate.search.deletion_networks import Member, StudiedNetwork
from nasablate.search.deletion_trials import Deletion, Images
from nasablate.store import Predictions
from nasablate.training.deletion.chains import Chain
from nasablate.training.deletion.evaluation import evaluate_chains
from nasablate.training.deletion.memory import Form, largest_batch, needed_bytes
from nasablate.training.deletion.results import ChainResults
from nasablate.training.deletion.shards import evaluate_sharded
from nasablate.training.deletion.tree import grow, shared_work
from nasablate.training.network import make_net

_WORTH_A_PROCESS = 2 * 10**11
"""Multiply-adds below which starting another process takes longer than it saves."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where networks run."""

    device: str
    workers: int
    """Processes at once; on a CPU."""
    threads: int
    """Of each of them."""
    memory: int
    """Bytes that activations may take in each of them."""


@dataclass(frozen=True)
class Bench:
    """The images that judge, and where networks run."""

    info: DataInfo
    part: Part
    images: Images
    place: Place


def make_bench(spec: DeletionSpec, device: str, workers: int) -> Bench:
    """Load the images that judge.

    Raises:
        DataError: there is no such part, or it has fewer images than the file asks for.
    """
    info = load_info(spec.data)
    whole: Part = load_test(spec.data) if spec.evaluate == "test" else load_train(spec.data).val
    total = len(whole)
    chosen = total if spec.images == "all" else spec.images.random
    if chosen > total:
        message = (
            f"images.random = {chosen}: {info.name} has {total} {spec.evaluate} images; choose at"
            " most that many"
        )
        raise DataError(message)
    images = Images(spec.evaluate, fingerprint(whole), total, chosen, spec.seed)
    part = whole if chosen == total else random_part(whole, chosen, spec.seed)
    place = Place(device, workers, spec.resources.threads_per_trial, spec.memory)
    return Bench(info, part, images, place)


def random_part(whole: Part, chosen: int, seed: int) -> Part:
    """Return so many images drawn without replacement, in their own order."""
    indices = drawn_indices(len(whole), chosen, seed)
    if isinstance(whole, StreamedSet):
        return StreamedSet(whole.source, whole.indices[indices], whole.form)
    assert isinstance(whole, ImageSet)
    return whole.take(indices)


def load_net(network: StudiedNetwork, member: Member, device: str = "cpu") -> Net:
    """Build a network with its trained weights, in evaluation mode.

    Raises:
        RunError: the file is damaged or holds the weights of another network.
    """
    assert member.weights is not None
    variant = network.variant
    name = f"{network.name}, {member.origin}"
    return weighted_net(variant.genome, variant.recipe, member.weights, name, device)


def weighted_net(
    genome: Genome, recipe: Recipe, weights: Path, name: str, device: str = "cpu"
) -> Net:
    """Build a network with weights from a file, in evaluation mode.

    Raises:
        RunError: the file is damaged or holds the weights of another network.
    """
    target = torch.device(device)
    net = make_net(genome, recipe, 0, target)
    try:
        net.load_state_dict(_weights(weights, target))
    except Exception as error:  # damaged files raise many kinds, a wrong network RuntimeError
        reason = " ".join(str(error).split())[:200]
        message = f"{name}: these are not its weights ({reason})"
        raise RunError(message) from error
    assert isinstance(net, Net)
    return net.eval()


def _weights(path: Path, device: torch.device) -> dict[str, torch.Tensor]:
    return {name: value.to(device) for name, value in read_weights(path).tensors.items()}


def evaluate_member(
    bench: Bench, network: StudiedNetwork, member: Member, deletions: Sequence[Deletion]
) -> list[Predictions]:
    """Return what the trained network says of every image under every deletion, in order.

    Chains that several deletions share are run once.

    Raises:
        RunError: the weights cannot be read.
    """
    net = load_net(network, member, bench.place.device)
    chains = list(dict.fromkeys(deletion.chain for deletion in deletions))
    results = run_chains(bench.place, net, chains, bench.part, bench.info)
    places = {chain: index for index, chain in enumerate(chains)}
    loss, probability = results.loss, results.true_probability.mean(axis=1)
    found: list[Predictions] = []
    for deletion in deletions:
        index = places[deletion.chain]
        found.append(
            Predictions(
                number=-1,
                part=bench.images.part,
                num_images=len(results.labels),
                correct=results.packed_correct(index),
                loss=float(loss[index]),
                true_probability=float(probability[index]),
            )
        )
    return found


def run_chains(
    place: Place,
    net: Net,
    chains: Sequence[Chain],
    part: Part,
    info: DataInfo,
    *,
    keep_logits: bool = False,
) -> ChainResults:
    """Return what every chain says of the images, evaluated where and as the place allows.

    Raises:
        InputError: not even one image fits into the place's memory.
    """
    if place.device != "cpu":
        device, (form, batch) = torch.device(place.device), _on_device(place, net, chains)
        batches = eval_batches(part, info, batch, device)
        return evaluate_chains(net, chains, batches, form=form, keep_logits=keep_logits)
    batch = min(MOST_BATCH, largest_batch(net.blueprint, chains, place.memory))
    macs = shared_work(net.blueprint, chains).macs * len(part)
    workers = max(1, min(place.workers, macs // _WORTH_A_PROCESS))
    before = torch.get_num_threads()
    torch.set_num_threads(place.threads)
    try:
        return evaluate_sharded(
            net, chains, part, info, batch=batch, workers=workers, keep_logits=keep_logits
        )
    finally:
        torch.set_num_threads(before)


def _on_device(place: Place, net: Net, chains: Sequence[Chain]) -> tuple[Form, int]:
    """Return the growing form and its batch, or the other one where too many chains grow."""
    if needed_bytes(net.blueprint, grow(chains), 1, "growing") <= place.memory:
        most = largest_batch(net.blueprint, chains, place.memory, "growing")
        return "growing", min(MOST_BATCH, most)
    return "depth", min(MOST_BATCH, largest_batch(net.blueprint, chains, place.memory))
