"""The layout of the generated scenes."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from aerialseg.data.layouts.kaggle import kaggle
from aerialseg.data.layouts.listing import Listing
from aerialseg.seeds import Seed


def demo(
    root: Path,
    cache_dir: Path,
    *,
    count: Annotated[int, Ge(1)],
    test_count: Annotated[int, Ge(0)],
    size: tuple[int, int],
    seed: Seed,
) -> Listing:
    """Generated aerial scenes, drawn on first use, in the ``kaggle`` layout.

    Args:
        root: The folder of the scenes, created if it does not exist.
        cache_dir: Unused; scenes need no unpacking.
        count: Number of scenes with masks.
        test_count: Number of scenes without masks.
        size: Height and width in pixels.
        seed: Seed of the scenes, independent of the training seed.

    Raises:
        DataError: If ``root`` contains something else.
    """
    # Imported here because other layouts do not need it.
    from aerialseg.scenes import write_scenes

    height, width = size
    write_scenes(root, count=count, test_count=test_count, size=(height, width), seed=seed)
    return kaggle(root, cache_dir)
