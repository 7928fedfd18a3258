"""Soft Dice."""

from collections.abc import Sequence

from torch import Tensor

from aerialseg.classes import IGNORE_INDEX
from aerialseg.kernels.pixel_losses import soft_dice
from aerialseg.losses.loss import Loss, check_not_negative


class DiceLoss(Loss):
    """Soft Dice loss: one minus the overlap of probabilities and truth, class by class.

    From Milletari et al., "V-Net", 3DV 2016, section 3, with plain instead of squared sums
    below the line, so that a map of zeros and ones scores as the Dice metric does::

        dice_c = (2 * sum(p_c * t_c) + smooth) / (sum(p_c) + sum(t_c) + smooth)
        loss   = mean over classes of (1 - dice_c)

    Sums run over the labelled pixels of the whole batch. A class that no labelled pixel has
    and for none is the most probable is left out of the mean. In YAML::

        _target_: aerialseg.losses.DiceLoss
        smooth: 1.0

    Args:
        class_weights: One number per class, 0 or more: makes the mean a weighted one.
        smooth: In pixels, 0 or more. Above 0 it softens the score of small objects, and lets
            a class that is only in the prediction learn to leave.
        ignore_index: The id of pixels that are left out.

    Raises:
        ConfigError: If a weight or ``smooth`` is negative or not a number.
    """

    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        smooth: float = 1.0,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.smooth = smooth
        check_not_negative(self, "smooth")

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        return soft_dice(*self._full_size(logits, target), self.smooth)
