"""The fused losses against their plain formulation; both against oracles in tests/losses."""

import pytest
import torch

from aerialseg.kernels.overlap_cross_entropy import (
    Terms,
    fused_overlap_cross_entropy,
    plain_overlap_cross_entropy,
)


def batch(seed, *, coarse, size, num_classes=5, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, num_classes, *coarse, generator=generator, dtype=dtype)
    target = torch.randint(0, num_classes - 1, (2, *size), generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.2] = 255
    return logits.requires_grad_(), target.to(torch.uint8)


def both(logits, target, class_weights, terms):
    """Value and gradient of the two formulations."""
    results = []
    for formulation in (fused_overlap_cross_entropy, plain_overlap_cross_entropy):
        value = formulation(logits, target, class_weights, terms)
        (gradient,) = torch.autograd.grad(1.7 * value, logits)
        results.append((value.detach(), gradient))
    return results


@pytest.mark.parametrize("overlap", ["dice", "jaccard"])
@pytest.mark.parametrize(
    "settings", [(1, 1, 1, 0, 255), (0.3, 2, 0, 0.1, 255), (0, 1, 5, 0.4, 3), (1, 0, 0, 0.1, 255)]
)
@pytest.mark.parametrize(("coarse", "size"), [((6, 7), (6, 7)), ((3, 4), (45, 61))])
def test_both_formulations_are_the_same_function(overlap, settings, coarse, size):
    terms = Terms(overlap, *settings)
    logits, target = batch(0, coarse=coarse, size=size)
    if terms.ignore_index != 255:
        target[target == 255] = terms.ignore_index
    class_weights = torch.tensor([0.5, 1.0, 2.0, 3.0, 0.1], dtype=torch.float64)
    torch.testing.assert_close(*both(logits, target, class_weights, terms))


@pytest.mark.parametrize("overlap", ["dice", "jaccard"])
def test_pixels_that_all_weigh_nothing_cost_no_cross_entropy(overlap):
    logits, target = batch(1, coarse=(6, 7), size=(6, 7))
    weights = torch.tensor([0.0, 0.0, 0.0, 0.0, 3.0], dtype=torch.float64)  # class 4 never occurs
    for value, gradient in both(logits, target, weights, Terms(overlap, 0, 1, 1, 0.1, 255)):
        assert value.item() == 0
        assert torch.equal(gradient, torch.zeros_like(gradient))
