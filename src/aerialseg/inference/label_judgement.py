"""What networks say about the labels of an image, pixel by pixel."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.images.windows import grid
from aerialseg.data.labels.disagreements import Judgement
from aerialseg.inference.predictor import Predictor
from aerialseg.kernels.upsampling import RowBlocks


def judge_labels(
    predictors: Sequence[Predictor],
    image: npt.NDArray[np.uint8],
    mask: npt.NDArray[np.uint8],
    *,
    window: tuple[int, int] | None = None,
) -> Judgement:
    """The probability of each label, and the prediction, by the mean of several networks.

    Probabilities of all classes exist for a few rows of the image at a time.

    Args:
        predictors: Networks of the same classes, one or more.
        image: ``(H, W, B)`` uint8, as the predictors take it.
        mask: ``(H, W)`` uint8 class ids; 255 is not judged.
        window: Height and width of the windows that a larger image is predicted in; None for whole.

    Raises:
        AerialsegError: If it does not fit into memory.
    """
    height, width = mask.shape
    if window is None or (height <= window[0] and width <= window[1]):
        return _judged(predictors, image, mask)
    whole = Judgement(
        mask,
        np.empty((height, width), dtype=np.uint8),
        np.empty((height, width), dtype=np.float32),
        np.empty((height, width), dtype=np.float32),
    )
    for part in grid((height, width), window):
        rows, columns = part.share.top, part.share.left
        there = np.s_[rows : rows + part.share.height, columns : columns + part.share.width]
        top, left = rows - part.box.top, columns - part.box.left
        here = np.s_[top : top + part.share.height, left : left + part.share.width]
        found = _judged(predictors, part.box.of(image), part.box.of(mask))
        whole.predicted[there] = found.predicted[here]
        whole.given[there] = found.given[here]
        whole.confidence[there] = found.confidence[here]
    return whole


@torch.inference_mode()
def _judged(
    predictors: Sequence[Predictor], image: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8]
) -> Judgement:
    """The judgement of an image, or a window, that is predicted at once."""
    size = (mask.shape[0], mask.shape[1])
    device = predictors[0].device
    labels = torch.from_numpy(np.ascontiguousarray(mask)).to(device)
    logits = [predictor.logits(image) for predictor in predictors]
    predicted = torch.empty(size, dtype=torch.uint8)
    given, confidence = torch.empty(size), torch.empty(size)
    for blocks in zip(*(RowBlocks(each, size) for each in logits), strict=True):
        rows = blocks[0][1]
        probabilities = torch.stack([block.softmax(0) for _, _, block in blocks]).mean(0)
        largest, ids = probabilities.max(0)
        ignored = labels[rows] == IGNORE_INDEX
        index = labels[rows].masked_fill(ignored, 0).long()
        of_label = probabilities.gather(0, index[None])[0].masked_fill(ignored, 1.0)
        predicted[rows], confidence[rows] = ids.to("cpu", torch.uint8), largest.cpu()
        given[rows] = of_label.cpu()
    return Judgement(mask, predicted.numpy(), given.numpy(), confidence.numpy())
