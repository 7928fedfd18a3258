"""What loaders find already read: masks in memory, and windows of images on disk."""

from functools import cached_property
from pathlib import Path

from aerialseg.data.cache.mask_memory import MaskMemory
from aerialseg.data.cache.window_store import WindowStore
from aerialseg.data.dataset import SemSegDataset
from aerialseg.data.layouts.listing import Split
from aerialseg.data.sources.contents import Contents


class KeptPixels:
    """Masks and windows of all splits, made when a loader first asks for them.

    Args:
        images: All that is served, without augmentation.
        contents: Knows which of it is of which split.
        cache_dir: Where masks and windows are kept.
        mask_memory_mb: Most megabytes of masks; 0 for none.
        window: Height and width of a window; None if there are none.
        window_cache_gb: Most gigabytes of windows; 0 for none.
    """

    def __init__(
        self,
        images: SemSegDataset,
        contents: Contents,
        cache_dir: Path,
        mask_memory_mb: int,
        window: tuple[int, int] | None,
        window_cache_gb: float,
    ) -> None:
        self._images = images
        self._contents = contents
        self._cache_dir = cache_dir
        self._megabytes = mask_memory_mb
        self._window = window
        self._gigabytes = window_cache_gb

    def masks_of(self, split: Split) -> MaskMemory | None:
        """The masks of a split in memory; None if none are kept."""
        if split == "test" or not self._megabytes:
            return None
        return self._masks.select(self._contents.served_rows(split))

    @cached_property
    def windows(self) -> WindowStore | None:
        """The pixels of the windows of all splits; None if there are none, or none are kept."""
        is_reduced = any(sample.window for sample in self._contents.samples)
        if self._window is None or not self._gigabytes or is_reduced:
            return None
        return self._images.keep_windows(self._window, self._gigabytes, self._cache_dir)

    @cached_property
    def _masks(self) -> MaskMemory:
        """The masks of all splits; filled when the first loader is made, before its workers."""
        lacking = self._contents.lacking_data()
        return self._images.keep_masks(self._megabytes, self._cache_dir, lacking=lacking)
