"""Networks and losses that give what cannot be trained are named before training."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from aerialseg.errors import ConfigError
from aerialseg.training.part_checks import check_parts
from helpers.tiny_training import SmallNetwork, make_module

IMAGES = "for images of shape (2, 3, 64, 64)"
WANTED = f"wanted float logits of shape (2, 3, h, w), a channel for each class, {IMAGES}"


def network_with(change):
    """A small network whose mapping of logits goes through a function."""

    class Changed(SmallNetwork):
        def forward(self, x):
            return change(super().forward(x))

    return Changed()


def problems_of(**parts):
    with pytest.raises(ConfigError) as error:
        check_parts(make_module(**parts))
    return error.value.problems


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda logits: logits["out"], "returns a Tensor"),
        (list, "returns a list"),
        (lambda logits: {"logits": 1}, "returns a mapping with the keys ['logits']"),
    ],
)
def test_a_network_returns_a_mapping_with_out(change, got):
    assert problems_of(network=network_with(change)) == (
        f"model.network: Changed {got}; wanted logits by head, as in {{'out': logits}}",
    )


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda out: torch.cat([out, out[:, :1]], 1), "float32 of shape (2, 4, 64, 64)"),
        (lambda out: out[:, :2], "float32 of shape (2, 2, 64, 64)"),
        (lambda out: out[:1], "float32 of shape (1, 3, 64, 64)"),
        (lambda out: out.mean((2, 3)), "float32 of shape (2, 3)"),
        (lambda out: F.pad(out, (0, 1)), "float32 of shape (2, 3, 64, 65)"),
        (lambda out: out.long(), "int64 of shape (2, 3, 64, 64)"),
        (lambda out: [out], "a list"),
    ],
)
@pytest.mark.parametrize("head", ["out", "aux"])
def test_every_head_gives_float_logits_with_a_channel_for_each_class(head, change, got):
    network = network_with(lambda logits: logits | {head: change(logits[head])})
    assert problems_of(network=network) == (
        f"model.network: Changed returns {got} as '{head}'; {WANTED}",
    )


class Vector(nn.Module):
    def forward(self, logits, target):
        return logits.mean(dim=(1, 2, 3))


class NoTensor(nn.Module):
    def forward(self, logits, target):
        return 0.5


class TorchLoss(nn.Module):
    """What everybody writes first: torch wants int64, and the masks are uint8."""

    def forward(self, logits, target):
        return F.cross_entropy(logits, target, ignore_index=255)


@pytest.mark.parametrize(
    ("loss", "got"), [(Vector(), "float32 of shape (2,)"), (NoTensor(), "a float")]
)
def test_a_loss_returns_one_number(loss, got):
    (line,) = problems_of(loss=loss)
    assert line.startswith(f"loss.function: {type(loss).__name__} returns {got} for two images; ")


def test_a_loss_that_needs_int64_is_told_how_to_convert():
    (line,) = problems_of(loss=TorchLoss())
    assert line.startswith("loss.function: TorchLoss raises RuntimeError: ")
    assert line.endswith("(N, H, W) uint8 class ids; convert them by target.long()")


def test_parts_as_they_should_be_pass():
    check_parts(make_module())
    check_parts(make_module(network_with(lambda logits: {"out": logits["out"][..., ::4, ::4]})))
    check_parts(make_module(network_with(lambda logits: logits | {"embedding": [1]})))


def test_a_network_that_takes_other_sizes_only_is_not_judged():
    class Choosy(SmallNetwork):
        def forward(self, x):
            if x.shape[-2:] != (48, 64):
                raise ValueError("wanted 48x64")
            return super().forward(x)

    check_parts(make_module(Choosy()))


def test_nothing_changes_not_even_random_numbers():
    class Drawing(SmallNetwork):
        def forward(self, x):
            return super().forward(x + torch.rand(()))

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, logits, target):
            self.calls += 1
            return logits.mean()

    module = make_module(Drawing(), loss=Counting(), start=1)
    tensors = {name: tensor.clone() for name, tensor in module.named_parameters()}
    tensors |= {name: tensor.clone() for name, tensor in module.named_buffers()}
    modes = {name: part.training for name, part in module.named_modules()}
    assert {modes["network.stem"], modes["network.body"]} == {True, False}
    drawn = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    check_parts(module)
    after = dict(module.named_parameters()) | dict(module.named_buffers())
    assert all(torch.equal(after[name], tensors[name]) for name in tensors)
    assert {name: part.training for name, part in module.named_modules()} == modes
    assert torch.equal(torch.get_rng_state(), drawn[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == drawn[1:]
    assert all(p.grad is None for p in module.parameters())
