"""A sheet of images by two networks: where only one of them is right."""

from collections.abc import Sequence
from dataclasses import dataclass

from aerialseg.classes import ClassTable
from aerialseg.viz.legend import draw_legend
from aerialseg.viz.sheets import present_ids
from aerialseg.viz.strips import Score, caption_strip, header_strip, stack, tile_strip
from aerialseg.viz.theme import ONLY_A, ONLY_B, Mask, RGBImage, text_size
from aerialseg.viz.tiles import TileSize, image_tile, mask_tile, one_right_tile, tile_size


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonRow:
    """One image, its true mask and two predictions.

    Args:
        id: Text of the caption.
        image: ``(H, W, 3)`` uint8 RGB.
        truth: ``(H, W)`` class ids.
        a: ``(H, W)`` class ids.
        b: Likewise.
        scores: Name and value of what the caption says on the right.
    """

    id: str
    image: RGBImage
    truth: Mask
    a: Mask
    b: Mask
    scores: Sequence[Score] = ()


def comparison_sheet(
    rows: Sequence[ComparisonRow],
    classes: ClassTable,
    *,
    names: tuple[str, str] = ("a", "b"),
    tile_width: int = 320,
) -> RGBImage:
    """Draws image, truth, both predictions, and where one of them alone is right.

    Args:
        rows: The images, one row each.
        classes: Names and colours, for the masks and the legend.
        names: Of the two predictions.
        tile_width: Width in pixels of one image of the sheet.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        ValueError: If there is no row, or an image and its masks differ in shape.
    """
    tile = tile_size([row.image.shape for row in rows], tile_width)
    header = header_strip(["image", "truth", *names, "only one is right"], tile)
    masks = [mask for row in rows for mask in (row.truth, row.a, row.b)]
    legend = draw_legend(
        classes,
        width=header.shape[1],
        present=present_ids(masks),
        marks={"only a is right": ONLY_A, "only b is right": ONLY_B},
        size=text_size(tile_width),
    )
    return stack(header, [_block(row, classes, tile) for row in rows], legend)


def _block(row: ComparisonRow, classes: ClassTable, tile: TileSize) -> list[RGBImage]:
    """The caption of an image and its tiles side by side."""
    strip = tile_strip(
        [
            image_tile(row.image, tile),
            *(mask_tile(mask, classes, tile) for mask in (row.truth, row.a, row.b)),
            one_right_tile(row.image, row.truth, row.a, row.b, classes, tile),
        ]
    )
    return [caption_strip(row.id, row.scores, strip.shape[1], text_size(tile[0])), strip]
