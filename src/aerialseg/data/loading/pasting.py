"""Objects of rare classes pasted into training samples.

After "Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation" (Ghiasi et
al., CVPR 2021), for masks of class ids: what is pasted are connected components of a class.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.cache.component_bank import ComponentBank, Cutout
from aerialseg.data.images.components import LEAST_PIXELS

_Pixels = npt.NDArray[np.uint8]

_MOST = 3  # objects in a sample
_JITTER = 1.25  # objects are shown up to so many times larger or smaller than in their image
_PLACES = 8  # that are tried for an object
_HIDDEN = 0.2
"""The greatest share of what a sample shows of any class that objects may hide."""
_UNLABELLED = 0.1
"""The greatest share of an object that may lie where the sample has no label."""
_AROUND = np.ones((3, 3), dtype=np.uint8)


class Pasting:
    """Pastes components of a bank into samples of the same data set.

    Args:
        bank: The components.
        probabilities: By data set, ``(len(bank),)``: how likely each component is drawn; of a set
            that is not there, samples stay as they are.
        share: Of the samples, those that something is pasted into, 0 to 1.
    """

    def __init__(
        self,
        bank: ComponentBank,
        probabilities: Mapping[str, npt.NDArray[np.float64]],
        *,
        share: float,
    ) -> None:
        self.bank = bank
        self.share = share
        self._probabilities = probabilities

    def pasted(
        self,
        arrays: dict[str, _Pixels],
        data_set: str,
        seeds: Sequence[int],
        *,
        zoom: float,
    ) -> dict[str, _Pixels]:
        """A sample with objects, or as it is.

        One to three are drawn for it, which together hide at most a fifth of what it shows of any
        class. One that finds no such place, or is larger than the sample, is left out.

        Args:
            arrays: ``image`` ``(H, W, B)`` uint8 and ``mask`` ``(H, W)`` uint8, which stay as they
                are; without a mask nothing is pasted.
            data_set: Its name.
            seeds: Seed, epoch and place, which alone decide what is drawn.
            zoom: How many times larger the sample shows things than a whole image, or a crop of
                share 1, would.

        Returns:
            New arrays of the same sizes where something was pasted. Outside the objects they hold
            what they held. In the objects the mask has their class; the image has their pixels,
            but for a rim of one pixel in which half of what was there shines through.
        """
        # The 4 keeps it apart from the generators of orders, augmentation, crops and rare classes.
        random = np.random.default_rng((*seeds, 4))
        probabilities = self._probabilities.get(data_set)
        if random.random() >= self.share or probabilities is None or "mask" not in arrays:
            return arrays
        image, mask = arrays["image"].copy(), arrays["mask"].copy()
        room = np.asarray(_HIDDEN * np.bincount(mask.reshape(-1), minlength=256), dtype=np.float64)
        for _ in range(int(random.integers(1, _MOST + 1))):
            cutout = self.bank.cutout(int(random.choice(len(self.bank), p=probabilities)))
            pixels, shape = _varied(cutout, zoom, random)
            place = _place(mask, shape, room, random)
            if place is None:
                continue
            top, left = place
            part = np.s_[top : top + shape.shape[0], left : left + shape.shape[1]]
            room -= np.bincount(mask[part][shape], minlength=256)
            mask[part][shape] = cutout.class_id
            _blend(image[part], pixels, shape)
        return {"image": image, "mask": mask}


def _varied(
    cutout: Cutout, zoom: float, random: np.random.Generator
) -> tuple[_Pixels, npt.NDArray[np.bool_]]:
    """Pixels and shape of a component at a scale near that of the sample, turned or not."""
    jitter = _JITTER ** (2 * random.random() - 1)
    scale = cutout.factor * zoom * jitter
    height, width = (max(1, round(edge * scale)) for edge in cutout.shape.shape)
    pixels, shape = _scaled(cutout.pixels, cutout.shape, (height, width))
    if random.random() < 0.5:
        pixels, shape = pixels[:, ::-1], shape[:, ::-1]
    return pixels, shape


def _scaled(
    pixels: _Pixels, shape: _Pixels, size: tuple[int, int]
) -> tuple[_Pixels, npt.NDArray[np.bool_]]:
    """A component at another height and width; what lies around it does not run into it."""
    if size == shape.shape:
        return pixels, shape > 0
    shrinks = min(size) < min(shape.shape)
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    total = cv2.resize(pixels.astype(np.float32), size[::-1], interpolation=how)
    weight = cv2.resize(shape.astype(np.float32), size[::-1], interpolation=how)
    own = cv2.resize(shape, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT) > 0
    own &= weight > 0
    total = total.reshape(*size, -1) / np.where(own, weight, 1)[..., None]
    return np.rint(total).clip(0, 255).astype(np.uint8), own


def _place(
    mask: _Pixels,
    shape: npt.NDArray[np.bool_],
    room: npt.NDArray[np.float64],
    random: np.random.Generator,
) -> tuple[int, int] | None:
    """Row and column where a component hides no more pixels of a class than there is room for.

    None if it finds none.
    """
    last = [edge - own for edge, own in zip(mask.shape, shape.shape, strict=True)]
    area = np.count_nonzero(shape)
    if min(last) < 0 or area < LEAST_PIXELS:
        return None
    for _ in range(_PLACES):
        top, left = (int(random.integers(0, end + 1)) for end in last)
        under = mask[top : top + shape.shape[0], left : left + shape.shape[1]][shape]
        hidden = np.bincount(under, minlength=256)
        unlabelled = hidden[IGNORE_INDEX]
        hidden[IGNORE_INDEX] = 0
        if unlabelled <= _UNLABELLED * area and (hidden <= room).all():
            return top, left
    return None


def _blend(image: _Pixels, pixels: _Pixels, shape: npt.NDArray[np.bool_]) -> None:
    """Writes a component into the part of an image that it covers.

    Only a rim that has an inside gets softer: a wire of two pixels would become a shadow.
    """
    inside = cv2.erode(np.pad(shape, 1).view(np.uint8), _AROUND)
    rim = (cv2.dilate(inside, _AROUND) > inside)[1:-1, 1:-1]  # never beyond the shape
    softened = (pixels[rim].astype(np.uint16) + image[rim] + 1) // 2
    image[shape] = pixels[shape]
    image[rim] = softened
