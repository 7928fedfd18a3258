"""The corrected crops that a person has put into a review folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.data.images.decoding import load, opened
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.mask_errors import ColourMaskError
from aerialseg.data.images.masks import colours_from_pixels, ids_from_values
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.labels.review_record import CORRECTED, ReviewedRegion, ReviewRecord
from aerialseg.data.labels.stored_masks import StoredMask, read_stored_mask
from aerialseg.errors import DataError, did_you_mean

_JUNK = frozenset({"Thumbs.db", "desktop.ini"})
"""What file managers leave in folders; hidden files are left out too."""


@dataclass(frozen=True, eq=False)
class CorrectedCrop:
    """A crop of a mask as it should be.

    Attributes:
        region: Which.
        path: Its file.
        mask: Its pixels.
        changed: ``(h, w)`` bool: where its class differs from the mask's.
        before: ``(N,)`` uint8: the classes of these pixels in the mask.
        after: ``(N,)`` uint8: likewise in the crop.
    """

    region: ReviewedRegion
    path: Path
    mask: StoredMask
    changed: npt.NDArray[np.bool_]
    before: npt.NDArray[np.uint8]
    after: npt.NDArray[np.uint8]

    @property
    def pixels(self) -> int:
        """How many pixels it changes."""
        return self.before.size


def corrected_files(review: Path, record: ReviewRecord) -> list[tuple[ReviewedRegion, Path]]:
    """The files of all corrected crops of a review, by rank.

    Args:
        review: The review folder.
        record: Its record.

    Raises:
        DataError: If there are none, or with one line for each that has an unknown name.
    """
    folder = review / CORRECTED
    known = {f"{region.name}.png": region for region in record.regions}
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [path for path in there if not path.name.startswith(".") and path.name not in _JUNK]
    if not files:
        raise DataError(
            f"{folder}: holds no corrected mask; copy crops from {review / 'masks'} into it and "
            f"edit them, or take those of {review / 'suggested'}"
        )
    if unknown := [path for path in files if path.name not in known]:
        raise DataError(*(_unknown(path, known) for path in unknown))
    pairs = [(known[path.name], path) for path in files]
    return sorted(pairs, key=lambda pair: pair[0].rank)


def _unknown(path: Path, known: Sequence[str] | dict[str, ReviewedRegion]) -> str:
    hint = did_you_mean(path.name, known) or "; name it as the crop that it corrects"
    return f"{path}: is not the name of a crop in {path.parent.parent / 'masks'}{hint}"


def read_corrected(
    region: ReviewedRegion, path: Path, before: StoredMask, reading: Reading
) -> CorrectedCrop:
    """Reads a corrected crop and compares it with the mask.

    A program may save a crop with a palette in its colours; these mean what the palette says.

    Args:
        region: The region.
        path: The file of the crop.
        before: The whole mask.
        reading: How masks are read.

    Raises:
        DataError: If it has another size or another palette than the crop of the mask, cannot be
            read, or holds what stands for no class.
    """
    crop = before.cut(region.crop)
    mask = _read(path, crop.visible(reading.given_encoding), reading)
    if mask.size != region.crop.size:
        (height, width), (wanted_height, wanted_width) = mask.size, region.crop.size
        raise DataError(
            f"{path}: is {width}x{height} pixels, and the crop of the mask {wanted_width}x"
            f"{wanted_height}; edit that without cutting or scaling it"
        )
    changed = np.asarray(crop.ids != mask.ids)
    return CorrectedCrop(region, path, mask, changed, crop.ids[changed], mask.ids[changed])


def _read(path: Path, crop: StoredMask, reading: Reading) -> StoredMask:
    """The crop, its palette compared with that of the mask's crop."""
    try:
        mask = read_stored_mask(path, reading)
    except ColourMaskError:
        if crop.palette is None:
            raise
        return _from_colours(path, crop.palette, reading)
    if mask.palette is not None and crop.palette is not None:
        used = np.unique(mask.pixels)
        given, wanted = _colours(mask.palette), _colours(crop.palette)
        if wrong := [v for v in used.tolist() if given.get(v) != wanted.get(v)]:
            raise DataError(
                f"{path}: its palette gives value {wrong[0]} another colour than that of the crop, "
                "so its values may mean other classes; save it with the palette as it was, or in "
                "RGB"
            )
    return mask


def _from_colours(path: Path, palette: bytes, reading: Reading) -> StoredMask:
    """A crop of an index mask that was saved in the colours of its palette."""
    encoding: MaskEncoding = reading.given_encoding
    with opened(path, max_megapixels=reading.max_megapixels) as image:
        load(image, path)
        colours = colours_from_pixels(image, path).astype(np.int64)
    codes = colours[..., 0] << 16 | colours[..., 1] << 8 | colours[..., 2]
    known = {
        red << 16 | green << 8 | blue: value
        for value, (red, green, blue) in reversed(_colours(palette).items())
        if value in encoding.id_of_value
    }
    found, places = np.unique(codes, return_inverse=True)
    if unknown := [code for code in found.tolist() if code not in known]:
        pixels = int(np.count_nonzero(codes == unknown[0]))
        raise DataError(
            f"{path}: has the colour #{unknown[0]:06x} ({pixels} pixels), which the palette of the "
            "crop does not have; paint without smoothing, in the colours of the crop"
        )
    values = np.array([known[code] for code in found.tolist()])
    pixels_of = values[places.reshape(codes.shape)].astype(np.uint8)
    return StoredMask(pixels_of, ids_from_values(pixels_of, encoding, path=path), "PNG")


def _colours(palette: bytes) -> dict[int, tuple[int, int, int]]:
    """The colour of each value."""
    return dict(enumerate(zip(palette[::3], palette[1::3], palette[2::3], strict=True)))
