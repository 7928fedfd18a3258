"""The confusion matrix: exact integers for any class count, without waiting for a device."""

import torch
from torch import Tensor

from aerialseg.classes import IGNORE_INDEX
from aerialseg.errors import DataError
from aerialseg.kernels.class_ids import check_integer, count_ids, reads_without_waiting


def confusion_matrix(
    prediction: Tensor, target: Tensor, num_classes: int, *, ignore_index: int = IGNORE_INDEX
) -> Tensor:
    """Counts how often each class was taken for each other class.

    Nothing here waits for an accelerator. The price: there, ids that are no class cannot be
    reported, and their pixels are left out like ignored ones. On the CPU they raise.

    Args:
        prediction: ``(N, H, W)`` or any other shape, integer class ids.
        target: The true ids, of the same shape, integer.
        num_classes: How many classes there are.
        ignore_index: The id in ``target`` whose pixels are left out.

    Returns:
        ``(C, C)`` int64: row is the truth, column the prediction.

    Raises:
        DataError: If, on the CPU, a map holds ids that are no class.
        ValueError: If the shapes differ or a map is not of an integer type.
    """
    _check_maps(prediction, target)
    kept = _differs(target, ignore_index)
    if reads_without_waiting(target):
        _check_ids("prediction", prediction, num_classes)
        _check_ids("target", torch.where(kept, target, 0), num_classes)
    else:
        kept = kept & _is_class(target, num_classes) & _is_class(prediction, num_classes)

    # Row num_classes takes what is left out: cheaper than picking out the rest.
    bins = (num_classes + 1) * num_classes
    dtype = _smallest_dtype(bins - 1)
    row = torch.where(kept, target.to(dtype), num_classes)
    column = torch.where(kept, prediction.to(dtype), 0)
    counts = count_ids(row * num_classes + column, bins)
    return counts[: num_classes**2].view(num_classes, num_classes)


def _smallest_dtype(largest: int) -> torch.dtype:
    """The narrowest type that holds the index: bytes are counted 3 to 8 times faster."""
    dtypes = (torch.uint8, torch.int16, torch.int32, torch.int64)
    return next(dtype for dtype in dtypes if largest <= torch.iinfo(dtype).max)


def _differs(target: Tensor, ignore_index: int) -> Tensor:
    # A number that the type cannot hold would wrap around in the comparison.
    limits = torch.iinfo(target.dtype)
    if limits.min <= ignore_index <= limits.max:
        return target != ignore_index
    return torch.ones_like(target, dtype=torch.bool)


def _is_class(ids: Tensor, num_classes: int) -> Tensor:
    inside = ids >= 0
    # In a type too narrow for num_classes every id is below it, and comparing would wrap.
    return inside & (ids < num_classes) if num_classes <= torch.iinfo(ids.dtype).max else inside


def _check_maps(prediction: Tensor, target: Tensor) -> None:
    if prediction.shape != target.shape:
        shapes = f"{tuple(prediction.shape)} and {tuple(target.shape)}"
        raise ValueError(f"prediction and target have shapes {shapes}; wanted the same")
    for name, ids in (("prediction", prediction), ("target", target)):
        check_integer(name, ids)


def _check_ids(name: str, ids: Tensor, num_classes: int) -> None:
    if ids.numel() == 0:
        return
    least, most = (int(bound) for bound in torch.aminmax(ids))
    if least < 0 or most >= num_classes:
        raise DataError(
            f"{name}: holds class ids from {least} to {most}; wanted 0 to {num_classes - 1}"
        )
