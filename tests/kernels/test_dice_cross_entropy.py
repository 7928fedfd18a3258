"""The fused loss against its plain formulation; both against oracles in tests/losses."""

import pytest
import torch

from aerialseg.kernels.dice_cross_entropy import (
    Terms,
    fused_dice_cross_entropy,
    plain_dice_cross_entropy,
)


def batch(seed, *, coarse, size, num_classes=5, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, num_classes, *coarse, generator=generator, dtype=dtype)
    target = torch.randint(0, num_classes - 1, (2, *size), generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.2] = 255
    return logits.requires_grad_(), target.to(torch.uint8)


@pytest.mark.parametrize("terms", [Terms(1, 1, 1, 255), Terms(0.3, 2, 0, 255), Terms(0, 1, 5, 3)])
@pytest.mark.parametrize(("coarse", "size"), [((6, 7), (6, 7)), ((3, 4), (45, 61))])
def test_both_formulations_are_the_same_function(terms, coarse, size):
    logits, target = batch(0, coarse=coarse, size=size)
    if terms.ignore_index != 255:
        target[target == 255] = terms.ignore_index
    class_weights = torch.tensor([0.5, 1.0, 2.0, 3.0, 0.1], dtype=torch.float64)
    results = []
    for formulation in (fused_dice_cross_entropy, plain_dice_cross_entropy):
        value = formulation(logits, target, class_weights, terms)
        (gradient,) = torch.autograd.grad(1.7 * value, logits)
        results.append((value.detach(), gradient))
    torch.testing.assert_close(*results)
