"""One optimisation step."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def train_step(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    label_smoothing: float,
) -> tuple[Tensor, Tensor]:
    """Update the weights from one batch; return logits [B, classes] and the mean loss, detached.

    Nothing here waits for the device.
    """
    logits = net(images)
    loss = functional.cross_entropy(logits, labels, label_smoothing=label_smoothing)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimizer.step()
    return logits.detach(), loss.detach()
