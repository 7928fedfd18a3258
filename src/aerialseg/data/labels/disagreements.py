"""Regions of one image in which confident predictions contradict the mask.

The score follows Lad and Mueller, "Estimating label quality and errors in semantic segmentation
data via any model", 2023: a soft minimum of the probabilities that a network gives to the labels.
There it ranks images; here it ranks one region at a time, as if the rest of its image agreed. It is
divided by the square of the confidence, since a network that wavers between classes is no evidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.images.windows import Box

TEMPERATURE = 0.1
"""Of the soft minimum, as in the paper: the lower, the more the worst pixels decide."""

_BORDER_SHARE = 0.002
_AREA_SHARE = 0.0003
_LEAST_PIXELS = 12
_LEAST_MARGIN = 24
_TOUCHING = 2
"""Pixels between two regions that touch, besides what an opening may have taken from both."""


@dataclass(frozen=True)
class Disagreement:
    """A connected region with one class in the mask and another in the prediction.

    Attributes:
        mask_class: Id of the trained class that the mask gives.
        predicted_class: Id that the network gives.
        score: 0 to 1: the lower, the more probably the label is wrong.
        pixels: Of the region.
        box: The rectangle around it.
        given: Mean probability of the mask's class in it.
        confidence: Mean probability of the predicted class in it.
        is_companion: Whether the crop of a more doubtful region shows it whole, and it touches
            that or has the same two classes the other way round: the two sides of an object whose
            mask is shifted are one error.
    """

    mask_class: int
    predicted_class: int
    score: float
    pixels: int
    box: Box
    given: float
    confidence: float
    is_companion: bool = False

    def crop(self, size: tuple[int, int]) -> Box:
        """The region with what is around it, in an image of this height and width."""
        return self.box.grown(max(_LEAST_MARGIN, max(self.box.size) // 2), size)


@dataclass(frozen=True, eq=False)
class Judgement:
    """What networks say about each pixel of an image and its label.

    Attributes:
        mask: ``(H, W)`` uint8 class ids; 255 is not judged.
        predicted: ``(H, W)`` uint8 class ids.
        given: ``(H, W)`` float32, 0 to 1: the probability of the mask's class; 1 where the mask
            has none.
        confidence: ``(H, W)`` float32, 0 to 1: the probability of the predicted class.
    """

    mask: npt.NDArray[np.uint8]
    predicted: npt.NDArray[np.uint8]
    given: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]


def default_border(size: tuple[int, int]) -> int:
    """Pixels by which borders of classes may be off, by the height and width of the image.

    Returns:
        A five-hundredth of the diagonal, at least 1: 3 at 1280x720.
    """
    return max(1, round(_BORDER_SHARE * float(np.hypot(*size))))


def default_least_pixels(size: tuple[int, int]) -> int:
    """The pixels of the smallest region, by the height and width of the image: 276 at 1280x720."""
    return max(_LEAST_PIXELS, round(_AREA_SHARE * size[0] * size[1]))


def find_disagreements(
    judged: Judgement, *, border: int | None = None, least_pixels: int | None = None
) -> list[Disagreement]:
    """All regions in which the prediction contradicts the mask, the most doubtful label first.

    What is at most ``2 * border`` pixels wide is left out, since where exactly a border lies is
    uncertain for people too: a morphological opening removes it. A region whose score would be 1 or
    more is left out as well: there the network is not sure of what it sees.

    Args:
        judged: Of one image.
        border: Pixels, 0 or more; None for :func:`default_border`.
        least_pixels: Smaller regions are left out; None for :func:`default_least_pixels`.
    """
    size = (judged.mask.shape[0], judged.mask.shape[1])
    border = default_border(size) if border is None else border
    least = default_least_pixels(size) if least_pixels is None else least_pixels
    labelled = int(np.count_nonzero(judged.mask != IGNORE_INDEX))
    found: list[tuple[Disagreement, npt.NDArray[np.bool_]]] = []
    for pair, part, where in _pairs(judged, least, border + 1):
        for box, inside in _regions(_opened(part, border), least):
            shown = Box(where.top + box.top, where.left + box.left, *box.size)
            given = _values(judged.given, shown, inside)
            confidence = float(_values(judged.confidence, shown, inside).mean())
            score = softmin_score(given, labelled) / confidence**2
            if score >= 1:
                continue
            region = Disagreement(
                *pair,
                score=score,
                pixels=given.size,
                box=shown,
                given=float(given.mean()),
                confidence=confidence,
            )
            found.append((region, inside))
    found.sort(key=lambda each: (each[0].score, each[0].box.top, each[0].box.left))
    return _with_companions(found, size, reach=2 * border + _TOUCHING)


def _with_companions(
    found: Sequence[tuple[Disagreement, npt.NDArray[np.bool_]]], size: tuple[int, int], reach: int
) -> list[Disagreement]:
    """The regions of an image, from the most doubtful; says which are companions of others."""
    owner = np.zeros(size, dtype=np.int32)  # 1 and more: a region that is no companion
    firsts: dict[int, Disagreement] = {}
    numbered = []
    for number, (region, inside) in enumerate(found, start=1):
        near = _near(owner, region, inside, reach)
        is_companion = any(
            first.crop(size).holds(region.box) and (index in near or _is_reverse(first, region))
            for index, first in firsts.items()
        )
        numbered.append(replace(region, is_companion=is_companion))
        if not is_companion:
            firsts[number] = region
            box = region.box
            rows, columns = (
                slice(box.top, box.top + box.height),
                slice(box.left, box.left + box.width),
            )
            owner[rows, columns][inside] = number
    return numbered


def _near(
    owner: npt.NDArray[np.int32], region: Disagreement, inside: npt.NDArray[np.bool_], reach: int
) -> set[int]:
    """The numbers in an image that are within reach of a region."""
    around = region.box.grown(reach, owner.shape)
    near = np.zeros(around.size, dtype=np.uint8)
    Box(region.box.top - around.top, region.box.left - around.left, *region.box.size).of(near)[
        inside
    ] = 1
    reached = cv2.dilate(near, _disc(reach)) > 0
    rows = slice(around.top, around.top + around.height)
    return set(owner[rows, around.left : around.left + around.width][reached].tolist())


def _is_reverse(one: Disagreement, other: Disagreement) -> bool:
    """Whether each has in the mask what the other has in the prediction."""
    classes = one.mask_class, one.predicted_class
    return classes == (other.predicted_class, other.mask_class)


def softmin_score(given: npt.NDArray[np.float32], labelled: int) -> float:
    """The soft minimum over an image in which one region alone contradicts its labels.

    ``sum(w * p) / sum(w)`` with ``w = exp((1 - p) / 0.1)``, where ``p`` is the probability of the
    label in the region, and 1 elsewhere. So it falls with the size of a region and with the
    confidence, and a few pixels cannot make a whole region doubtful.

    Args:
        given: ``(N,)`` probabilities of the labels of the region's pixels.
        labelled: All pixels of the image with a label, ``N`` or more.

    Returns:
        0 to 1.
    """
    values = given.astype(np.float64)
    weights = np.exp((1 - values) / TEMPERATURE)
    others = labelled - values.size  # each has the probability 1, so the weight 1
    return float((weights @ values + others) / (weights.sum() + others))


def pixels_of(judged: Judgement, found: Disagreement, *, border: int) -> npt.NDArray[np.bool_]:
    """All pixels that would be corrected with a region: it and its ragged border.

    Args:
        judged: Of the same image.
        found: The region.
        border: As of :func:`find_disagreements`.

    Returns:
        ``(H, W)`` bool.
    """
    contradicts = (judged.mask == found.mask_class) & (judged.predicted == found.predicted_class)
    inner = np.zeros(contradicts.shape, dtype=np.uint8)
    around = found.box.grown(border + 1, inner.shape)
    part = np.ascontiguousarray(around.of(contradicts.view(np.uint8)))
    # The same component: others may lie in its rectangle.
    for box, inside in _regions(_opened(part, border), 1):
        if Box(around.top + box.top, around.left + box.left, *box.size) == found.box:
            found.box.of(inner)[inside] = 1
    grown = cv2.dilate(inner, _disc(border + 1))
    pixels: npt.NDArray[np.bool_] = (grown > 0) & contradicts
    return pixels


def _pairs(
    judged: Judgement, least: int, margin: int
) -> Iterator[tuple[tuple[int, int], npt.NDArray[np.uint8], Box]]:
    """For each pair of classes that are confused: where, in a rectangle around all its pixels.

    The margin tells the edge of the rectangle from that of the image, at which nothing is narrow.
    """
    differs = (judged.mask != judged.predicted) & (judged.mask != IGNORE_INDEX)
    codes = judged.mask.astype(np.uint16) << 8 | judged.predicted
    codes[~differs] = np.uint16(0xFFFF)
    counts = np.bincount(codes.ravel(), minlength=0x10000)
    for code in np.flatnonzero(counts >= max(1, least)).tolist():
        if code != 0xFFFF:
            part = (codes == code).astype(np.uint8)
            left, top, width, height = cv2.boundingRect(part)
            box = Box(top, left, height, width).grown(margin, part.shape)
            yield (code >> 8, code & 0xFF), np.ascontiguousarray(box.of(part)), box


def _opened(part: npt.NDArray[np.uint8], border: int) -> npt.NDArray[np.uint8]:
    """Without what is narrow; the edge of the array makes nothing narrow."""
    if border == 0:
        return part
    return np.asarray(cv2.morphologyEx(part, cv2.MORPH_OPEN, _disc(border)), dtype=np.uint8)


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    edge = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (edge, edge)), dtype=np.uint8)


def _regions(
    part: npt.NDArray[np.uint8], least: int
) -> Iterator[tuple[Box, npt.NDArray[np.bool_]]]:
    """The connected regions of an array that are large enough, each in its rectangle."""
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    for number, (left, top, width, height, pixels) in enumerate(stats.tolist()):
        if number and pixels >= least:
            box = Box(top, left, height, width)
            rows = slice(top, top + height)
            yield box, numbers[rows, left : left + width] == number


def _values(
    array: npt.NDArray[np.float32], box: Box, inside: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    rows = slice(box.top, box.top + box.height)
    values: npt.NDArray[np.float32] = array[rows, box.left : box.left + box.width][inside]
    return values
