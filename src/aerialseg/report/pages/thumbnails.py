"""Small images of a page: of image files, alone or below their masks, also of faulty ones."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.classes import ClassTable
from aerialseg.data.images.decoding import load, opened
from aerialseg.data.images.reading import read_mask, read_size
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.views import viewed
from aerialseg.data.layouts.listing import Sample
from aerialseg.report.pages.inlined import photo_uri, thumbnail_size
from aerialseg.viz.band_colours import as_rgb
from aerialseg.viz.colours import as_bytes, overlay
from aerialseg.viz.palette import distinct_colours
from aerialseg.viz.theme import Mask, RGBImage

LONGEST = 288
"""Pixels of the longer edge."""
_OPACITY = 0.5
_MOST_VALUES = 32  # of a mask that is drawn as it is stored, each in a colour of its own


@dataclass(frozen=True)
class Thumbnail:
    """A small image, or what is said in its place.

    Attributes:
        what: What it shows, in words.
        uri: Its ``data:`` address; empty if it cannot be drawn.
        size: Height and width in pixels.
        problem: Why it cannot be drawn; empty if it can.
    """

    what: str
    uri: str
    size: tuple[int, int]
    problem: str = ""


def thumbnail(image: RGBImage, what: str) -> Thumbnail:
    """An ``(H, W, 3)`` uint8 RGB image, shrunken."""
    size = thumbnail_size((image.shape[0], image.shape[1]), LONGEST)
    return Thumbnail(what, photo_uri(image, size), size)


def masked_thumbnail(image: RGBImage, mask: Mask, classes: ClassTable, what: str) -> Thumbnail:
    """An image below the colours of its mask.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, which may be smaller than the mask.
        mask: ``(H, W)`` class ids; others than those of ``classes`` are hatched.
        classes: The class table.
        what: What it shows.
    """
    size = thumbnail_size((image.shape[0], image.shape[1]), LONGEST)
    small = np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)
    nearest = cv2.resize(as_bytes(mask), size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    ids = np.asarray(nearest, dtype=np.uint8)
    blended = overlay(small, ids, classes, opacity=_OPACITY, outline_width=1)
    return Thumbnail(what, photo_uri(blended, size), size)


def sample_thumbnails(
    sample: Sample, reading: Reading, classes: ClassTable, *, with_mask: bool
) -> tuple[Thumbnail, ...]:
    """The image of a sample and, if asked for, its mask over it.

    A mask that cannot lie over the image, as it has another size or values of no class, is drawn
    as it is stored. A file that cannot be drawn has a thumbnail that says so.

    Args:
        sample: A whole image, with or without a mask.
        reading: How its files are read.
        classes: Those of the ids that ``reading`` gives.
        with_mask: Whether the mask is drawn where there is one.
    """
    image, problem = _tried(lambda: _image(sample.image, reading))
    alone = _unreadable("image", problem) if image is None else thumbnail(image, "image")
    if not with_mask or sample.mask is None:
        return (alone,)
    path = sample.mask
    mask, _ = _tried(lambda: _fitting_mask(path, sample.image, reading))
    if image is not None and mask is not None:
        return alone, masked_thumbnail(image, mask, classes, "mask over the image")
    stored, problem = _tried(lambda: _as_stored(path, reading))
    what = "mask as it is stored"
    return alone, _unreadable(what, problem) if stored is None else thumbnail(stored, what)


def _tried(
    draw: Callable[[], npt.NDArray[np.uint8]],
) -> tuple[npt.NDArray[np.uint8] | None, str]:
    """What is drawn, or None and why it is not: a page is not lost for one file."""
    try:
        return draw(), ""
    except Exception as error:  # a damaged file makes decoders raise anything
        return None, " ".join(str(error).split()) or type(error).__name__


def _unreadable(what: str, problem: str) -> Thumbnail:
    return Thumbnail(what, "", (0, 0), problem)


def _image(path: Path, reading: Reading) -> RGBImage:
    size = read_size(path, reading)
    return as_rgb(viewed(path, size, reading, longest=LONGEST))


def _fitting_mask(path: Path, image: Path, reading: Reading) -> npt.NDArray[np.uint8]:
    """The class ids of a mask; ValueError if it has another size than its image."""
    mask = read_mask(path, reading)
    if mask.shape != read_size(image, reading):
        raise ValueError("of another size")
    return mask


def _as_stored(path: Path, reading: Reading) -> RGBImage:
    """A mask in the colours of its file, or in one for each of its values."""
    with opened(path, max_megapixels=reading.max_megapixels) as image:
        load(image, path)
        if len(image.getbands()) > 1 or image.mode == "P":
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
        stored = np.asarray(image)
    values, places = np.unique(stored, return_inverse=True)
    if len(values) <= _MOST_VALUES:
        colours = np.array(distinct_colours(len(values)), dtype=np.uint8)
    else:
        greys = np.linspace(0, 255, len(values)).astype(np.uint8)
        colours = np.repeat(greys[:, None], 3, axis=1)
    return np.asarray(colours[places.reshape(stored.shape)], dtype=np.uint8)
