"""Cross-entropy, with label smoothing if wanted, and its focal variant."""

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Le
from torch import Tensor

from aerialseg.classes import IGNORE_INDEX
from aerialseg.kernels.pixel_losses import cross_entropy, focal_cross_entropy
from aerialseg.losses.loss import Loss, check_not_negative
from aerialseg.values.checked_calls import checked


class CrossEntropyLoss(Loss):
    """Cross-entropy with the semantics of :class:`torch.nn.CrossEntropyLoss`.

    The mean over labelled pixels of ``-log p``, ``p`` being the softmax probability of the
    true class; with class weights, the mean weighted by the weight of the true class. Unlike
    torch's, any integer type will do, and all ignored is 0, not NaN. In YAML::

        _target_: aerialseg.losses.CrossEntropyLoss
        label_smoothing: 0.1

    Label smoothing is from Szegedy et al., "Rethinking the Inception Architecture for Computer
    Vision", CVPR 2016, section 7: the truth of a pixel is ``1 - label_smoothing`` for its class
    and ``label_smoothing`` spread evenly over all classes.

    Args:
        class_weights: One number per class, 0 or more.
        label_smoothing: How much of the truth is spread over all classes.
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
        label_smoothing: Annotated[float, Ge(0), Le(1)] = 0.0,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.label_smoothing = label_smoothing

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(*self._full_size(logits, target), self.label_smoothing)


class FocalLoss(Loss):
    """Focal loss: cross-entropy with less weight on pixels that are right already.

    From Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, equation 5, over the
    softmax probability ``p`` of the true class: the mean of ``-(1 - p)**gamma * log p``, with
    class weights (the paper's alpha) weighted as in :class:`CrossEntropyLoss`, which it
    equals at ``gamma`` 0. In YAML::

        _target_: aerialseg.losses.FocalLoss
        gamma: 2.0

    Args:
        class_weights: One number per class, 0 or more.
        gamma: How much less, 0 or more; the paper found 2 best.
        ignore_index: The id of pixels that are left out.

    Raises:
        ConfigError: If a weight or ``gamma`` is negative or not a number.
    """

    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        gamma: float = 2.0,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.gamma = gamma
        check_not_negative(self, "gamma")

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        return focal_cross_entropy(*self._full_size(logits, target), self.gamma)
