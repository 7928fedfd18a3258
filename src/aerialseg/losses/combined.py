"""Soft Dice or soft Jaccard plus weighted cross-entropy."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le
from torch import Tensor

from aerialseg.classes import IGNORE_INDEX
from aerialseg.kernels.overlap_cross_entropy import (
    Terms,
    fused_overlap_cross_entropy,
    plain_overlap_cross_entropy,
)
from aerialseg.losses.loss import Loss, check_not_negative, weights_of
from aerialseg.values.checked_calls import checked


class _OverlapCrossEntropyLoss(Loss):
    """What both sums share: the two formulations of the kernel."""

    overlap: ClassVar[Literal["dice", "jaccard"]]
    cross_entropy_weight: float
    smooth: float
    label_smoothing: float
    custom_gradients: bool

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        """Not of full-size logits: the fused kernel upsamples them itself."""
        terms = Terms(
            self.overlap,
            getattr(self, f"{self.overlap}_weight"),
            self.cross_entropy_weight,
            self.smooth,
            self.label_smoothing,
            self.ignore_index,
        )
        fused = self.custom_gradients
        formula = fused_overlap_cross_entropy if fused else plain_overlap_cross_entropy
        return formula(logits, target, weights_of(self.class_weights, logits), terms)


class DiceCrossEntropyLoss(_OverlapCrossEntropyLoss):
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
        label_smoothing: Of the cross-entropy, as in :class:`CrossEntropyLoss`.
        ignore_index: The id of pixels that are left out.
        custom_gradients: Whether to compute both terms in one pass with the gradient of
            :mod:`aerialseg.kernels.overlap_cross_entropy`, or one after the other with autograd.

    Raises:
        ConfigError: If a weight or ``smooth`` is negative or not finite.
        ValueError: If an argument is not of its kind or out of its range.
    """

    overlap = "dice"

    @checked
    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        dice_weight: float = 1.0,
        cross_entropy_weight: float = 1.0,
        smooth: float = 1.0,
        label_smoothing: Annotated[float, Ge(0), Le(1)] = 0.0,
        ignore_index: int = IGNORE_INDEX,
        custom_gradients: bool = True,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.dice_weight = dice_weight
        self.cross_entropy_weight = cross_entropy_weight
        self.smooth = smooth
        self.label_smoothing = label_smoothing
        self.custom_gradients = custom_gradients
        check_not_negative(self, "dice_weight", "cross_entropy_weight", "smooth")


class JaccardCrossEntropyLoss(_OverlapCrossEntropyLoss):
    """Soft Jaccard over the classes of the batch plus a little cross-entropy.

    ``jaccard_weight * JaccardLoss + cross_entropy_weight * CrossEntropyLoss``, by default with the
    shares and the smoothing of the code (``JDTLosses``) of Wang et al., "Jaccard Metric Losses",
    NeurIPS 2023. In YAML::

        _target_: aerialseg.losses.JaccardCrossEntropyLoss
        jaccard_weight: 0.75
        cross_entropy_weight: 0.25
        smooth: 1.0
        custom_gradients: true

    Args:
        class_weights: One number per class, for the cross-entropy only: in Jaccard all
            classes that occur count alike already.
        jaccard_weight: The share of Jaccard.
        cross_entropy_weight: The share of cross-entropy.
        smooth: As in :class:`JaccardLoss`.
        label_smoothing: Of the cross-entropy, as in :class:`CrossEntropyLoss`.
        ignore_index: The id of pixels that are left out.
        custom_gradients: Whether to compute both terms in one pass with the gradient of
            :mod:`aerialseg.kernels.overlap_cross_entropy`, or one after the other with autograd.

    Raises:
        ConfigError: If a class weight is negative or not finite.
        ValueError: If an argument is not of its kind or out of its range.
    """

    overlap = "jaccard"

    @checked
    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        jaccard_weight: Annotated[float, Ge(0)] = 0.75,
        cross_entropy_weight: Annotated[float, Ge(0)] = 0.25,
        smooth: Annotated[float, Ge(0)] = 1.0,
        label_smoothing: Annotated[float, Ge(0), Le(1)] = 0.0,
        ignore_index: int = IGNORE_INDEX,
        custom_gradients: bool = True,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.jaccard_weight = jaccard_weight
        self.cross_entropy_weight = cross_entropy_weight
        self.smooth = smooth
        self.label_smoothing = label_smoothing
        self.custom_gradients = custom_gradients
