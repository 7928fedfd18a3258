"""Tiles as a network knows images: of the size and at the scale of its training."""

from dataclasses import dataclass
from statistics import median

from aerialseg.inference.tiles.layout import BLOCK, TileLayout, tile_layout
from aerialseg.storage.checkpoints import Description

_USUAL = 512
"""Pixels of a tile's edge where a checkpoint does not say how large its images were."""

_ENDLESS = 10**6


@dataclass(frozen=True)
class Tiling:
    """How large images are cut.

    Attributes:
        tile_size: Edge of a tile in pixels of the image.
        overlap: Share of a tile's edge that its neighbour has too, 0 to 0.5.
        scale: Pixels of the network's input for a pixel of the image.
    """

    tile_size: int
    overlap: float
    scale: float

    def __str__(self) -> str:
        layout = self.layout((_ENDLESS, _ENDLESS))
        scale = BLOCK / layout.block
        return f"in tiles of {layout.tile_pixels[0]} pixels, shown at {scale:.3g} times their size"

    def layout(self, size: tuple[int, int]) -> TileLayout:
        """The tiles of an image of this height and width."""
        return tile_layout(size, tile_size=self.tile_size, overlap=self.overlap, scale=self.scale)


def tiling_as_trained(
    description: Description,
    *,
    tile_size: int | None = None,
    overlap: float = 0.25,
    image_min_size: int | None = None,
) -> Tiling:
    """Tiles as large as the images of training, resized by as much as those were.

    Args:
        description: Of the checkpoint.
        tile_size: Another edge of tiles in pixels of the image. Things are shown to the network as
            large as before, and it sees more or less of what is around them.
        overlap: Share of a tile's edge that its neighbour has too, 0 to 0.5.
        image_min_size: What an edge of a tile is resized to, in pixels, instead of that: then
            things are shown larger or smaller than in training.
    """
    trained, resized = _edge_of_training(description), description.image_min_size
    edge = tile_size or trained
    scale = 1.0 if resized is None else resized / trained
    return Tiling(edge, overlap, scale if image_min_size is None else image_min_size / edge)


def _edge_of_training(description: Description) -> int:
    """The smaller edge of training images, or of their windows, before they were resized."""
    if description.window is not None:
        return min(description.window)
    if description.original_min_sizes:
        return round(median(description.original_min_sizes))
    return description.original_min_size or description.image_min_size or _USUAL
