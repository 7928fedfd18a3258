"""How samples become a batch: padded to one size and stacked."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import default_collate

from aerialseg.classes import IGNORE_INDEX

PADDING_COLOUR = (124, 116, 104)
"""The mean colour of ImageNet: near zero once normalised, so padding says little."""


def padding_of(channels: int) -> tuple[int, ...]:
    """The padding of images of so many bands: what is not RGB gets the mean of the three."""
    mean = round(sum(PADDING_COLOUR) / 3)
    rgb = PADDING_COLOUR if channels >= 3 else ()
    return (*rgb, *[mean] * (channels - len(rgb)))


def collate(
    batch: Sequence[dict[str, Any]],
    *,
    size: tuple[int, int] = (0, 0),
    padding_colour: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    """Makes a batch of samples; smaller ones are padded at the bottom and on the right.

    Args:
        batch: What a ``SemSegDataset`` serves, all with a mask or all without.
        size: Least height and width of the batch, in pixels.
        padding_colour: Of each band, 0 to 255; None for :func:`padding_of`. Masks are padded with
            255, which is ignored.

    Returns:
        ``image`` ``(N, B, H, W)`` uint8 with channels last in memory, ``mask`` ``(N, H, W)``
        uint8 unless there is none, ``id`` a list, ``index`` ``(N,)`` int64.
    """
    images = [sample["image"] for sample in batch]
    height = max(size[0], *(image.shape[1] for image in images))
    width = max(size[1], *(image.shape[2] for image in images))
    colour = padding_colour or padding_of(images[0].shape[0])
    stacked = _stack([image.permute(1, 2, 0) for image in images], (height, width), colour)
    result: dict[str, Any] = {"image": stacked.permute(0, 3, 1, 2)}
    if "mask" in batch[0]:
        result["mask"] = collate_masks([sample["mask"] for sample in batch], (height, width))
    return {**result, **names_of(batch)}


def collate_masks(masks: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
    """``(N, H, W)`` uint8: masks padded to ``size`` with 255, which is ignored."""
    return _stack(masks, size, IGNORE_INDEX)


def names_of(batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a batch knows of its samples: ``id`` a list, ``index`` ``(N,)`` int64."""
    indices = torch.tensor([sample["index"] for sample in batch], dtype=torch.int64)
    return {"id": [sample["id"] for sample in batch], "index": indices}


def _stack(
    arrays: Sequence[torch.Tensor], size: tuple[int, int], padding: int | tuple[int, ...]
) -> torch.Tensor:
    """``(N, H, W, ...)`` uint8: what is smaller than ``size`` is padded."""
    # torch's own function, since in a worker it fills shared memory: no copy on the way out.
    stacked: torch.Tensor = default_collate([_pad(array, size, padding) for array in arrays])
    return stacked


def _pad(
    array: torch.Tensor, size: tuple[int, int], padding: int | tuple[int, ...]
) -> torch.Tensor:
    if array.shape[:2] == size:
        return array
    padded = torch.tensor(padding, dtype=torch.uint8).expand(*size, *array.shape[2:]).clone()
    padded[: array.shape[0], : array.shape[1]] = array
    return padded
