"""Run-length text of a mask, one for each class."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from aerialseg.rle import encode
from benchmarks.command import run
from benchmarks.images import arrays, with_every_class
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare

Mask = npt.NDArray[np.uint8]
NUM_CLASSES = 12
BUSY_RUNS = 33_000

_REASON = "formatting the numbers takes nearly all of our time"


def rows(setting: Setting) -> Iterator[Row]:
    """Run lengths of the 12 classes of one mask, and of one with about 33,000 runs."""
    (_, drawn), *_ = arrays(setting, 1)
    mask = with_every_class(drawn, NUM_CLASSES)
    for name, given, goal in (("", mask, 8), (", busy mask", _speckled(mask), 3.5)):
        ours = partial(encode, given, NUM_CLASSES)
        check(plain(given) == ours(), "run lengths")
        seconds = compare(partial(plain, given), ours, setting, seconds=3)
        yield Row(f"run lengths of 12 classes{name}", *seconds, goal=goal, reason=_REASON)


def plain(mask: Mask) -> list[str]:
    """Run lengths computed class by class from binary masks."""
    return [_runs(mask == index) for index in range(NUM_CLASSES)]


def _runs(binary: npt.NDArray[np.bool_]) -> str:
    padded = np.concatenate([[0], binary.flatten().astype(np.uint8), [0]])
    changes = np.where(padded[1:] != padded[:-1])[0] + 1
    changes[1::2] -= changes[::2]
    return " ".join(str(number) for number in changes)


def _speckled(mask: Mask) -> Mask:
    """The mask with single pixels of other classes added, to get ``BUSY_RUNS`` runs."""
    rng = np.random.default_rng(0)
    missing = BUSY_RUNS * mask.size // (720 * 1280) - int(np.count_nonzero(np.diff(mask.ravel())))
    pixels = rng.choice(mask.size, max(0, missing // 2), replace=False)  # splits a run in three
    speckled = mask.copy().ravel()
    speckled[pixels] = (speckled[pixels] + rng.integers(1, NUM_CLASSES, pixels.size)) % NUM_CLASSES
    return speckled.reshape(mask.shape)


if __name__ == "__main__":
    run(rows)
