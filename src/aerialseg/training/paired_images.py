"""What two networks make of the same images: confusion matrices, and what is shown of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track
from torch import Tensor

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.data.images.windows import Box
from aerialseg.data.layouts.listing import Sample
from aerialseg.data.sources.cutting import image_id
from aerialseg.metrics.boundary import band_only, band_width
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import macro_dice
from aerialseg.report.comparison import ImageDifference
from aerialseg.report.pages.gallery import shown_size
from aerialseg.report.sheet_rows import image_array
from aerialseg.training.scored_dataset import ScoredDataset
from aerialseg.viz.band_colours import as_rgb
from aerialseg.viz.theme import RGBImage

MOST_SHOWN = 48
"""Images that are kept to be shown: those on which the two differ most."""

_Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ShownImage:
    """What is shown of an image, all of one size.

    Attributes:
        photo: ``(h, w, 3)`` uint8 RGB.
        truth: ``(h, w)`` uint8 class ids, 255 where nothing is labelled.
        predictions: Likewise, of a and of b.
    """

    photo: RGBImage
    truth: _Bytes
    predictions: tuple[_Bytes, _Bytes]


@dataclass(frozen=True, eq=False)
class PairedImage:
    """An image by both networks.

    Attributes:
        sample: The image, in the data of a.
        whole: ``(2, C, C)`` int64, of a and of b, of all labelled pixels.
        near_borders: Likewise, of those near a border between classes.
        difference: How the two differ.
        shown: What is shown of it; ``None`` if others differ more.
    """

    sample: Sample
    whole: Tensor
    near_borders: Tensor
    difference: ImageDifference
    shown: ShownImage | None


def paired_images(
    a: ScoredDataset, b: ScoredDataset, *, title: str
) -> tuple[list[PairedImage], list[str]]:
    """Predicts each image once by each network.

    Args:
        a: A network and the images.
        b: Another network and the same images, in the same order; with classes of the same names.
        title: Of the progress bar.

    Returns:
        The images, and the ids of those that are left out because their labels in the data of b
        are others.
    """
    classes, other = a.data.classes, _to_ids_of(a.data.classes, b.data.classes)
    found: list[PairedImage] = []
    left_out: list[str] = []
    pairs = list(zip(_by_image(a), _by_image(b), strict=True))
    for rows in track(pairs, description=title):
        (image, truth, mine), (_, labels, theirs) = (
            _predicted(side, each) for side, each in zip((a, b), rows, strict=True)
        )
        sample = a.served[rows[0][0]]
        if not np.array_equal(truth, other[labels]):
            left_out.append(image_id(sample))
            continue
        predictions = (mine, other[theirs])
        found.append(_pair(sample, image, truth, predictions, len(classes)))
        _forget_all_but_the_most_different(found)
    return found, left_out


def _pair(
    sample: Sample, image: RGBImage, truth: _Bytes, predictions: tuple[_Bytes, _Bytes], classes: int
) -> PairedImage:
    """Counts what two predictions of an image are."""
    target = torch.from_numpy(truth)
    near = torch.from_numpy(band_only(truth, band_width((truth.shape[0], truth.shape[1]))))
    tensors = [torch.from_numpy(each) for each in predictions]
    whole = torch.stack([confusion_matrix(each, target, classes) for each in tensors])
    labelled = max(1, int((truth != IGNORE_INDEX).sum()))
    only = [
        int(((mine == truth) & (other != truth) & (truth != IGNORE_INDEX)).sum()) / labelled
        for mine, other in (predictions, predictions[::-1])
    ]
    dice = [float(macro_dice(each)) for each in whole]
    return PairedImage(
        sample=sample,
        whole=whole,
        near_borders=torch.stack([confusion_matrix(each, near, classes) for each in tensors]),
        difference=ImageDifference(image_id(sample), (dice[0], dice[1]), (only[0], only[1])),
        shown=_shown(image, truth, predictions),
    )


def _shown(image: RGBImage, truth: _Bytes, predictions: tuple[_Bytes, _Bytes]) -> ShownImage:
    """The same, small enough to be kept."""
    height, width = shown_size((truth.shape[0], truth.shape[1]), MOST_SHOWN)
    photo = cv2.resize(as_rgb(image), (width, height), interpolation=cv2.INTER_AREA)
    masks = [
        np.asarray(
            cv2.resize(each, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), dtype=np.uint8
        )
        for each in (truth, *predictions)
    ]
    return ShownImage(np.asarray(photo, dtype=np.uint8), masks[0], (masks[1], masks[2]))


def _forget_all_but_the_most_different(found: list[PairedImage]) -> None:
    """Forgets what is shown of one image, once more are kept than will be shown."""
    kept = [row for row, image in enumerate(found) if image.shown is not None]
    if len(kept) > MOST_SHOWN:
        least = min(kept, key=lambda row: found[row].difference.apart)
        found[least] = replace(found[least], shown=None)


def _by_image(scored: ScoredDataset) -> Iterator[Sequence[int]]:
    """For each image the rows of the data set that it is served in."""
    rows: dict[str, list[int]] = {}
    for row, sample in enumerate(scored.served):
        rows.setdefault(image_id(sample), []).append(row)
    yield from rows.values()


def _predicted(scored: ScoredDataset, rows: Sequence[int]) -> tuple[_Bytes, _Bytes, _Bytes]:
    """A whole image, its truth and its prediction, put together from its windows if it has any."""
    parts = []
    for row in rows:
        sample = scored.dataset[row]
        image = image_array(sample)
        parts.append((image, sample["mask"].numpy(), scored.predictor.predict(image)))
    if len(rows) == 1 and scored.served[rows[0]].window is None:
        return parts[0]
    windows = [window for row in rows if (window := scored.served[row].window) is not None]
    height = max(window.share.top + window.share.height for window in windows)
    width = max(window.share.left + window.share.width for window in windows)
    image, truth, prediction = (
        np.zeros((height, width, *part.shape[2:]), dtype=np.uint8) for part in parts[0]
    )
    for window, part in zip(windows, parts, strict=True):
        box, share = window.box, window.share
        inside = Box(share.top - box.top, share.left - box.left, *share.size)
        for whole, piece in zip((image, truth, prediction), part, strict=True):
            share.of(whole)[:] = inside.of(piece)
    return image, truth, prediction


def _to_ids_of(classes: ClassTable, others: ClassTable) -> _Bytes:
    """``(256,)`` uint8: for each id of one table that of another with the same names."""
    ids = np.full(256, IGNORE_INDEX, dtype=np.uint8)
    for index, name in enumerate(others.names):
        ids[index] = classes.names.index(name)
    return ids
