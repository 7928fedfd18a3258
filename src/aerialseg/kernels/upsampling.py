"""Bilinear upsampling of logits in blocks of rows, without holding all of them at full size.

Networks return their logits at a fraction of the image's size. At full size a batch of them is the
largest tensor of a training step, and reading it is most of what loss and metrics cost. A block of
rows fits into a processor's cache. :func:`upsample` is the plain formulation.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F

_CACHE_NUMBERS = 2**20
"""Numbers in a block on a processor: 4 MB in single precision. Half or twice as many do as well."""

_DEVICE_NUMBERS = 2**26
"""Elsewhere launching a kernel costs more than reading memory, so blocks are large."""


@contextmanager
def exact_products(tensor: Tensor) -> Iterator[None]:
    """Disables autocast and TF32, which round the factors of matrix products to about ten bits."""
    device = tensor.device.type
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        if torch.amp.is_autocast_available(device):
            with torch.autocast(device, enabled=False):
                yield
        else:
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def upsample(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """All logits at once, bilinear between pixel centres: ``align_corners=False``.

    Args:
        logits: ``(N, C, h, w)`` float.
        size: Height and width wanted.

    Returns:
        ``(N, C, H, W)``.
    """
    if tuple(logits.shape[-2:]) == size:
        return logits
    return F.interpolate(logits, size, mode="bilinear", align_corners=False)


def most_likely(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """The class of the highest logit of each pixel; of equal ones the first.

    Args:
        logits: ``(N, C, h, w)`` float.
        size: Height and width wanted.

    Returns:
        ``(N, H, W)`` class ids: uint8, or int64 where 255 classes are not enough.
    """
    count, num_classes = logits.shape[:2]
    dtype = torch.uint8 if num_classes <= 255 else torch.int64
    ids = torch.empty((count, *size), dtype=dtype, device=logits.device)
    # Comparing with the maximum takes a third of the time of argmax.
    descending = torch.arange(num_classes, 0, -1, dtype=dtype, device=logits.device)[:, None, None]
    for image, rows, block in RowBlocks(logits.detach(), size):
        is_highest = block == block.amax(0)
        found = num_classes - (is_highest * descending).amax(0)
        # NaN equals nothing, so it yields num_classes.
        ids[image, rows] = found.clamp(max=num_classes - 1)
    return ids


class RowBlocks:
    """Bilinear upsampling in blocks of rows, and the gradient of it.

    Iterating gives ``(image, rows, block)``: the image's index, a slice of its rows, and the
    ``(C, rows, W)`` logits there, as :func:`upsample` would give them but in single precision at
    least. Along each axis bilinear upsampling is a product with a matrix of weights, so the
    gradient is a product with its transpose::

        full     = R @ logits @ C.T         R being (H, h), C being (W, w)
        d logits = R.T @ d full @ C

    Args:
        logits: ``(N, C, h, w)`` float.
        size: Height and width wanted.
    """

    def __init__(self, logits: Tensor, size: tuple[int, int]) -> None:
        if logits.dtype != torch.float64:
            logits = logits.float()
        self.size = size
        self._rows = _bilinear(size[0], logits.shape[2], logits)
        self._columns = _bilinear(size[1], logits.shape[3], logits)
        with exact_products(logits):
            self._wide = logits if self._columns is None else logits @ self._columns.T

    def __iter__(self) -> Iterator[tuple[int, slice, Tensor]]:
        count, num_classes = self._wide.shape[:2]
        on_processor = self._wide.device.type == "cpu"
        numbers = _CACHE_NUMBERS if on_processor else _DEVICE_NUMBERS
        step = max(1, numbers // (num_classes * self.size[1]))
        for image in range(count):
            for start in range(0, self.size[0], step):
                rows = slice(start, min(start + step, self.size[0]))
                yield image, rows, self._block(image, rows)

    def zeros(self) -> Tensor:
        """An empty total for :meth:`add_gradient`."""
        return torch.zeros_like(self._wide, memory_format=torch.contiguous_format)

    def add_gradient(self, total: Tensor, image: int, rows: slice, gradient: Tensor) -> None:
        """Adds a block's ``(C, rows, W)`` gradient to the total."""
        if self._rows is None:
            total[image, :, rows] += gradient
            return
        used = self._rows_used(rows)
        with exact_products(gradient):
            total[image, :, used] += self._rows[rows, used].T @ gradient

    def gradient(self, total: Tensor) -> Tensor:
        """The ``(N, C, h, w)`` gradient of the logits, from the total of all blocks."""
        if self._columns is None:
            return total
        with exact_products(total):
            return total @ self._columns

    def _block(self, image: int, rows: slice) -> Tensor:
        if self._rows is None:
            return self._wide[image, :, rows].contiguous()
        used = self._rows_used(rows)
        with exact_products(self._wide):
            return self._rows[rows, used] @ self._wide[image, :, used]

    def _rows_used(self, rows: slice) -> slice:
        """The coarse rows that some rows of the image are interpolated from."""
        coarse = self._wide.shape[2]
        first, last = (
            max(0, int((row + 0.5) * coarse / self.size[0] - 0.5))
            for row in (rows.start, rows.stop - 1)
        )
        return slice(first, min(last + 2, coarse))


def _bilinear(length: int, coarse: int, like: Tensor) -> Tensor | None:
    """The ``(length, coarse)`` matrix that resizes an axis; None where there is nothing to do."""
    if length == coarse:
        return None
    centres = (torch.arange(length, dtype=torch.float64) + 0.5) * coarse / length - 0.5
    distance = (centres.clamp(0, coarse - 1)[:, None] - torch.arange(coarse)).abs()
    return (1 - distance).clamp(min=0).to(like)
