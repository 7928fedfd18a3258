"""Cross-entropy and its focal variant."""

from collections.abc import Sequence

from torch import Tensor

from aerialseg.classes import IGNORE_INDEX
from aerialseg.kernels.pixel_losses import focal_cross_entropy
from aerialseg.losses.loss import Loss, check_not_negative


class CrossEntropyLoss(Loss):
    """Cross-entropy with the semantics of :class:`torch.nn.CrossEntropyLoss`.

    The mean over labelled pixels of ``-log p``, ``p`` being the softmax probability of the
    true class; with class weights, the mean weighted by the weight of the true class. Unlike
    torch's, any integer type will do, and all ignored is 0, not NaN. In YAML::

        _target_: aerialseg.losses.CrossEntropyLoss

    Args:
        class_weights: One number per class, 0 or more.
        ignore_index: The id of pixels that are left out.

    Raises:
        ConfigError: If a weight is negative or not a number.
    """

    def __init__(
        self,
        *,
        class_weights: Sequence[float] | Tensor | None = None,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        return focal_cross_entropy(*self._full_size(logits, target))


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
