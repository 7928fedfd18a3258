"""Class weights, made of the pixels per class."""

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

ClassWeights: TypeAlias = Literal["none", "inverse_frequency", "median_frequency", "enet"]


def class_weights(counts: npt.NDArray[np.int64], formula: ClassWeights) -> npt.NDArray[np.float32]:
    """Weights that let rare classes count in the loss.

    With ``n_c`` the pixels of class ``c``, ``p_c`` their share of all pixels and ``C`` the number
    of classes:

    - ``none``: 1.
    - ``inverse_frequency``: ``sum(n) / (C * n_c)``; a rare class can pass 100.
    - ``median_frequency``: ``median(f) / f_c`` with ``f_c`` the share of ``c`` in the images it
      occurs in (Eigen and Fergus, "Predicting Depth, Surface Normals and Semantic Labels with a
      Common Multi-Scale Convolutional Architecture", ICCV 2015).
    - ``enet``: ``1 / ln(1.02 + p_c)``, between 1.4 and 50.5 (Paszke et al., "ENet: A Deep Neural
      Network Architecture for Real-Time Semantic Segmentation", arXiv:1606.02147).

    Args:
        counts: ``(N, num_classes)`` pixels of each class in each training mask.
        formula: Which of the above.

    Returns:
        ``(num_classes,)`` float32. A class that never occurs weighs 1: no pixel of it can be
        missed, and a weight without bound would let each false alarm outweigh all else.
    """
    pixels = counts.sum(axis=0).astype(np.float64)
    seen = pixels > 0
    weights = np.ones(len(pixels))
    if formula == "inverse_frequency":
        weights[seen] = pixels.sum() / (len(pixels) * pixels[seen])
    elif formula == "median_frequency":
        where_present = ((counts > 0) * counts.sum(axis=1, keepdims=True)).sum(axis=0)
        frequency = pixels[seen] / where_present[seen]
        weights[seen] = np.median(frequency) / frequency if seen.any() else 1
    elif formula == "enet":
        weights[seen] = 1 / np.log(1.02 + pixels[seen] / pixels.sum())
    return weights.astype(np.float32)
