"""How often each of several data sets is shown in training: their shares of an epoch."""

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from aerialseg.data.loading.sampling import EpochSampler, Key
from aerialseg.errors import ConfigError, did_you_mean

_KEY = "data.weights"


def check_weights(
    weights: Mapping[str, float], names: Sequence[str], known: Collection[str]
) -> None:
    """Checks that each data set has one weight.

    Args:
        weights: By name of the data set.
        names: The data sets that are used.
        known: All that there are; the others may have a weight too.

    Raises:
        ConfigError: If a name is unknown or missing, or a weight is not a finite number above 0.
    """
    problems = [
        f"{_KEY}: there is no data set '{name}'{did_you_mean(name, known)}"
        for name in weights
        if name not in known
    ]
    if missing := [name for name in names if name not in weights]:
        problems.append(f"{_KEY}: has no weight for {', '.join(missing)}; wanted one per data set")
    problems += [
        f"{_KEY}: {name} has {number}; wanted a finite number of more than 0, or leave the data "
        "set out of data.sets"
        for name, number in weights.items()
        if not (math.isfinite(number) and number > 0)
    ]
    if problems:
        raise ConfigError(*problems)


def shown_in_epoch(sizes: Mapping[str, int], weights: Mapping[str, float]) -> dict[str, int]:
    """How many samples of each data set an epoch shows; in all as many as there are.

    Args:
        sizes: The training samples of each data set: images, or windows of them.
        weights: The share of each data set; only their proportions count.

    Returns:
        Whole numbers nearest to the shares, by the method of largest remainders.

    Raises:
        ConfigError: If a data set would get none.
    """
    largest = max(weights[name] for name in sizes)
    scaled = {name: weights[name] / largest for name in sizes}  # no sum is infinite
    length, total = sum(sizes.values()), math.fsum(scaled.values())
    shares = {name: length * scaled[name] / total for name in sizes}
    shown = {name: math.floor(share) for name, share in shares.items()}
    by_remainder = sorted(sizes, key=lambda name: shown[name] - shares[name])
    for name in by_remainder[: length - sum(shown.values())]:
        shown[name] += 1
    if none := [name for name, number in shown.items() if not number]:
        raise ConfigError(
            f"{_KEY}: gives {', '.join(none)} none of {length} samples of an epoch; give a larger "
            "weight, or leave the data set out of data.sets"
        )
    return shown


class WeightedSampler(EpochSampler):
    """Yields ``(pass, index)``: each epoch a fixed number of samples of each data set, mixed.

    A data set is gone through in passes, each of which shows all of its samples once, in an order
    of its own. An epoch goes on where the one before stopped, so at any time no sample of a data
    set was shown more than once more than another. The pass takes the place of the epoch in the
    key, where it seeds the augmentation: a sample that an epoch shows twice is augmented in two
    ways. Everything follows from seed and epoch, so a resumed run sees what an uninterrupted one
    does.

    Args:
        sets: The data set of each sample, by number from 0; none without a sample.
        shown: The samples of each data set in an epoch.
        seed: Seed of the orders, 0 or more.
    """

    def __init__(self, sets: npt.NDArray[np.intp], shown: Sequence[int], *, seed: int) -> None:
        super().__init__(sum(shown), seed=seed, shuffle=True)
        self._members = [np.flatnonzero(sets == number) for number in range(len(shown))]
        self._shown = shown

    def _keys(self) -> list[Key]:
        """The keys of the epoch, in an order of its own."""
        keys = [key for number in range(len(self._shown)) for key in self._of_set(number)]
        order = np.random.default_rng((self.seed, self.epoch)).permutation(len(keys))
        return [keys[place] for place in order.tolist()]

    def _of_set(self, number: int) -> list[Key]:
        """The keys of one data set in the epoch."""
        members, shown = self._members[number], self._shown[number]
        first, end = self.epoch * shown, (self.epoch + 1) * shown
        keys: list[Key] = []
        for turn in range(first // len(members), -(-end // len(members))):
            # The 1 keeps it apart from the generators of epochs and of augmentations.
            order = np.random.default_rng((self.seed, turn, number, 1)).permutation(members)
            start = turn * len(members)
            part = order[max(first - start, 0) : end - start]
            keys += [(turn, index) for index in part.tolist()]
        return keys
