"""What a network is like inside: how much gradient reaches its units, what its first layer sees."""

from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from nasablate.errors import RunError
from nasablate.nets import Net

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def unit_gradients(net: Net, images: int = 32, seed: int = 0) -> tuple[float, ...]:
    """Return how much gradient arrives at the output of every part, from the stem to the head.

    Images are standard normal noise and labels random, the same for networks of one input and
    number of classes, so no data are needed. BN takes the statistics of this batch, whether the
    network is trained or not; nothing is dropped. The network's buffers stay as they are.

    Args:
        net: The network.
        images: How many.
        seed: Of images and labels.

    Returns:
        For each part in order the root mean square over images of the L2 norm of the gradient of
        the summed cross-entropy with respect to its output; the head's output are the logits.
    """
    generator = torch.Generator().manual_seed(seed)
    batch = torch.randn(images, *net.blueprint.input, generator=generator)
    kept = {name: buffer.clone() for name, buffer in net.named_buffers()}
    was_training = {module: module.training for module in net.modules()}
    net.eval()
    for module in net.modules():
        if isinstance(module, _NORMS):
            module.train()
    outputs = list(_outputs(net, batch))
    logits = outputs[-1]
    labels = torch.randint(logits.shape[1], (images,), generator=generator)
    loss = functional.cross_entropy(logits, labels, reduction="sum")
    gradients = torch.autograd.grad(loss, outputs)
    for name, buffer in net.named_buffers():
        buffer.copy_(kept[name])
    for module, training in was_training.items():
        module.training = training
    squares = [found.flatten(1).square().sum(dim=1).mean() for found in gradients]
    return tuple(float(found.sqrt()) for found in squares)


def _outputs(net: Net, batch: Tensor) -> Iterator[Tensor]:
    x = batch
    for _, module in net.units:
        x = module(x)
        yield x


def first_filters(net: Net) -> Float[Tensor, "filters channels height width"] | None:
    """Return the weights of the first convolution; None if the network begins with none."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            return module.weight.detach()
    return None


def load_weights(net: Net, path: Path) -> None:
    """Put kept weights into a network.

    Raises:
        RunError: the file cannot be read, or belongs to another network.
    """
    try:
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # damaged files raise many kinds, a wrong network RuntimeError
        reason = " ".join(str(error).split())[:200]
        message = f"{path.name}: these are not this network's weights ({reason})"
        raise RunError(message) from error
