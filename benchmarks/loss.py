"""Dice plus cross-entropy with its gradient."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from aerialseg.kernels.upsampling import upsample
from aerialseg.losses import DiceCrossEntropyLoss
from benchmarks.command import run
from benchmarks.logits import NUM_CLASSES, batch
from benchmarks.plain.loss import dice_cross_entropy
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare, peak_memory


def rows(setting: Setting) -> Iterator[Row]:
    """Dice + cross-entropy, forward and backward; memory is measured beyond the input."""
    coarse, target = batch(setting)
    size = (target.shape[1], target.shape[2])
    full, labels = upsample(coarse, size), target.long()
    weights = torch.linspace(0.5, 2, NUM_CLASSES, device=setting.device)
    loss = DiceCrossEntropyLoss(class_weights=weights)

    def plain(logits: Tensor) -> tuple[Tensor, Tensor]:
        return _gradient(lambda x: dice_cross_entropy(upsample(x, size), labels, weights), logits)

    def ours(logits: Tensor) -> tuple[Tensor, Tensor]:
        return _gradient(lambda x: loss(x, target), logits)

    for logits in (full, coarse):
        for wanted, got in zip(plain(logits), ours(logits), strict=True):
            scale = float(wanted.abs().max())
            check(torch.allclose(wanted, got, rtol=0, atol=1e-4 * scale), "loss or gradient")

    seconds = compare(lambda: plain(full), lambda: ours(full), setting)
    reason = "exponentials are computed again for the gradient, instead of kept"
    yield Row("Dice + CE with gradient, 4x12x720x1280", *seconds, goal=3, reason=reason)
    theirs = peak_memory(lambda: plain(full), setting.device)
    own = peak_memory(lambda: ours(full), setting.device)
    yield Row("Dice + CE, peak memory", theirs, own, goal=0.6, kind="smaller", unit="B")
    seconds = compare(lambda: plain(coarse), lambda: ours(coarse), setting)
    yield Row("Dice + CE with gradient, upsampling included", *seconds, goal=3)


def _gradient(loss: Callable[[Tensor], Tensor], logits: Tensor) -> tuple[Tensor, Tensor]:
    leaf = logits.detach().requires_grad_()
    value = loss(leaf)
    (gradient,) = torch.autograd.grad(value, leaf)
    return value.detach(), gradient


if __name__ == "__main__":
    run(rows)
