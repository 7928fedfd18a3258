"""On which pixels shapes were drawn: the size of each image, and whether it was turned upright."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aerialseg.data.annotations.findings import Findings, stop_at
from aerialseg.data.annotations.shapes import AnnotatedImage, Polygons, Runs, Shape
from aerialseg.data.images.orientation import UPRIGHT, ExifOrientation, turned_size
from aerialseg.data.images.reading import read_orientation, read_size
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts.listing import count
from aerialseg.errors import DataError

_Size = tuple[int, int]
_PARTLY = "shapes that reach outside their image by more than a pixel, cut at its edge"
_FAR = 10
"""A shape further out than this many sizes of its image is not of this image."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """An image as its file holds it.

    Attributes:
        size: Height and width by the file.
        turn: Its EXIF orientation.
    """

    size: _Size
    turn: int

    def drawn(self, orientation: ExifOrientation) -> _Size:
        """Its size as the tool showed it, which applied or ignored the orientation."""
        return turned_size(self.size, self.turn) if orientation == "apply" else self.size


def drawn_sizes(
    images: Sequence[AnnotatedImage],
    paths: Sequence[Path],
    chosen: ExifOrientation | None,
    *,
    max_megapixels: float,
    findings: Findings,
) -> tuple[list[_Size], ExifOrientation | None]:
    """Height and width of the mask of each image, and the meaning of EXIF orientations.

    Args:
        images: What the annotations say.
        paths: The files.
        chosen: What the user says about orientations; None to go by the sizes.
        max_megapixels: Most millions of pixels of an image.
        findings: Where to note shapes that are cut.

    Returns:
        The sizes, and ``apply`` or ``ignore`` if an image has an orientation, else None.

    Raises:
        DataError: If a file cannot be read, has another size than its annotations say, if sizes do
            not tell whether orientations were applied, or if a shape does not fit its image.
    """
    stored: list[_Stored] = []
    problems: list[str] = []
    reading = Reading(max_megapixels=max_megapixels)
    for path in paths:
        try:
            size, turn = read_size(path, reading), read_orientation(path, reading)
            stored.append(_Stored(size, turn))
        except DataError as error:
            problems += error.problems
    stop_at(problems, "image")
    orientation = _orientation(images, stored, chosen)
    sizes = [each.drawn(orientation or "ignore") for each in stored]
    for image, path, size in zip(images, paths, sizes, strict=True):
        if image.size not in (None, size):
            problems.append(_other_size(image, path, size))
        else:
            problems += _misfits(image, size, findings)
    stop_at(problems)
    return sizes, orientation


def _orientation(
    images: Sequence[AnnotatedImage], stored: Sequence[_Stored], chosen: ExifOrientation | None
) -> ExifOrientation | None:
    """Whether orientations were applied when shapes were drawn; None if no image has one."""
    turned = [(i, s) for i, s in zip(images, stored, strict=True) if s.turn != UPRIGHT]
    if not turned or chosen is not None:
        return chosen if turned else None
    told: dict[ExifOrientation, list[str]] = {"apply": [], "ignore": []}
    for image, each in turned:
        apply, ignore = each.drawn("apply"), each.drawn("ignore")
        if apply != ignore and image.size in (apply, ignore):
            told["apply" if image.size == apply else "ignore"].append(image.name)
    if told["apply"] and told["ignore"]:
        raise DataError(
            f"{count(told['apply'], 'image')} drawn on as viewers turn them by their EXIF "
            f"orientation, {count(told['ignore'], 'image')} as they are stored; convert them one "
            "after the other, or store all images upright and label them again"
        )
    for orientation, names in told.items():
        if names:
            return orientation
    names = [image.name for image, _ in turned]
    raise DataError(
        f"{count(names, 'image')} with an EXIF orientation, and no size tells whether shapes were "
        "drawn on images as viewers turn them or as they are stored; say so with "
        "data.exif_orientation=apply or data.exif_orientation=ignore (LabelMe turns images, "
        "CVAT since 2022)"
    )


def _other_size(image: AnnotatedImage, path: Path, size: _Size) -> str:
    """The line for an image whose file has another size."""
    height, width = image.size or (0, 0)
    was = "was turned after labelling"
    if image.size != size[::-1]:
        was = "was resized after labelling, or is another one"
    return (
        f"{path}: has {size[1]}x{size[0]} pixels, but {image.file} says {width}x{height}, so it "
        f"{was}; use the image that was labelled"
    )


def _misfits(image: AnnotatedImage, size: _Size, findings: Findings) -> list[str]:
    """The lines for shapes that cannot be of their image; notes those that are cut."""
    problems, cut = [], []
    for shape in image.shapes:
        low, high = _extent(shape)
        ends = np.array(size[::-1], dtype=np.float64)
        where = f"{image.file}: {image.where(shape)}"
        if isinstance(shape.outline, Runs):
            runs = shape.outline
            other = runs.is_whole and (runs.height, runs.width) != size
            if other or (low < 0).any() or (high > ends).any():
                problems.append(
                    f"{where} is a bitmap of {runs.width}x{runs.height}, which does not fit the "
                    f"image of {size[1]}x{size[0]}; export it again"
                )
        elif (low < -_FAR * ends).any() or (high > (_FAR + 1) * ends).any():
            x, y = (high if (high > ends).any() else low).tolist()
            problems.append(
                f"{where} reaches to ({x:g}, {y:g}), far outside the image of {size[1]}x{size[0]}; "
                "correct it or take it out"
            )
        elif (low < -1).any() or (high > ends + 1).any():
            cut.append(shape)
    reach = np.max([_extent(shape)[1] for shape in cut], axis=0) if cut else np.zeros(2)
    if cut and size[0] != size[1] and (reach <= np.array(size) + 1).all() and len(cut) > 1:
        findings.add(
            "images whose shapes do not fit, but would if width and height were swapped: look at "
            "their masks",
            image.name,
        )
    for shape in cut:
        findings.add(_PARTLY, image.where(shape))
    return problems


def _extent(shape: Shape) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    """The least and the greatest x and y."""
    if isinstance(shape.outline, Polygons):
        corners = np.concatenate(shape.outline.parts)
        return corners.min(axis=0), corners.max(axis=0)
    runs = shape.outline
    low = np.array([runs.left, runs.top], dtype=np.float64)
    return low, low + np.array([runs.width, runs.height], dtype=np.float64)
