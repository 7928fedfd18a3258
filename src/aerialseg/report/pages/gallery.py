"""The images of a page, with the layers that can be laid over them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from aerialseg.classes import ClassTable
from aerialseg.metrics.scores import iou_per_class, macro_dice
from aerialseg.report.pages.inlined import confidence_uri, mask_uri, photo_uri, thumbnail_size
from aerialseg.viz.theme import RGBImage

MOST_IMAGES = 650
"""More are not shown: a page should open at once on a phone."""
_BYTES = 20e6
"""Of all images of a page, in base64 a third more; the rest is what draws the charts."""
_BYTES_PER_PIXEL = 0.6
"""Of the image and its layers, more than was seen on drone images."""
_EDGES = (224, 640)


@dataclass(frozen=True)
class GalleryImage:
    """An image of the gallery.

    Attributes:
        id: Its id.
        size: Height and width of what is shown, in pixels.
        layers: ``data:`` addresses by name: ``photo``, ``truth``, and those of predictions.
        scores: By key, as those of :data:`~aerialseg.report.run_scores.SCORES`; NaN is left out.
        matrix: ``(C, C)`` its confusion matrix.
        file: Relative link to the image itself; empty if browsers do not show such files.
        of_classes: Whether its IoU of classes and its confusions are shown.
        seen_in: What training has seen of its place, in words; empty if nothing.
    """

    id: str
    size: tuple[int, int]
    layers: Mapping[str, str]
    scores: Mapping[str, float]
    matrix: Tensor
    file: str = ""
    of_classes: bool = True
    seen_in: str = ""

    def to_mapping(self) -> dict[str, Any]:
        """As the page's script reads it: of classes by id, of confusions where there are some."""
        matrix = self.matrix if self.of_classes else torch.zeros_like(self.matrix)
        truth, predicted = matrix.nonzero(as_tuple=True)
        pixels = matrix[truth, predicted]
        iou = enumerate(iou_per_class(matrix).tolist())
        return {
            "id": self.id,
            "height": self.size[0],
            "width": self.size[1],
            "file": self.file,
            "seen_in": self.seen_in,
            **self.layers,
            "scores": {k: round(v, 4) for k, v in self.scores.items() if not math.isnan(v)},
            "classes": {str(k): round(v, 4) for k, v in iou if not math.isnan(v)},
            "present": self.matrix.sum(1).nonzero()[:, 0].tolist(),
            "confused": [
                list(each)
                for each in zip(truth.tolist(), predicted.tolist(), pixels.tolist(), strict=True)
            ],
        }


def layers_of(
    image: RGBImage,
    truth: npt.NDArray[np.uint8],
    prediction: npt.NDArray[np.uint8],
    confidence: npt.NDArray[np.uint8],
    *,
    classes: ClassTable,
    size: tuple[int, int],
) -> dict[str, str]:
    """The layers of an image, each as a ``data:`` address.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        truth: ``(H, W)`` uint8 class ids.
        prediction: Likewise.
        confidence: ``(H, W)`` uint8.
        classes: The class table.
        size: Height and width of what is shown, in pixels.
    """
    return {
        "photo": photo_uri(image, size),
        "truth": mask_uri(truth, classes, size),
        "prediction": mask_uri(prediction, classes, size),
        "confidence": confidence_uri(confidence, size),
    }


def shown_size(size: tuple[int, int], images: int) -> tuple[int, int]:
    """Height and width in pixels at which an image is shown among so many."""
    pixels = _BYTES / (images * _BYTES_PER_PIXEL)
    longest = math.sqrt(pixels * max(size) / min(size))
    return thumbnail_size(size, round(min(max(longest, _EDGES[0]), _EDGES[1])))


def shown_images(matrices: Tensor, most: int = MOST_IMAGES) -> list[int]:
    """Which images are shown, worst Dice first.

    All of them if they are not too many. Else, for each pair of classes that are confused the image
    with most of these pixels, so that no cell of the confusion matrix leads to nothing, and the
    worst ones.

    Args:
        matrices: ``(N, C, C)`` integer, one for each image.
        most: How many, unless the pairs need more.
    """
    dice = macro_dice(matrices).nan_to_num(nan=math.inf)
    ranked = dice.argsort(stable=True).tolist()
    if len(ranked) <= most:
        return ranked
    pixels, images = torch.flatten(matrices, 1).max(0)
    needed = set(images[pixels > 0].tolist())
    others = [index for index in ranked if index not in needed][: max(0, most - len(needed))]
    chosen = needed.union(others)
    return [index for index in ranked if index in chosen]


def as_data(
    images: Sequence[GalleryImage],
    classes: ClassTable,
    scores: Mapping[str, str],
    *,
    caption: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The gallery as the page's script reads it.

    Args:
        images: What is shown.
        classes: The class table.
        scores: Of the images, by key, as they are called.
        caption: What the scores below each image are called there, by key; ``None`` for the one
            score that they are sorted by, without its name.
    """
    return {
        "classes": classes.names,
        "scores": scores,
        "caption": caption,
        "images": [image.to_mapping() for image in images],
    }
