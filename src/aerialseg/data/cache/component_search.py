"""Fills the bank of components of rare classes, once, from the training images alone."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.data.cache.component_bank import ComponentBank, Cutout, InMemory
from aerialseg.data.cache.store import (
    CacheError,
    Entry,
    EntryWriter,
    entry_folder,
    find_entry,
    go_without,
    write_entry,
)
from aerialseg.data.dataset import SemSegDataset
from aerialseg.data.images.components import Component, whole_components
from aerialseg.data.images.crops import Crops
from aerialseg.data.images.resizing import resize_to
from aerialseg.data.images.windows import Box, Window
from aerialseg.durations import counted
from aerialseg.storage.fingerprints import stamp

logger = logging.getLogger(__name__)

_METHOD = 1  # goes into the key; a new number searches anew
_IMAGES = 400  # most that are searched for a class
_OF_IMAGE = 4  # most components of a class that are kept of an image
_OF_CLASS = 256  # most components of a class that are kept
_BYTES = 128 * 10**6  # most that a bank takes; each class has an equal part of it
_SEED = 0  # the same for every run, so that all share one bank


@dataclass(frozen=True)
class _Found:
    """A component of a sample; its shape takes one bit a pixel, its order is random."""

    sample: int
    class_id: int
    box: Box
    packed: npt.NDArray[np.uint8]
    order: float

    @property
    def shape(self) -> npt.NDArray[np.uint8]:
        """``(h, w)`` uint8 of 0 and 1."""
        return np.unpackbits(self.packed, count=self.pixels).reshape(self.box.size)

    @property
    def pixels(self) -> int:
        """Of its box."""
        return self.box.height * self.box.width


@dataclass(frozen=True)
class ComponentSearch:
    """Looks for components of wanted classes in training samples.

    Args:
        images: The samples, not augmented: at the size in which training shows them or, for crops,
            as they are stored.
        wanted: ``(len(images), num_classes)`` bool: which classes are looked for in which sample.
        sets: ``(len(images),)``: the data set of each sample, by number.
        crops: Which crops training shows; None for whole images.
    """

    images: SemSegDataset
    wanted: npt.NDArray[np.bool_]
    sets: npt.NDArray[np.intp]
    crops: Crops | None

    def bank(self, cache_dir: Path) -> ComponentBank | None:
        """The bank, from the cache if it is there; None if there is no component.

        Args:
            cache_dir: The bank is kept in ``components`` below it.

        Raises:
            SampleError: If a sample cannot be read.
        """
        samples = [
            (each.id, stamp(each.image), stamp(each.mask), each.window and astuple(each.window))
            for each in self.images.samples
        ]
        made_with = self.images.files.made_with(lambda reading: reading.identity)
        size = (self.images.image_min_size, self.crops and astuple(self.crops))
        made_from = (samples, self.wanted.tobytes(), made_with, *size)
        folder = entry_folder(cache_dir, "components", _METHOD, *made_from)
        kept: Entry | InMemory | None = find_entry(folder, again="objects are cut out")
        if kept is None and (found := self._chosen()):
            kept = self._kept(folder, found)
        return None if kept is None else ComponentBank(kept)

    def _kept(self, folder: Path, found: Sequence[_Found]) -> Entry | InMemory:
        """The entry of the bank, or its arrays in memory if it cannot be written."""

        def fill(writer: EntryWriter) -> None:
            for cutout in self._cutouts(found):
                for name, piece in cutout.arrays().items():
                    writer.append(name, piece)

        try:
            return write_entry(folder, fill)
        except CacheError as error:
            go_without(folder.parents[1], error)
        pieces = [cutout.arrays() for cutout in self._cutouts(found)]
        return InMemory({name: np.concatenate([p[name] for p in pieces]) for name in pieces[0]})

    def _chosen(self) -> list[_Found]:
        """What is kept, in the order of the samples: of each class within its bounds."""
        by_class: dict[tuple[int, int], list[_Found]] = {}
        for each in self._all():
            found = by_class.setdefault((int(self.sets[each.sample]), each.class_id), [])
            found.append(each)
            if len(found) == 2 * _OF_CLASS:  # so that memory is bounded too
                found[:] = _first(found)
        kept = []
        for found in by_class.values():
            room = _BYTES // len(by_class)
            for each in _first(found):
                size = each.pixels * (self.images.files.channels + 1)
                if size <= room:
                    kept.append(each)
                    room -= size
        return sorted(kept, key=lambda each: (each.sample, each.order))

    def _all(self) -> Iterator[_Found]:
        """The components of the samples that are searched, from their masks alone."""
        searched = self._searched()
        logger.info(
            "looking for objects of rare classes in %s, once", counted(len(searched), "image")
        )
        for index, class_ids in searched.items():
            mask = self.images.mask(index).numpy()
            size, _ = self._scale((mask.shape[0], mask.shape[1]))
            mask = resize_to(mask, size, is_mask=True)
            random = np.random.default_rng((_SEED, index))
            for each in whole_components(mask, class_ids, random, most=_OF_IMAGE):
                if _is_own(each, self.images.samples[index].window, size):
                    packed = np.packbits(each.shape)
                    yield _Found(index, each.class_id, each.box, packed, random.random())

    def _searched(self) -> Mapping[int, list[int]]:
        """By sample, in their order: the classes that it is searched for."""
        searched: dict[int, list[int]] = {}
        for number in np.unique(self.sets):
            for class_id in range(self.wanted.shape[1]):
                holding = np.flatnonzero(self.wanted[:, class_id] & (self.sets == number))
                random = np.random.default_rng((_SEED, int(number), class_id))
                for index in random.permutation(holding)[:_IMAGES].tolist():
                    searched.setdefault(index, []).append(class_id)
        return dict(sorted(searched.items()))

    def _cutouts(self, found: Sequence[_Found]) -> Iterator[Cutout]:
        """The components with their pixels; each image is read once."""
        for index, of_image in groupby(found, key=lambda each: each.sample):
            image = self.images[index]["image"].permute(1, 2, 0).numpy()
            size, factor = self._scale((image.shape[0], image.shape[1]))
            image = resize_to(image, size, is_mask=False)
            for each in of_image:
                pixels = each.box.of(image) * each.shape[..., None]
                yield Cutout(pixels, each.shape, index, each.class_id, factor)

    def _scale(self, size: tuple[int, int]) -> tuple[tuple[int, int], float]:
        """At which size components of an image are kept, and their factor.

        For crops it is the largest that crops show, or that of the file if this is smaller.
        """
        if self.crops is None:
            return size, 1.0
        largest = self.crops.zooms(size)[1]
        zoom = min(1.0, largest)
        kept = (max(1, round(size[0] * zoom)), max(1, round(size[1] * zoom)))
        return kept, largest * self.crops.scale[0] / zoom


def _first(found: Sequence[_Found]) -> list[_Found]:
    return sorted(found, key=lambda each: each.order)[:_OF_CLASS]


def _is_own(component: Component, window: Window | None, size: tuple[int, int]) -> bool:
    """Whether the middle of a component is in the window's share, so that none is there twice."""
    if window is None:
        return True
    box = component.box
    middle = box.top + box.height // 2, box.left + box.width // 2
    return bool(window.share_of(np.zeros(size, dtype=np.uint8))[middle] == 0)
