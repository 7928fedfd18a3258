"""How the images of prediction are read: as those that the checkpoint was trained on."""

from typing import Literal

from aerialseg.data.images.band_settings import Ranges
from aerialseg.data.images.headers import MAX_MEGAPIXELS
from aerialseg.data.images.reading_settings import FileKind, Reading
from aerialseg.storage.checkpoints import Description


def reading_as_trained(
    description: Description,
    *,
    max_megapixels: float = MAX_MEGAPIXELS,
    exif_orientation: Literal["apply", "ignore"] | None = None,
    nodata: float | None = None,
) -> Reading:
    """The bands, values and orientation of a checkpoint's training.

    Args:
        description: Of the checkpoint.
        max_megapixels: Most millions of pixels of an image.
        exif_orientation: Instead of that of training. Without either, orientations are applied.
        nodata: The value of pixels without data, instead of that of training.
    """
    turned = exif_orientation or description.exif_orientation or "apply"
    kind = description.file_kind
    return Reading(
        exif_orientation=turned,
        max_megapixels=max_megapixels,
        bands=None if description.bands is None else tuple(description.bands),
        ranges=ranges_of_training(description),
        nodata=description.nodata if nodata is None else nodata,
        kind=None if kind is None else FileKind(int(kind["bands"]), str(kind["dtype"])),
    )


def ranges_of_training(description: Description) -> Ranges | None:
    """The values that become 0 and 255, by band; None for bytes."""
    if description.value_range is None:
        return None
    return tuple((low, high) for low, high in description.value_range)
