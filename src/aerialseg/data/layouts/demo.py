"""The layout of the generated scenes."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from aerialseg.data.layouts.kaggle import kaggle
from aerialseg.data.layouts.listing import (
    Listing,
)


def demo(
    root: Path,
    cache_dir: Path,
    *,
    count: Annotated[int, Ge(1)],
    test_count: Annotated[int, Ge(0)],
    size: tuple[int, int],
    seed: Annotated[int, Ge(0)],
) -> Listing:
    """Generated aerial scenes, drawn when first asked for, in the ``kaggle`` layout.

    Args:
        root: Where the scenes are, or will be.
        cache_dir: Unused; scenes need no unpacking.
        count: Scenes with masks.
        test_count: Scenes without masks.
        size: Height and width in pixels.
        seed: Decides the scenes; not the training's seed, which may vary over the same scenes.

    Raises:
        DataError: If ``root`` holds something else.
    """
    # Drawing is never needed by those who bring images.
    from aerialseg.scenes import write_scenes

    height, width = size
    write_scenes(root, count=count, test_count=test_count, size=(height, width), seed=seed)
    return kaggle(root, cache_dir)
