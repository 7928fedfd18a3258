"""Where the tiles of a large image lie.

All is counted in *blocks*: squares of an image's pixels that become 32 by 32 pixels of the
network's input. Networks shrink their input by 32 at most, so a block is a whole number of cells of
the network's output, and the outputs of all tiles lie on one grid: they are blended cell by cell,
before anything is upsampled.
"""

from dataclasses import dataclass, replace

BLOCK = 32
"""Edge of a block in pixels of the network's input."""

_LEAST = 4
"""Blocks of a tile's edge: with fewer, a tile would be nearly all border."""


@dataclass(frozen=True)
class StripPlan:
    """Rows of an image that are final once a row of tiles has been predicted.

    Attributes:
        row: The number of that row of tiles.
        first: The first row of pixels.
        end: The one after the last.
    """

    row: int
    first: int
    end: int


@dataclass(frozen=True)
class TileLayout:
    """The tiles of an image.

    Attributes:
        size: Height and width of the image in pixels.
        block: Edge of a block in pixels of the image.
        tile: Height and width of a tile in blocks.
        overlap: Blocks that neighbouring tiles share, by rows and columns; more at the end of an
            edge, where a tile is moved back to fit.
        is_shifted: Whether tiles lie between those of the layout that is not.
    """

    size: tuple[int, int]
    block: int
    tile: tuple[int, int]
    overlap: tuple[int, int]
    is_shifted: bool = False

    @property
    def shifted(self) -> "TileLayout":
        """The same with all tiles but the first and the last of an edge moved by half a step."""
        return replace(self, is_shifted=True)

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of blocks that cover the image."""
        height, width = self.size
        return -(-height // self.block), -(-width // self.block)

    @property
    def tops(self) -> tuple[int, ...]:
        """The first row of blocks of each row of tiles."""
        return self._starts(0)

    @property
    def lefts(self) -> tuple[int, ...]:
        """The first column of blocks of each column of tiles."""
        return self._starts(1)

    @property
    def tile_pixels(self) -> tuple[int, int]:
        """Height and width of a tile in pixels of the image, over whose end the last may reach."""
        return self.tile[0] * self.block, self.tile[1] * self.block

    @property
    def strips(self) -> tuple[StripPlan, ...]:
        """Which rows are final after which row of tiles.

        A block is held back, because upsampling looks beyond the rows that it gives.
        """
        tops, plans, first = self.tops, [], 0
        for row in range(len(tops)):
            is_last = row == len(tops) - 1
            end = self.size[0] if is_last else (tops[row + 1] - 1) * self.block
            if end > first:
                plans.append(StripPlan(row, first, end))
                first = end
        return tuple(plans)

    def first_row_for(self, plan: StripPlan) -> int:
        """The first row of tiles that reaches a strip or the block above it."""
        block = max(0, plan.first // self.block - 1)
        return next(row for row, top in enumerate(self.tops) if top + self.tile[0] > block)

    def pixel_rows(self, row: int) -> tuple[int, int]:
        """From which row of pixels to which a row of tiles and its strip reach."""
        top = self.tops[row]
        end = (top + self.tile[0]) * self.block
        return max(0, top - 1) * self.block, min(end, self.size[0])

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of a tile as the network gets it, in pixels."""
        return self.tile[0] * BLOCK, self.tile[1] * BLOCK

    def _starts(self, axis: int) -> tuple[int, ...]:
        """Where tiles begin along an edge: evenly, and the last one moved back to end with it."""
        last, step = self.blocks[axis] - self.tile[axis], self.tile[axis] - self.overlap[axis]
        first = -(step // 2) if self.is_shifted else 0
        count = 1 + -(-(last - first) // step)
        return tuple(sorted({min(max(0, first + number * step), last) for number in range(count)}))


def tile_layout(
    size: tuple[int, int], *, tile_size: int, overlap: float, scale: float
) -> TileLayout:
    """The layout of tiles of about a size.

    Args:
        size: Height and width of the image in pixels.
        tile_size: Edge of a tile in pixels of the image; rounded to blocks, of which there are 4
            at least. An edge of the image that is shorter takes one tile.
        overlap: Share of a tile's edge that its neighbour has too, 0 to 0.5; rounded to blocks, of
            which a positive share is at least one.
        scale: Pixels of the network's input for a pixel of the image. Blocks have a whole number of
            pixels, so it is met to 2 % where it is below 1, and to 4 % below 2.
    """
    block = max(1, round(BLOCK / scale))
    usual = max(_LEAST, round(tile_size / block))
    rows, columns = (min(usual, -(-edge // block)) for edge in size)
    shared = max(1, round(overlap * usual)) if overlap > 0 else 0
    return TileLayout(
        size, block, (rows, columns), (min(shared, rows - 1), min(shared, columns - 1))
    )
