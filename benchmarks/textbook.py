"""Training as a textbook writes it: the rival of our training loop, with nothing of ours in it.

One picture at a time through PIL, a `DataLoader`, a plain network, torch's own SGD, and loss and
accuracy read with ``.item()`` at every step. A picture goes through the operations of torchvision's
RandomCrop, RandomHorizontalFlip, ToTensor and Normalize, random numbers from torch included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


@dataclass(frozen=True)
class Pictures(Dataset[tuple[Tensor, int]]):
    """Images that are padded, cropped and flipped one by one."""

    images: NDArray[np.uint8]
    """[N, C, H, W]."""
    labels: NDArray[np.int64]
    mean: Sequence[float]
    std: Sequence[float]
    augment: bool = True
    padding: int = 4

    @property
    def _mean_colour(self) -> tuple[int, ...]:
        """What is padded with: zero after normalisation, as our recipes pad."""
        return tuple(round(255 * mean) for mean in self.mean)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one image, normalised, and its class."""
        picture = Image.fromarray(self.images[index].transpose(1, 2, 0))
        if self.augment:
            picture = _flipped(_cropped(picture, self.padding, self._mean_colour))
        pixels = torch.from_numpy(np.array(picture))  # pyright: ignore[reportUnknownMemberType]
        pixels = pixels.permute(2, 0, 1).contiguous()
        return _normalized(pixels.float().div(255), self.mean, self.std), int(self.labels[index])


def _normalized(pixels: Tensor, means: Sequence[float], stds: Sequence[float]) -> Tensor:
    mean = torch.as_tensor(means, dtype=pixels.dtype).view(-1, 1, 1)
    std = torch.as_tensor(stds, dtype=pixels.dtype).view(-1, 1, 1)
    if bool((std == 0).any()):
        message = "a channel never varies"
        raise ValueError(message)
    return pixels.clone().sub_(mean).div_(std)


def _cropped(picture: Image.Image, padding: int, colour: tuple[int, ...]) -> Image.Image:
    width, height = picture.size
    padded = ImageOps.expand(picture, padding, fill=colour)
    top = int(torch.randint(0, 2 * padding + 1, (1,)).item())
    left = int(torch.randint(0, 2 * padding + 1, (1,)).item())
    return padded.crop((left, top, left + width, top + height))


def _flipped(picture: Image.Image) -> Image.Image:
    if bool(torch.rand(1) < 0.5):
        return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return picture


def loader(pictures: Pictures, batch_size: int, workers: int) -> "DataLoader[tuple[Tensor, int]]":
    """Return the pictures in shuffled batches."""
    return DataLoader(pictures, batch_size=batch_size, shuffle=True, num_workers=workers)


@dataclass
class Textbook:
    """A network and its optimizer."""

    net: nn.Module
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    nesterov: bool = False
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Make the optimizer."""
        self.net.to(self.device)
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(
            self.net.parameters(),
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.nesterov,
        )

    def train(self, batches: "DataLoader[tuple[Tensor, int]]") -> Iterator[tuple[float, float]]:
        """Train on every batch and yield its loss and accuracy."""
        self.net.train()
        for pictures, classes in batches:
            images, labels = pictures.to(self.device), classes.to(self.device)
            logits = self.net(images)
            loss = self.criterion(logits, labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()  # pyright: ignore[reportUnknownMemberType]
            yield loss.item(), (logits.argmax(1) == labels).float().mean().item()

    def error_percent(self, batches: "DataLoader[tuple[Tensor, int]]") -> float:
        """Return the percentage of images whose class is not found."""
        self.net.eval()
        right = total = 0
        with torch.no_grad():
            for images, labels in batches:
                right += int((self.net(images).argmax(1) == labels).sum().item())
                total += len(labels)
        return 100 * (total - right) / total
