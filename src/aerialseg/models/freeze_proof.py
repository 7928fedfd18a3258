"""Proof that frozen tensors are bit-identical after training."""

from collections.abc import Mapping

import torch
from torch import Tensor

from aerialseg.models.freeze_plan import FreezePlan


def frozen_state(plan: FreezePlan) -> dict[str, Tensor]:
    """CPU copies of every frozen parameter and buffer.

    :func:`changed_tensors` compares copies taken before and after training.
    """
    return {
        name: tensor.detach().cpu().clone()
        for group in plan.frozen_groups
        for name, tensor in group.tensors()
    }


def changed_tensors(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> list[str]:
    """Names of the tensors that are missing on one side or differ in dtype, shape or any bit."""
    return [
        name
        for name in dict.fromkeys([*before, *after])
        if name not in before or name not in after or not _same_bits(before[name], after[name])
    ]


def _same_bits(first: Tensor, second: Tensor) -> bool:
    if first.dtype != second.dtype or first.shape != second.shape:
        return False
    # Compared as bytes because NaN != NaN and -0.0 == 0.0.
    return torch.equal(
        first.contiguous().reshape(-1).view(torch.uint8),
        second.contiguous().reshape(-1).view(torch.uint8),
    )
