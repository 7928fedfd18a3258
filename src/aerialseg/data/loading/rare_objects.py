"""Which objects are pasted into training samples, and how likely each of them is."""

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aerialseg.classes import ClassTable
from aerialseg.data.cache.component_bank import ComponentBank
from aerialseg.data.cache.component_search import ComponentSearch
from aerialseg.data.dataset import SemSegDataset
from aerialseg.data.images.crops import Crops
from aerialseg.data.loading.pasting import Pasting
from aerialseg.data.loading.rare_classes import RareSettings, are_rare, class_probabilities
from aerialseg.data.notices import say_once
from aerialseg.durations import counted
from aerialseg.errors import ConfigError

logger = logging.getLogger(__name__)


def rare_objects(
    images: SemSegDataset,
    counts: npt.NDArray[np.number],
    settings: RareSettings,
    crops: Crops | None,
    cache_dir: Path,
) -> Pasting:
    """What is pasted: components of classes with fewer pixels than the mean class of their set.

    Args:
        images: The training samples as :class:`ComponentSearch` wants them.
        counts: ``(len(images), num_classes)`` pixels of each class in each.
        settings: The share of the samples that something is pasted into, and the temperature with
            which a class is drawn as :class:`RareClasses` draws it, but among those of the bank.
        crops: Which crops training shows.
        cache_dir: As of :meth:`ComponentSearch.bank`.

    Raises:
        ConfigError: If there is nothing to paste.
    """
    names = list(dict.fromkeys(sample.data_set for sample in images.samples))
    sets = np.array([names.index(s.data_set) for s in images.samples], dtype=np.intp)
    pixels = [counts[sets == number].sum(axis=0) for number in range(len(names))]
    rare = np.array([are_rare(each) for each in pixels])
    search = ComponentSearch(images, (counts > 0) & rare[sets], sets, crops)
    bank = search.bank(cache_dir)
    if bank is None:
        raise ConfigError(_nothing(images.classes, np.any(rare, axis=0)))
    _say(bank, images.classes)
    probabilities = {}
    for number, name in enumerate(names):
        own = sets[bank.samples] == number
        of_class = np.bincount(bank.class_ids[own], minlength=len(images.classes))
        drawn = class_probabilities(pixels[number], settings.temperature, among=of_class > 0)
        if drawn.any():
            each = drawn / np.maximum(1, of_class)
            probabilities[name] = np.where(own, each[bank.class_ids], 0.0)
    return Pasting(bank, probabilities, share=settings.pasted)


def _nothing(classes: ClassTable, rare: npt.NDArray[np.bool_]) -> str:
    """Says why nothing can be pasted."""
    names = [name for name, is_rare in zip(classes.names, rare, strict=True) if is_rare]
    if not names:
        reason = "all classes of the training images have equally many pixels, so none is rare"
    else:
        reason = (
            f"no object of a rare class ({', '.join(names)}) can be cut out of the training "
            "images: all touch a border or a pixel without a label, or have fewer than 16 pixels "
            "or more than a fifth of the image"
        )
    return f"data.paste_rare: {reason}; set data.paste_rare=0"


def _say(bank: ComponentBank, classes: ClassTable) -> None:
    """Logs what may be pasted."""
    numbers = np.bincount(bank.class_ids, minlength=len(classes)).tolist()
    named = zip(classes.names, numbers, strict=True)
    held = ", ".join(f"{name} {number}" for name, number in named if number)
    line = f"data.paste_rare: {counted(len(bank), 'object')} of training images to paste: {held}"
    say_once(logger, logging.INFO, f"{line} ({bank.bytes / 1e6:.1f} MB)")
