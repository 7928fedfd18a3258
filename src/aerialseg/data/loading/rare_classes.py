"""Rare classes drawn more often: a class first, then a sample that holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
import numpy.typing as npt
from annotated_types import Gt

from aerialseg.data.loading.sampling import EpochSampler, Key, SampleKey

Temperature: TypeAlias = Annotated[float, Gt(0)]
"""How little rare classes are preferred."""

DEFAULT_TEMPERATURE = 0.01
"""That of the paper."""


@dataclass(frozen=True, slots=True)
class RareSettings:
    """What training does for rare classes; as the arguments of the data module.

    Args:
        share: ``rare_classes``: of the samples, those that are chosen by a class they hold.
        temperature: ``rare_class_temperature``.
        pasted: ``paste_rare``: of the samples, those that objects are pasted into.
    """

    share: float
    temperature: float
    pasted: float


class RareClasses:
    """Which samples take the places of others, as in "DAFormer" (Hoyer et al., CVPR 2022, eq. 5).

    A class is drawn with the probability ``softmax((1 - f) / T)``, where ``f`` is its share of all
    pixels and ``T`` the temperature, then one of the samples that hold it, each equally likely.
    Each data set has its own shares, and a sample is replaced by one of its own data set.

    Args:
        counts: ``(N, num_classes)`` pixels of each class in each sample.
        sets: ``(N,)`` the data set of each sample, by number from 0.
        share: Of the samples of an epoch, those that are replaced, 0 to 1.
        temperature: Above 0; a higher one prefers rare classes less.
    """

    def __init__(
        self,
        counts: npt.NDArray[np.number],
        sets: npt.NDArray[np.intp],
        *,
        share: float,
        temperature: float = DEFAULT_TEMPERATURE,
    ) -> None:
        self.share = share
        self._sets = sets
        self._holds = counts > 0
        self._of_sets = [
            class_probabilities(counts[sets == number].sum(axis=0), temperature)
            for number in range(int(sets.max()) + 1)
        ]

    @classmethod
    def of(
        cls, settings: RareSettings, counts: npt.NDArray[np.number], sets: npt.NDArray[np.intp]
    ) -> "RareClasses":
        """Those of the settings of a data module."""
        return cls(counts, sets, share=settings.share, temperature=settings.temperature)

    def drawn(self, seeds: Sequence[int], index: int) -> tuple[int, int | None]:
        """The sample in the place of one, and the class that it was drawn for; None for itself.

        Args:
            seeds: What is drawn depends on them and the index alone.
            index: Of the sample whose place it is.
        """
        # The 3 keeps it apart from the generators of orders, of the augmentation and of crops.
        random = np.random.default_rng((*seeds, index, 3))
        probabilities = self._of_sets[self._sets[index]]
        if random.random() >= self.share or not probabilities.any():
            return index, None
        class_id = int(random.choice(len(probabilities), p=probabilities))
        holding = np.flatnonzero(self._holds[:, class_id] & (self._sets == self._sets[index]))
        return int(random.choice(holding)), class_id

    def times(self, shown: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """How often an epoch is expected to show each sample.

        Args:
            shown: ``(N,)`` how often it would without rare classes.
        """
        times: npt.NDArray[np.float64] = np.zeros(len(self._sets))
        for number, probabilities in enumerate(self._of_sets):
            own = self._sets == number
            holds, places = self._holds[own], shown[own].sum()
            if not probabilities.any():
                times[own] = shown[own]
                continue
            of_each = holds @ (probabilities / np.maximum(1, holds.sum(axis=0)))
            times[own] = (1 - self.share) * shown[own] + self.share * places * of_each
        return np.asarray(times, dtype=np.float64)


class RareClassSampler(EpochSampler):
    """The order of another sampler, in which samples with rare classes take the places of some.

    Args:
        order: Gives the places.
        rare: Says which samples take them.
    """

    def __init__(self, order: EpochSampler, rare: RareClasses) -> None:
        super().__init__(len(order), seed=order.seed, shuffle=order.shuffle)
        self._order = order
        self._rare = rare

    def _keys(self) -> list[Key]:
        """The keys of the epoch, in the order of the other sampler."""
        self._order.set_epoch(self.epoch)
        keys: list[Key] = []
        for epoch, place, *_ in self._order:
            index, class_id = self._rare.drawn((self.seed, epoch), place)
            keys.append(SampleKey(epoch, index, place, class_id))
        return keys


def class_probabilities(
    pixels: npt.NDArray[np.number],
    temperature: float,
    *,
    among: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.float64]:
    """``(num_classes,)``: how likely each class is drawn; 0 for one that does not occur.

    Args:
        pixels: ``(num_classes,)`` of each class in a data set.
        temperature: As of :class:`RareClasses`.
        among: ``(num_classes,)`` bool: the classes that may be drawn; None for all.
    """
    may_be = pixels > 0 if among is None else (pixels > 0) & among
    if not may_be.any():
        return np.zeros(len(pixels))
    exponents = np.where(may_be, (1 - pixels / pixels.sum()) / temperature, -np.inf)
    weights = np.exp(exponents - exponents.max())
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def are_rare(pixels: npt.NDArray[np.number]) -> npt.NDArray[np.bool_]:
    """``(num_classes,)`` bool: which classes occur, with fewer pixels than the mean of those."""
    occurs = pixels > 0
    return np.asarray(occurs & (pixels * occurs.sum() < pixels.sum()), dtype=np.bool_)
