"""Images of the same size go through a network together."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from aerialseg.data.images.resizing import resized
from aerialseg.errors import AerialsegError
from aerialseg.inference.predictor import Predictor

Key = TypeVar("Key")
_Image: TypeAlias = npt.NDArray[np.uint8]

_MOST = 16
"""Images of a batch."""
_MOST_READ = 2**25
"""Pixels of a batch before they are resized, which are all in memory."""
_MOST_SEEN = {"cpu": 2**19}
"""Pixels of a batch as the network sees it: more of them leave a processor's cache."""
_MOST_SEEN_ELSEWHERE = 2**23


def stream_logits(
    predictor: Predictor, images: Iterable[tuple[Key, _Image]]
) -> Iterator[tuple[Key, _Image, torch.Tensor]]:
    """The logits of images, several of one size at a time where that is quicker.

    Args:
        predictor: The network.
        images: Each with what it is known by. Only neighbours of one size are taken together, so
            the order stays and few are in memory.

    Yields:
        What an image is known by, the image and its ``(1, C, h, w)`` logits.

    Raises:
        AerialsegError: If one image alone does not fit into memory.
    """
    for batch in _batches(predictor, images):
        for (key, image), logits in zip(batch, _logits(predictor, batch), strict=True):
            yield key, image, logits


def _logits(predictor: Predictor, batch: Sequence[tuple[Key, _Image]]) -> Iterable[torch.Tensor]:
    """The logits of each image of a batch; one at a time if they do not fit into memory."""
    images = [image for _, image in batch]
    if len(images) > 1:
        try:
            return torch.split(predictor.logits_of(np.stack(images)), 1)
        except AerialsegError:
            pass
    return map(predictor.logits, images)


def _batches(
    predictor: Predictor, images: Iterable[tuple[Key, _Image]]
) -> Iterator[list[tuple[Key, _Image]]]:
    """Neighbours of one shape, as many as there may be in a batch."""
    batch: list[tuple[Key, _Image]] = []
    for key, image in images:
        full = len(batch) >= _most(predictor, image.shape[:2])
        if batch and (full or image.shape != batch[0][1].shape):
            yield batch
            batch = []
        batch.append((key, image))
    if batch:
        yield batch


def _most(predictor: Predictor, size: tuple[int, ...]) -> int:
    """How many images of a size may be in a batch."""
    height, width = size
    rows, columns = resized((height, width), predictor.edge_of((height, width)))
    seen = _MOST_SEEN.get(predictor.device.type, _MOST_SEEN_ELSEWHERE) // (rows * columns)
    return max(1, min(_MOST, _MOST_READ // (height * width), seen))
