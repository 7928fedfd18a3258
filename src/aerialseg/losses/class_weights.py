"""Class weights, made of the pixels per class or given as numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from aerialseg.errors import ConfigError, did_you_mean

ClassWeights: TypeAlias = Literal[
    "none", "inverse_frequency", "median_frequency", "enet", "sqrt_enet"
]


def chosen_weights(
    counts: npt.NDArray[np.number],
    weights: ClassWeights | Sequence[float] | Mapping[str, float],
    names: Sequence[str],
) -> npt.NDArray[np.float32]:
    """The weight of each class: by a formula, or the numbers that were given.

    Args:
        counts: ``(N, num_classes)`` pixels of each class in each training mask, times how often an
            epoch shows it.
        weights: A formula of :func:`class_weights`, numbers in the order of the class ids, or
            numbers by class name.
        names: The classes in the order of their ids.

    Returns:
        ``(num_classes,)`` float32.

    Raises:
        ConfigError: If numbers are not one for each class and more than 0.
    """
    if isinstance(weights, str):
        return class_weights(counts, weights)
    given = weights if isinstance(weights, Mapping) else _by_name(weights, names)
    problems = [
        f"loss.class_weights: there is no class '{name}'{did_you_mean(name, names)}"
        for name in given
        if name not in names
    ]
    missing = [name for name in names if name not in given]
    if missing:
        text = "has no weight for"
        problems.append(f"loss.class_weights: {text} {', '.join(missing)}; wanted one per class")
    problems += [
        f"loss.class_weights: {name} has {number}; wanted a finite number of more than 0"
        for name, number in given.items()
        if not (math.isfinite(number) and number > 0)
    ]
    if problems:
        raise ConfigError(*problems)
    return np.array([given[name] for name in names], dtype=np.float32)


def _by_name(weights: Sequence[float], names: Sequence[str]) -> dict[str, float]:
    """Numbers in the order of the class ids, by name."""
    if len(weights) != len(names):
        raise ConfigError(
            f"loss.class_weights: has {len(weights)} numbers; wanted {len(names)}, one per class "
            f"in the order of the ids: {', '.join(names)}"
        )
    return dict(zip(names, weights, strict=True))


def class_weights(counts: npt.NDArray[np.number], formula: ClassWeights) -> npt.NDArray[np.float32]:
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
    - ``sqrt_enet``: the square root of ``enet``, between 1.2 and 7.1, so that classes differ less.
      It is ``(1 / ln(1.02 + p_c)) ** cls_pw`` with ``cls_pw`` 0.5 in the training code of CABiNet
      (``class_weights.py``, github.com/dronefreak/CABiNet), the formula of Ultralytics' semantic
      segmentation.

    Args:
        counts: ``(N, num_classes)`` pixels of each class in each training mask, times how often an
            epoch shows it.
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
    elif formula in ("enet", "sqrt_enet"):
        weights[seen] = 1 / np.log(1.02 + pixels[seen] / pixels.sum())
        weights = np.sqrt(weights) if formula == "sqrt_enet" else weights
    return weights.astype(np.float32)
