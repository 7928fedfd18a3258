"""What a comparison of two runs leaves: a sheet of images, a page, numbers."""

import logging
from collections.abc import Sequence
from pathlib import Path

from aerialseg.classes import ClassTable
from aerialseg.data.images.writing import write_image
from aerialseg.report.comparison import SIDES, Comparison
from aerialseg.report.comparison_tables import print_comparison
from aerialseg.report.pages.compare_page import ComparePage
from aerialseg.report.pages.gallery import GalleryImage
from aerialseg.report.pages.inlined import mask_uri, photo_uri
from aerialseg.report.pages.links import image_link
from aerialseg.report.path_links import PathLink
from aerialseg.storage.atomic_files import write_json, write_text
from aerialseg.training.paired_images import PairedImage
from aerialseg.training.report_details import commands_of, footer
from aerialseg.viz.comparison_sheet import ComparisonRow, comparison_sheet

logger = logging.getLogger(__name__)


def write_comparison(
    folder: Path,
    comparison: Comparison,
    images: Sequence[PairedImage],
    classes: ClassTable,
    *,
    sheet_rows: int,
) -> None:
    """Writes ``differences.png``, ``compare.html`` and, last, ``compare.json``; then prints it.

    Args:
        folder: Where to write.
        comparison: What was found.
        images: All that were compared.
        classes: Of the masks that are shown.
        sheet_rows: How many images the sheet shows.
    """
    ranked = [images[row] for row in comparison.most_different if images[row].shown is not None]
    a, b = (f"{side}: {name}" for side, name in zip(SIDES, comparison.names, strict=True))
    sheet = comparison_sheet(
        [_sheet_row(image) for image in ranked[:sheet_rows]], classes, names=(a, b)
    )
    write_image(folder / "differences.png", sheet)
    page = ComparePage(
        comparison=comparison,
        classes=classes,
        gallery=[_gallery_image(image, classes, folder) for image in ranked],
        commands=[
            (side, commands_of(stage.folders))
            for side, stage in zip(SIDES, comparison.stages, strict=True)
        ],
        footer=footer(),
    )
    write_text(folder / "compare.html", page.html())
    write_json(folder / "compare.json", comparison.to_mapping())
    print_comparison(comparison)
    logger.info("page, sheet of the images that differ most, and numbers: %s", PathLink(folder))


def _sheet_row(image: PairedImage) -> ComparisonRow:
    """An image of the sheet."""
    shown, difference = image.shown, image.difference
    assert shown is not None
    scores = [
        *(
            (f"Dice of {side}", f"{dice:.3f}")
            for side, dice in zip(SIDES, difference.dice, strict=True)
        ),
        *(
            (f"only {side} is right", f"{share:.1%}")
            for side, share in zip(SIDES, difference.only_right, strict=True)
        ),
    ]
    return ComparisonRow(difference.id, shown.photo, shown.truth, *shown.predictions, scores=scores)


def _gallery_image(image: PairedImage, classes: ClassTable, folder: Path) -> GalleryImage:
    """An image of the page."""
    shown, difference = image.shown, image.difference
    assert shown is not None
    height, width = shown.truth.shape
    size = (height, width)
    masks = {"truth": shown.truth, **dict(zip(SIDES, shown.predictions, strict=True))}
    a, b = difference.dice
    return GalleryImage(
        id=difference.id,
        size=size,
        layers={
            "photo": photo_uri(shown.photo, size),
            **{name: mask_uri(mask, classes, size) for name, mask in masks.items()},
        },
        scores={"apart": difference.apart, "a": a, "b": b, "gain": b - a},
        matrix=image.whole[0],
        file=image_link(image.sample.image, folder),
        of_classes=False,
    )
