"""Whole networks against the same networks written out line by line, in float64.

The functions below follow the papers' figures and share no code with the package; they read the
built network's weights by name. All weights and running statistics are random, so that a wrong
order of layers, a wrong input or a wrong stride shows.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nasablate.blueprint import lower
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits
from nasablate.nets import build

Weights = dict[str, Tensor]


def small(preset: str, **edits: Any) -> tuple[Weights, Tensor, Tensor]:
    """Weights, images and logits of an edited preset; ``stages__0__units`` is a path."""
    paths = {path.replace("__", "."): value for path, value in edits.items()}
    document, ignored = apply_edits(Genome, load_genome(preset).document(), paths)
    assert not ignored
    blueprint = lower(Genome.parse(document))
    net = build(blueprint).double().eval()
    generator = torch.Generator().manual_seed(0)
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            value.normal_(0, 0.2, generator=generator)
            if value.dim() > 1:
                value.mul_(5 / value[0].numel() ** 0.5)
            if name.endswith("running_var"):
                value.abs_().add_(0.5)
            if "bn.weight" in name:
                value.add_(1)
    images = torch.randn(2, *blueprint.input, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        return net.state_dict(), images, net(images)


def conv(w: Weights, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
    weight = w[f"{name}.weight"]
    return functional.conv2d(
        x, weight, w.get(f"{name}.bias"), stride, weight.shape[-1] // 2, groups=groups
    )


def bn(w: Weights, name: str, x: Tensor) -> Tensor:
    def column(part: str) -> Tensor:
        return w[f"{name}.{part}"][:, None, None]

    spread = (column("running_var") + 1e-5).sqrt()
    return (x - column("running_mean")) / spread * column("weight") + column("bias")


def classify(w: Weights, x: Tensor) -> Tensor:
    return x.mean((2, 3)) @ w["head.fc.weight"].T + w["head.fc.bias"]


def units(depth: int) -> list[tuple[str, int]]:
    """Name and stride of every unit of three stages."""
    return [
        (f"stages.{stage}.{index}", 2 if stage > 0 and index == 0 else 1)
        for stage in range(3)
        for index in range(depth)
    ]


def pyramidnet(w: Weights, images: Tensor) -> Tensor:
    """arXiv 1610.02915, Fig. 6 (d), 2x2 average pooling and zeros at the end (20 layers)."""
    x = bn(w, "stem.post_bn", conv(w, "stem.conv", images))
    for unit, stride in units(3):
        y = conv(w, f"{unit}.conv1", bn(w, f"{unit}.pre_bn", x), stride)
        y = conv(w, f"{unit}.conv2", bn(w, f"{unit}.between1_bn", y).clamp(min=0))
        y = bn(w, f"{unit}.post_bn", y)
        if stride == 2:
            x = (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4
        y[:, : x.shape[1]] += x
        x = y
    return classify(w, bn(w, "head.tail_bn", x).clamp(min=0))


def resnet_a(w: Weights, images: Tensor) -> Tensor:
    """arXiv 1512.03385, section 4.2, option A (20 layers)."""
    x = bn(w, "stem.post_bn", conv(w, "stem.conv", images)).clamp(min=0)
    for unit, stride in units(3):
        y = bn(w, f"{unit}.between1_bn", conv(w, f"{unit}.conv1", x, stride)).clamp(min=0)
        y = bn(w, f"{unit}.post_bn", conv(w, f"{unit}.conv2", y))
        x = x[:, :, ::stride, ::stride]
        x = torch.cat([x, torch.zeros_like(y[:, x.shape[1] :])], dim=1) + y
        x = x.clamp(min=0)
    return classify(w, x)


def preactivation_bottleneck(w: Weights, images: Tensor) -> Tensor:
    """arXiv 1603.05027: units that change the shape share BN-ReLU with a bare projection."""
    x = conv(w, "stem.conv", images)
    for unit, stride in units(2):
        active = bn(w, f"{unit}.pre_bn", x).clamp(min=0)
        if unit.endswith(".0"):
            x = conv(w, f"{unit}.shortcut_conv", active, stride)
        y = conv(w, f"{unit}.conv1", active, stride)
        y = conv(w, f"{unit}.conv2", bn(w, f"{unit}.between1_bn", y).clamp(min=0))
        x = x + conv(w, f"{unit}.conv3", bn(w, f"{unit}.between2_bn", y).clamp(min=0))
    return classify(w, bn(w, "head.tail_bn", x).clamp(min=0))


def resnext(w: Weights, images: Tensor) -> Tensor:
    """arXiv 1611.05431, Fig. 3 (c), its grouped convolution as 32 separate ones."""
    x = bn(w, "stem.post_bn", conv(w, "stem.conv", images)).clamp(min=0)
    for unit, stride in units(1):
        y = bn(w, f"{unit}.between1_bn", conv(w, f"{unit}.conv1", x)).clamp(min=0)
        weight = w[f"{unit}.conv2.weight"]
        paths = zip(y.chunk(32, dim=1), weight.chunk(32), strict=True)
        y = torch.cat([functional.conv2d(a, b, None, stride, 1) for a, b in paths], dim=1)
        y = bn(w, f"{unit}.between2_bn", y).clamp(min=0)
        y = bn(w, f"{unit}.post_bn", conv(w, f"{unit}.conv3", y))
        x = bn(w, f"{unit}.shortcut_bn", conv(w, f"{unit}.shortcut_conv", x, stride))
        x = (x + y).clamp(min=0)
    return classify(w, x)


def resnest(w: Weights, images: Tensor) -> Tensor:
    """arXiv 2004.08955: 2 splits of 3 cardinal groups, each path by itself; pooling after."""
    x = bn(w, "stem.post_bn", conv(w, "stem.conv", images)).clamp(min=0)
    for unit, stride in units(1):
        y = bn(w, f"{unit}.between1_bn", conv(w, f"{unit}.conv1", x)).clamp(min=0)
        y = split_attention(w, unit, y)
        if stride == 2:
            y = functional.avg_pool2d(y, 3, 2, 1)
        y = bn(w, f"{unit}.post_bn", conv(w, f"{unit}.conv3", y))
        if stride == 2:
            x = functional.avg_pool2d(x, 2)
        x = bn(w, f"{unit}.shortcut_bn", conv(w, f"{unit}.shortcut_conv", x))
        x = (x + y).clamp(min=0)
    return classify(w, x)


def split_attention(w: Weights, unit: str, x: Tensor, radix: int = 2, groups: int = 3) -> Tensor:
    splits = conv(w, f"{unit}.conv2", x, groups=radix * groups)
    splits = bn(w, f"{unit}.between2_bn", splits).clamp(min=0)
    width = splits.shape[1] // (radix * groups)
    parts = splits.split(width, dim=1)  # split r of cardinal group k is part r * groups + k
    mean = torch.cat(
        [sum(parts[r * groups + k] for r in range(radix)) for k in range(groups)], dim=1
    ).mean((2, 3), keepdim=True)
    hidden = conv(w, f"{unit}.attention_conv1", mean, groups=groups)
    hidden = bn(w, f"{unit}.attention_bn", hidden).clamp(min=0)
    logits = conv(w, f"{unit}.attention_conv2", hidden, groups=groups)
    outputs: list[Tensor] = []
    for k in range(groups):
        own = logits[:, k * radix * width : (k + 1) * radix * width].split(width, dim=1)
        total = sum(logit.exp() for logit in own)
        shares = [logit.exp() / total for logit in own]
        outputs.append(sum(shares[r] * parts[r * groups + k] for r in range(radix)))
    return torch.cat(outputs, dim=1)


def squeeze_excitation(w: Weights, images: Tensor) -> Tensor:
    """arXiv 1709.01507, Fig. 3: gates on the end of the branch."""
    x = bn(w, "stem.post_bn", conv(w, "stem.conv", images)).clamp(min=0)
    for unit, stride in units(1):
        y = bn(w, f"{unit}.between1_bn", conv(w, f"{unit}.conv1", x, stride)).clamp(min=0)
        y = bn(w, f"{unit}.post_bn", conv(w, f"{unit}.conv2", y))
        gate = conv(w, f"{unit}.se_conv1", y.mean((2, 3), keepdim=True)).clamp(min=0)
        y = y / (1 + (-conv(w, f"{unit}.se_conv2", gate)).exp())
        if stride == 2:
            x = bn(w, f"{unit}.shortcut_bn", conv(w, f"{unit}.shortcut_conv", x, 2))
        x = (x + y).clamp(min=0)
    return classify(w, x)


THREE_STAGES = [{"units": 1, "stride": stride} for stride in (1, 2, 2)]
TWO_EACH = [{"units": 2, "stride": stride} for stride in (1, 2, 2)]
THREE_EACH = [{"units": 3, "stride": stride} for stride in (1, 2, 2)]
CASES: dict[str, tuple[Callable[[Weights, Tensor], Tensor], str, dict[str, Any]]] = {
    "pyramidnet": (pyramidnet, "pyramidnet-110-a48", {"stages": THREE_EACH}),
    "resnet-a": (resnet_a, "resnet-20", {}),
    "preactivation": (preactivation_bottleneck, "preactresnet-164", {"stages": TWO_EACH}),
    "resnext": (resnext, "resnext29-32x4d", {"stages": THREE_STAGES}),
    "resnest": (
        resnest,
        "resnest-50",
        {
            "input": {"channels": 3, "height": 16, "width": 16},
            "stem": {"kind": "conv3x3"},
            "stages": THREE_STAGES,
            "width": 12,
            "unit__cardinality": 3,
            "unit__base_width": None,
        },
    ),
    "squeeze": (
        squeeze_excitation,
        "resnet-20-b",
        {"stages": THREE_STAGES, "se": {"ratio": 0.25}},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_logits_are_those_of_the_network_written_out(case: str) -> None:
    written, preset, edits = CASES[case]
    weights, images, logits = small(preset, **edits)
    expected = written(weights, images)
    assert expected.std() > 1e-3
    torch.testing.assert_close(logits, expected, rtol=1e-9, atol=1e-9)
