"""Losses with their gradients."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from aerialseg.kernels.upsampling import upsample
from aerialseg.losses import (
    DiceCrossEntropyLoss,
    JaccardCrossEntropyLoss,
    LovaszSoftmaxLoss,
    OhemCrossEntropyLoss,
)
from benchmarks.command import run
from benchmarks.logits import NUM_CLASSES, batch
from benchmarks.plain import loss as plain_losses
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare, peak_memory

SHAPE = "4x12x720x1280"


def rows(setting: Setting) -> Iterator[Row]:
    """Forward and backward; memory is measured beyond the input."""
    coarse, target = batch(setting)
    size = (target.shape[1], target.shape[2])
    full, labels = upsample(coarse, size), target.long()
    weights = torch.linspace(0.5, 2, NUM_CLASSES, device=setting.device)
    dice = DiceCrossEntropyLoss(class_weights=weights)
    jaccard = JaccardCrossEntropyLoss(class_weights=weights)
    smoothed = JaccardCrossEntropyLoss(class_weights=weights, label_smoothing=0.1)
    lovasz = LovaszSoftmaxLoss()

    for name, pair in {
        "Dice + CE": _Pair(
            lambda x: plain_losses.dice_cross_entropy(upsample(x, size), labels, weights),
            lambda x: dice(x, target),
        ),
        "Jaccard + CE": _Pair(
            lambda x: plain_losses.jaccard_cross_entropy(upsample(x, size), labels, weights),
            lambda x: jaccard(x, target),
        ),
    }.items():
        for logits in (full, coarse):
            pair.check(logits)
        reason = "exponentials are computed again for the gradient, instead of kept"
        yield pair.time(f"{name} with gradient, {SHAPE}", full, setting, goal=3, reason=reason)
        yield pair.memory(f"{name}, peak memory", full, setting)
        if name == "Dice + CE":
            yield pair.time(f"{name} with gradient, upsampling included", coarse, setting, goal=3)

    # What a choice costs: the plain side is ours without it.
    instead = _Pair(lambda x: dice(x, target), lambda x: jaccard(x, target))
    yield instead.time("Jaccard instead of Dice, beside CE", full, setting, goal=0.95)
    extra = _Pair(lambda x: jaccard(x, target), lambda x: smoothed(x, target))
    yield extra.time("label smoothing, Jaccard + CE", full, setting, goal=0.85)

    image, one, same = full[:1], labels[:1], target[:1]
    sorting = _Pair(lambda x: plain_losses.lovasz_softmax(x, one), lambda x: lovasz(x, same))
    # Not the gradient: the plain one subtracts neighbouring sums, which single precision rounds.
    check(torch.allclose(sorting.plain(image), sorting.ours(image), rtol=1e-3), "loss")
    reason = "sorting the pixels for each class takes nearly all of the time in both"
    name = "Lovasz-Softmax, gradient, 1x12x720x1280"
    yield sorting.time(name, image, setting, goal=1.2, reason=reason)
    yield sorting.memory("Lovasz-Softmax, peak memory", image, setting)
    kept = one.numel() // 10
    ohem = OhemCrossEntropyLoss(min_kept=kept)
    hard = _Pair(
        lambda x: plain_losses.ohem_cross_entropy(x, one, min_kept=kept),
        lambda x: ohem(x, same),
    )
    hard.check(image)
    yield hard.time("OHEM CE, gradient, 1x12x720x1280", image, setting, goal=1.2)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A plain loss and ours, of logits."""

    plain: Callable[[Tensor], Tensor]
    ours: Callable[[Tensor], Tensor]

    def check(self, logits: Tensor) -> None:
        pairs = zip(_gradient(self.plain, logits), _gradient(self.ours, logits), strict=True)
        for wanted, got in pairs:
            scale = float(wanted.abs().max())
            check(torch.allclose(wanted, got, rtol=0, atol=1e-4 * scale), "loss or gradient")

    def time(
        self, name: str, logits: Tensor, setting: Setting, *, goal: float, reason: str = ""
    ) -> Row:
        seconds = compare(
            lambda: _gradient(self.plain, logits), lambda: _gradient(self.ours, logits), setting
        )
        return Row(name, *seconds, goal=goal, reason=reason)

    def memory(self, name: str, logits: Tensor, setting: Setting) -> Row:
        theirs = peak_memory(lambda: _gradient(self.plain, logits), setting.device)
        own = peak_memory(lambda: _gradient(self.ours, logits), setting.device)
        return Row(name, theirs, own, goal=0.6, kind="smaller", unit="B")


def _gradient(loss: Callable[[Tensor], Tensor], logits: Tensor) -> tuple[Tensor, Tensor]:
    leaf = logits.detach().requires_grad_()
    value = loss(leaf)
    (gradient,) = torch.autograd.grad(value, leaf)
    return value.detach(), gradient


if __name__ == "__main__":
    run(rows)
