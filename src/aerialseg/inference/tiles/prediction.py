"""From the rows of a large image to the rows of its mask."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import gcd
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.images.missing_data import without_data
from aerialseg.data.images.resizing import resize_to
from aerialseg.data.images.rows import Rows, RowSource
from aerialseg.inference.tiles.ahead import ahead
from aerialseg.inference.tiles.blending import RowBlender
from aerialseg.inference.tiles.layout import StripPlan, TileLayout
from aerialseg.kernels.upsampling import most_likely, upsample

BatchLogits: TypeAlias = Callable[[npt.NDArray[np.uint8]], torch.Tensor]
"""``(N, h, w, B)`` uint8 to ``(N, C, h', w')`` float, at the size of the network's output."""

_BATCH = 4
"""Tiles that the network gets at a time."""


@dataclass(frozen=True)
class Strip:
    """Some rows of a mask.

    Attributes:
        plan: Which.
        mask: ``(h, W)`` uint8 class ids, 255 where the image holds no data.
        margin: ``(h, W)`` uint8, 0 to 254: by how much the most likely class is more likely than
            the second; 255 where there is no data. ``None`` if it was not asked for.
        logits: ``(1, C, h', w')`` float, the blended output of the network for them; ``None`` if
            no pixel around holds data.
        missing: ``(h, W)`` bool, where there is no data; ``None`` if there is everywhere.
    """

    plan: StripPlan
    mask: npt.NDArray[np.uint8]
    margin: npt.NDArray[np.uint8] | None
    logits: torch.Tensor | None
    missing: npt.NDArray[np.bool_] | None


def predict_strips(
    source: RowSource,
    layout: TileLayout,
    network: BatchLogits,
    *,
    done: int = 0,
    margins: bool = False,
) -> Iterator[Strip]:
    """Predicts an image from top to bottom, a strip for each of ``layout.strips``.

    Held are a row of tiles of the image, the one that is read meanwhile, and the network's output
    for as many rows. Tiles without any data are left out.

    Args:
        source: The image.
        layout: Where its tiles lie.
        network: What predicts tiles.
        done: How many strips are left out, since they are known. The others are what they are
            without this.
        margins: Whether strips have a margin.
    """
    plans = layout.strips[done:]
    if not plans:
        return
    first = layout.first_row_for(plans[0])
    output = _Output(layout)
    for row, rows in ahead(_rows_of_tiles(source, layout, first)):
        for tiles, lefts in _batches(rows, layout, row):
            output.add(network(tiles), row, lefts)
        for plan in plans:
            if plan.row == row:
                missing = rows.part(plan.first, plan.end).missing
                yield output.strip(plan, missing, margins=margins)


class _Output:
    """The blended output of the network, on a grid whose cells the first tile tells."""

    def __init__(self, layout: TileLayout) -> None:
        self._layout = layout
        self._blender: RowBlender | None = None
        self._cells = self._channels = 0

    def add(self, logits: torch.Tensor, row: int, lefts: list[int]) -> None:
        """Adds tiles of a row of tiles, ``(N, C, h, w)`` float, which begin at these blocks."""
        tile, layout = self._layout.tile, self._layout
        if self._blender is None:
            self._channels = logits.shape[1]
            self._cells = cells = max(1, logits.shape[2] // tile[0])
            rows, columns = (cells * edge for edge in tile)
            down, across = (cells * edge for edge in layout.overlap)
            width = layout.blocks[1] * cells
            # The strip of a row of tiles begins a block above it, where there was no data so far.
            first = max(0, layout.tops[row] - 2) * cells
            self._blender = RowBlender(width, (rows, columns), (down, across), first=first)
        size = tile[0] * self._cells, tile[1] * self._cells
        for output, left in zip(upsample(logits, size), lefts, strict=True):
            self._blender.add(output, layout.tops[row] * self._cells, left * self._cells)

    def strip(
        self, plan: StripPlan, missing: npt.NDArray[np.bool_] | None, *, margins: bool
    ) -> Strip:
        """The rows of a plan, once all tiles that reach them were added."""
        layout, height = self._layout, plan.end - plan.first
        if self._blender is None:
            nothing = np.full((height, layout.size[1]), IGNORE_INDEX, dtype=np.uint8)
            return Strip(plan, nothing, nothing if margins else None, None, missing)
        cells, block = self._cells, layout.block
        # The smallest number of cells that is a whole number of pixels: bilinear upsampling looks
        # half a cell beyond the strip.
        margin = cells // gcd(cells, block)
        start, end = plan.first // block * cells, -(-plan.end // block) * cells
        above = min(margin, start)
        last = min(end + margin, layout.blocks[0] * cells)
        self._blender.reach(last, channels=self._channels)
        around = self._blender.mean(start - above, last)
        shown = around.shape[2] * block // cells, around.shape[3] * block // cells
        skipped = above * block // cells
        part = np.s_[skipped : skipped + height, : layout.size[1]]
        mask = without_data(most_likely(around, shown)[0].numpy()[part], missing)
        lead = None
        if margins:
            pixels = upsample(_lead(around), shown)[0, 0].mul(254).round().byte().numpy()
            lead = without_data(pixels[part], missing)
        inner = around[:, :, above : above + end - start].clone()
        self._blender.forget(end - margin)
        return Strip(plan, mask, lead, inner, missing)


def _lead(logits: torch.Tensor) -> torch.Tensor:
    """By how much the likeliest class is likelier than the second, ``(1, 1, h, w)``, 0 to 1."""
    likeliest = logits.softmax(1).topk(min(2, logits.shape[1]), dim=1).values
    return likeliest[:, :1] - likeliest[:, 1:2].sum(dim=1, keepdim=True)


def _rows_of_tiles(source: RowSource, layout: TileLayout, first: int) -> Iterator[tuple[int, Rows]]:
    """For each row of tiles the rows of the image, and those of its strip above; each read once."""
    held: Rows | None = None
    for row in range(first, len(layout.tops)):
        begin, end = layout.pixel_rows(row)
        if held is None:
            held = source.read(begin, end)
        else:
            held = held.part(begin, held.end).followed_by(source.read(held.end, end))
        yield row, held


def _batches(
    rows: Rows, layout: TileLayout, row: int
) -> Iterator[tuple[npt.NDArray[np.uint8], list[int]]]:
    """The tiles of a row that hold data, as the network gets them, and where they begin."""
    top, (height, width) = layout.tops[row] * layout.block, layout.tile_pixels
    tiles: list[npt.NDArray[np.uint8]] = []
    lefts: list[int] = []
    for left in layout.lefts:
        columns = slice(left * layout.block, left * layout.block + width)
        part = rows.part(top, min(top + height, rows.end))
        if part.missing is not None and part.missing[:, columns].all():
            continue
        tiles.append(_tile(part.image[:, columns], layout))
        lefts.append(left)
        if len(tiles) == _BATCH:
            yield np.stack(tiles), lefts
            tiles, lefts = [], []
    if tiles:
        yield np.stack(tiles), lefts


def _tile(image: npt.NDArray[np.uint8], layout: TileLayout) -> npt.NDArray[np.uint8]:
    """A tile as the network gets it; what reaches over the image's end is mirrored."""
    height, width = layout.tile_pixels
    down, right = height - image.shape[0], width - image.shape[1]
    if down or right:
        image = _padded(image, down, right)
    return resize_to(image, layout.input_size, is_mask=False)


def _padded(image: npt.NDArray[np.uint8], down: int, right: int) -> npt.NDArray[np.uint8]:
    """An ``(H, W, B)`` image with more rows and columns."""
    rows, columns = (
        _mirrored(*edges) for edges in zip(image.shape[:2], (down, right), strict=True)
    )
    return image[rows][:, columns]


def _mirrored(length: int, more: int) -> npt.NDArray[np.intp]:
    """The places of an edge, and those that ``more`` behind it show."""
    places = np.arange(length + more)
    period = max(1, 2 * (length - 1))
    return np.minimum(places % period, period - places % period)
