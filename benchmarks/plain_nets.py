"""PyramidNet and ResNet for CIFAR as one would write them by hand, for rivals to count."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class PyramidUnit(nn.Module):
    """BN, 3x3, BN, ReLU, 3x3, BN beside a pooled and zero-padded shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.pool = nn.AvgPool2d(2) if stride > 1 else nn.Identity()
        self.missing = outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        """Return the unit's result."""
        y = self.conv1(self.bn1(x))
        y = self.bn3(self.conv2(self.relu(self.bn2(y))))
        return y + functional.pad(self.pool(x), (0, 0, 0, 0, 0, self.missing))


class ResidualUnit(nn.Module):
    """3x3, BN, ReLU, 3x3, BN beside a subsampled and zero-padded shortcut, then ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride = stride
        self.missing = outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        """Return the unit's result."""
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        x = x[:, :, :: self.stride, :: self.stride]
        return self.relu(y + functional.pad(x, (0, 0, 0, 0, 0, self.missing)))


def pyramidnet(depth: int, alpha: float) -> nn.Sequential:
    """Return PyramidNet with ``depth`` basic units per stage (arXiv 1610.02915)."""
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)]
    width, running = 16, 16.0
    for index in range(3 * depth):
        running += alpha / (3 * depth)
        outputs = int(running + 0.5)
        stride = 2 if index in {depth, 2 * depth} else 1
        layers.append(PyramidUnit(width, outputs, stride))
        width = outputs
    layers += [nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, *_classifier(width))


def resnet(depth: int, width: int) -> nn.Sequential:
    """Return ResNet with ``depth`` basic units per stage, option A (arXiv 1512.03385)."""
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False)]
    layers += [nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for index in range(3 * depth):
        outputs = width * 2 ** (index // depth)
        stride = 2 if index in {depth, 2 * depth} else 1
        layers.append(ResidualUnit(inputs, outputs, stride))
        inputs = outputs
    return nn.Sequential(*layers, *_classifier(inputs))


def _classifier(width: int) -> tuple[nn.Module, ...]:
    return nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10)


def images(device: str) -> Tensor:
    """Return one CIFAR image's worth of numbers."""
    return torch.zeros(1, 3, 32, 32, device=device)
