"""The folder in which labels are reviewed: crops of each region, an index, and a page."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.classes import ClassTable
from aerialseg.data.images.windows import Box
from aerialseg.data.images.writing import write_image
from aerialseg.data.labels.review_record import CORRECTED, RECORD, ReviewedRegion, ReviewRecord
from aerialseg.data.labels.stored_masks import StoredMask, encode_stored
from aerialseg.errors import DataError
from aerialseg.report.pages.review_page import review_page
from aerialseg.storage.atomic_files import (
    building,
    csv_text,
    remove_folder,
    write_json,
    write_text,
)
from aerialseg.viz.region_view import RegionView, draw_region
from aerialseg.viz.theme import RGBImage

INDEX, PAGE = "index.csv", "index.html"
IMAGES, MASKS, PREDICTED, SUGGESTED, OVERVIEWS = (
    *("images", "masks", "predicted"),
    *("suggested", "overviews"),
)

_COLUMNS = (
    *("rank", "image", "mask_class", "predicted_class", "score", "mask_probability"),
    *("predicted_probability", "pixels", "left", "top", "width", "height"),
    *("crop_left", "crop_top", "crop_width", "crop_height", "trained_on", "judged_by"),
    *("image_crop", "mask_crop", "predicted_crop", "suggested_crop", "overview", "corrected_crop"),
    *("mask", "mask_sha256"),
)


@dataclass(frozen=True, eq=False)
class RegionCrops:
    """What is written of one region.

    Attributes:
        region: The region.
        image: ``(H, W, 3)`` uint8 RGB: the whole image.
        mask: ``(h, w)`` uint8 trained class ids of the crop.
        predicted: ``(h, w)`` uint8 likewise.
        inside: ``(h, w)`` bool: the region.
        stored: The crop of the mask as it is stored.
        stored_predicted: The same, as predicted.
        stored_suggested: The same, with the region alone as predicted.
    """

    region: ReviewedRegion
    image: RGBImage
    mask: npt.NDArray[np.uint8]
    predicted: npt.NDArray[np.uint8]
    inside: npt.NDArray[np.bool_]
    stored: StoredMask
    stored_predicted: StoredMask
    stored_suggested: StoredMask


def check_review_folder(folder: Path) -> None:
    """Makes sure that nobody's corrections would be lost.

    Raises:
        DataError: If the folder holds some, or is no review.
    """
    corrected = folder / CORRECTED
    if corrected.is_dir() and any(not p.name.startswith(".") for p in corrected.iterdir()):
        raise DataError(
            f"{corrected}: holds corrected masks, which a new review would remove; apply them with "
            f"task=apply_labels task.review={folder}, or move them away, or write the review "
            "elsewhere with paths.output_dir=FOLDER"
        )
    if folder.exists() and not (folder / RECORD).is_file():
        raise DataError(f"{folder}: is there and is no review; move it away")


def write_review(
    folder: Path,
    record: ReviewRecord,
    crops: Callable[[], Iterable[RegionCrops]],
    *,
    classes: ClassTable,
    subtitle: Sequence[str],
    command: str,
) -> None:
    """Writes the review folder, completely or not at all; an older review goes.

    Args:
        folder: Where to.
        record: What ``review.json`` says.
        crops: Gives the crops of all regions, in any order.
        classes: The trained classes.
        subtitle: Lines below the title of the page.
        command: What applies the corrections, as the page says.

    Raises:
        DataError: As :func:`check_review_folder`, or if the folder cannot be written.
    """
    try:
        with building(folder) as temporary:
            (temporary / CORRECTED).mkdir()
            sizes = {
                each.region.name: _write_crops(temporary, each, record, classes) for each in crops()
            }
            rows = map(_row, record.regions)
            write_text(temporary / INDEX, csv_text(_COLUMNS, rows))
            page = review_page(
                record,
                files=[files_of(region) for region in record.regions],
                sizes=[sizes[region.name] for region in record.regions],
                index=INDEX,
                classes=classes,
                subtitle=subtitle,
                command=command,
            )
            write_text(temporary / PAGE, page)
            write_json(temporary / RECORD, record.to_mapping())
            check_review_folder(folder)  # somebody may have corrected some meanwhile
            remove_folder(folder)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise DataError(f"{folder}: cannot be written: {reason}") from error


def files_of(region: ReviewedRegion) -> dict[str, str]:
    """The files of a region below the review folder."""
    return {
        "image": f"{IMAGES}/{region.name}.png",
        "mask": f"{MASKS}/{region.name}.png",
        "predicted": f"{PREDICTED}/{region.name}.png",
        "suggested": f"{SUGGESTED}/{region.name}.png",
        "overview": f"{OVERVIEWS}/{region.name}.jpg",
        "corrected": f"{CORRECTED}/{region.name}.png",
    }


def _write_crops(
    folder: Path, crops: RegionCrops, record: ReviewRecord, classes: ClassTable
) -> tuple[int, int]:
    """Writes the five files of a region; returns height and width of the overview in pixels."""
    region, box = crops.region, crops.region.crop
    files, encoding = files_of(region), record.reading.given_encoding
    write_image(folder / files["image"], np.ascontiguousarray(box.of(crops.image)))
    for name, stored in (
        ("mask", crops.stored),
        ("predicted", crops.stored_predicted),
        ("suggested", crops.stored_suggested),
    ):
        path = folder / files[name]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_stored(stored.visible(encoding), path))
    view = RegionView(
        image=crops.image,
        rectangle=(box.top, box.left, box.height, box.width),
        mask=crops.mask,
        predicted=crops.predicted,
        region=crops.inside,
        headings=(
            region.image,
            f"{region.region.width}x{region.region.height} pixels at {region.region.left}, "
            f"{region.region.top}",
            f"mask: {region.mask_class}",
            f"network: {region.predicted_class} ({region.confidence:.0%})",
        ),
    )
    overview = draw_region(view, classes)
    write_image(folder / files["overview"], overview)
    return overview.shape[0], overview.shape[1]


def _row(region: ReviewedRegion) -> list[object]:
    """One line of the index."""
    return [
        *(region.rank, region.image, region.mask_class, region.predicted_class),
        *(f"{region.score:.6f}", f"{region.given:.4f}", f"{region.confidence:.4f}", region.pixels),
        *_corners(region.region),
        *_corners(region.crop),
        *(region.trained_on, " ".join(region.judged_by)),
        *files_of(region).values(),
        *(region.mask, region.mask_sha256),
    ]


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.width, box.height
