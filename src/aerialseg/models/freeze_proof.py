"""Proof that frozen tensors are bit-identical after training."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from aerialseg.models.layer_groups import LayerGroup, resolve_start


def frozen_state(groups: Sequence[LayerGroup], start: int | str) -> dict[str, Tensor]:
    """CPU copies of every frozen parameter and buffer.

    :func:`changed_tensors` compares copies taken before and after training.

    Raises:
        ConfigError: As :func:`resolve_start`.
    """
    frozen = groups[: resolve_start(groups, start)]
    return {
        name: tensor.detach().cpu().clone() for group in frozen for name, tensor in group.tensors()
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
