"""Soft Jaccard."""

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge
from torch import Tensor

from aerialseg.classes import IGNORE_INDEX
from aerialseg.kernels.pixel_losses import soft_jaccard
from aerialseg.losses.loss import Loss
from aerialseg.values.checked_calls import checked


class JaccardLoss(Loss):
    """Soft Jaccard loss: one minus the IoU of probabilities and truth, class by class.

    From Rahman and Wang, "Optimizing Intersection-Over-Union in Deep Neural Networks for Image
    Segmentation", ISVC 2016, for several classes, of which those that occur count, as in Wang et
    al., "Jaccard Metric Losses", NeurIPS 2023. A map of zeros and ones scores as the IoU does::

        both_c    = sum(p_c * t_c)
        jaccard_c = (both_c + smooth) / (sum(p_c) + sum(t_c) - both_c + smooth)
        loss      = mean over the classes that occur of (1 - jaccard_c)

    Sums run over the labelled pixels of the whole batch. A class that no labelled pixel has is left
    out of the mean, even if it is predicted: such pixels are missing in the class that they have.
    In YAML::

        _target_: aerialseg.losses.JaccardLoss
        smooth: 1.0

    Args:
        class_weights: One number per class, 0 or more: makes the mean a weighted one.
        smooth: In pixels. Above 0 it softens the score of small objects.
        ignore_index: The id of pixels that are left out.

    Raises:
        ConfigError: If a weight is negative or not a number.
        ValueError: If an argument is not of its kind or out of its range.
    """

    @checked
    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        smooth: Annotated[float, Ge(0)] = 1.0,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.smooth = smooth

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        return soft_jaccard(*self._full_size(logits, target), self.smooth)
