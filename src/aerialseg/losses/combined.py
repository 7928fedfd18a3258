"""Soft Dice plus weighted cross-entropy."""

from collections.abc import Sequence

from torch import Tensor

from aerialseg.classes import IGNORE_INDEX
from aerialseg.kernels.dice_cross_entropy import (
    Terms,
    fused_dice_cross_entropy,
    plain_dice_cross_entropy,
)
from aerialseg.losses.loss import Loss, check_not_negative, weights_of


class DiceCrossEntropyLoss(Loss):
    """Soft Dice, robust to rare classes, plus weighted cross-entropy, with smooth gradients.

    ``dice_weight * DiceLoss + cross_entropy_weight * CrossEntropyLoss``. In YAML::

        _target_: aerialseg.losses.DiceCrossEntropyLoss
        dice_weight: 1.0
        cross_entropy_weight: 1.0
        smooth: 1.0
        custom_gradients: true

    Args:
        class_weights: One number per class, for the cross-entropy only: in Dice all
            classes count alike already.
        dice_weight: The share of Dice, 0 or more.
        cross_entropy_weight: The share of cross-entropy, 0 or more.
        smooth: As in :class:`DiceLoss`.
        ignore_index: The id of pixels that are left out.
        custom_gradients: Whether to compute both terms in one pass with the gradient of
            :mod:`aerialseg.kernels.dice_cross_entropy`, or one after the other with autograd.

    Raises:
        ConfigError: If a weight or ``smooth`` is negative or not a number.
    """

    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        dice_weight: float = 1.0,
        cross_entropy_weight: float = 1.0,
        smooth: float = 1.0,
        ignore_index: int = IGNORE_INDEX,
        custom_gradients: bool = True,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.dice_weight = dice_weight
        self.cross_entropy_weight = cross_entropy_weight
        self.smooth = smooth
        self.custom_gradients = custom_gradients
        check_not_negative(self, "dice_weight", "cross_entropy_weight", "smooth")

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        formula = fused_dice_cross_entropy if self.custom_gradients else plain_dice_cross_entropy
        terms = Terms(self.dice_weight, self.cross_entropy_weight, self.smooth, self.ignore_index)
        return formula(logits, target, weights_of(self.class_weights, logits), terms)
