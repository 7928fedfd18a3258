"""Class ids as the kernels take them: what is ignored, what is no class, how many of each."""

import torch
from torch import Tensor

from aerialseg.errors import DataError

IGNORED = -1
"""The label of a pixel that is left out of losses."""


def reads_without_waiting(tensor: Tensor) -> bool:
    """Whether Python may ask for a tensor's values at no cost: only on the CPU.

    On an accelerator the question waits until the device has finished all that was queued before.
    """
    return tensor.device.type == "cpu"


def check_integer(name: str, ids: Tensor) -> None:
    """Checks that a map of class ids is of an integer type; reads no values.

    Raises:
        ValueError: If it is of another.
    """
    if ids.is_floating_point() or ids.is_complex() or ids.dtype == torch.bool:
        raise ValueError(f"{name} is {ids.dtype}; wanted integer class ids")


def labels_of(target: Tensor, num_classes: int, ignore_index: int) -> Tensor:
    """Class ids as int64, with :data:`IGNORED` for pixels that are left out.

    Args:
        target: Integer class ids of any shape.
        num_classes: How many classes there are.
        ignore_index: The id of pixels that are left out.

    Raises:
        DataError: If, on the CPU, there are ids that are no class. Elsewhere they are left out.
    """
    labels = target.long()
    ignored = labels == ignore_index
    outside = (labels < 0) | (labels >= num_classes)
    if reads_without_waiting(labels):
        _check_ids(labels, outside & ~ignored, num_classes)
    return labels.masked_fill(ignored | outside, IGNORED)


def count_ids(ids: Tensor, bins: int) -> Tensor:
    """How often each number from 0 to ``bins - 1`` occurs; never waits for an accelerator.

    Args:
        ids: Integers of any shape, all of them within the range.
        bins: How many numbers to count.

    Returns:
        ``(bins,)`` int64.
    """
    ids = ids.flatten()
    if reads_without_waiting(ids):
        return torch.bincount(ids, minlength=bins)
    # bincount reads the largest id to size its result.
    counts = torch.zeros(bins, dtype=torch.int64, device=ids.device)
    return counts.scatter_add_(0, ids.long(), counts.new_ones(()).expand(ids.shape))


def _check_ids(labels: Tensor, wrong: Tensor, num_classes: int) -> None:
    if wrong.any():
        ids = sorted(set(labels[wrong].tolist()))
        raise DataError(
            f"target: {int(wrong.sum())} pixels have the ids {ids[:10]}; "
            f"wanted 0 to {num_classes - 1}"
        )
