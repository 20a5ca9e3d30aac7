"""One optimisation step."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasablate.nets import Net


def train_step(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    label_smoothing: float,
) -> tuple[Tensor, Tensor]:
    """Update the weights from one batch; return logits [B, classes] and the mean loss, detached.

    Both are those of the network's own classifier, with and without auxiliary ones. Nothing here
    waits for the device.
    """
    weights = net.auxiliary_weights if isinstance(net, Net) else ()
    logits, *others = net.all_logits(images) if isinstance(net, Net) else (net(images),)
    loss = functional.cross_entropy(logits, labels, label_smoothing=label_smoothing)
    total = loss
    for weight, other in zip(weights, others, strict=True):
        own = functional.cross_entropy(other, labels, label_smoothing=label_smoothing)
        total = total + weight * own
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(total)
    optimizer.step()
    return logits.detach(), loss.detach()
