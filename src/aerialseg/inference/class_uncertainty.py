"""How unsure a network is about an image, class by class."""

import cv2
import numpy as np
import numpy.typing as npt
import torch


@torch.inference_mode()
def class_uncertainty(
    logits: torch.Tensor, missing: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.float64]:
    """The mean of ``p (1 - p)`` over the pixels, for the probability ``p`` of each class.

    Args:
        logits: ``(1, C, h, w)`` float, at any size.
        missing: ``(H, W)`` bool: pixels of the image without data, which do not count.

    Returns:
        ``(C,)`` float64, each 0 where the network is sure, to 0.25. Their sum is the probability
        that two draws from the network's distribution differ. Zeros if no pixel holds data.
    """
    probabilities = logits.float().softmax(1)[0]
    doubts = (probabilities * (1 - probabilities)).double().cpu().numpy()
    if missing is None:
        return np.asarray(doubts.mean(axis=(1, 2)))
    height, width = doubts.shape[1:]
    known = cv2.resize(
        (~missing).astype(np.float32), (width, height), interpolation=cv2.INTER_AREA
    ).astype(np.float64)
    return np.asarray((doubts * known).sum(axis=(1, 2)) / max(known.sum(), np.finfo(float).tiny))
