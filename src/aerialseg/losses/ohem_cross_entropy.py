"""Cross-entropy of the hardest pixels."""

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor

from aerialseg.classes import IGNORE_INDEX
from aerialseg.kernels.class_ids import IGNORED
from aerialseg.kernels.pixel_losses import log_p_of_label, weight_of_label, weighted_mean
from aerialseg.losses.loss import Loss
from aerialseg.values.checked_calls import checked


class OhemCrossEntropyLoss(Loss):
    """Cross-entropy with online hard example mining: pixels that are right already do not count.

    From Shrivastava et al., "Training Region-based Object Detectors with Online Hard Example
    Mining", CVPR 2016, for pixels as in Wu et al., "Bridging Category-level and Instance-level
    Semantic Image Segmentation", arXiv:1605.06885: the mean of ``-log p``, ``p`` being the softmax
    probability of the true class, over the labelled pixels with ``p < threshold``; if there are
    fewer than ``min_kept``, over those with the ``min_kept`` smallest ``p``. Class weights weigh
    the mean, as in :class:`CrossEntropyLoss`, and do not change which pixels are hard. In YAML::

        _target_: aerialseg.losses.OhemCrossEntropyLoss
        threshold: 0.7
        min_kept: 100000

    Args:
        class_weights: One number per class, 0 or more.
        threshold: Pixels whose true class is less probable count; 0 counts the hardest
            ``min_kept`` only.
        min_kept: How many pixels of the batch count at least, or all labelled ones if there are
            fewer. More count where several are equally hard.
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
        threshold: Annotated[float, Ge(0), Le(1)] = 0.7,
        min_kept: Annotated[int, Ge(0)] = 100_000,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        self.threshold = threshold
        self.min_kept = min_kept

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        full, labels, weights = self._full_size(logits, target)
        log_p = log_p_of_label(full.log_softmax(1), labels)
        hard = self._is_hard(log_p.detach(), labels != IGNORED)
        return weighted_mean(-log_p, hard * weight_of_label(weights, labels))

    def _is_hard(self, log_p: Tensor, kept: Tensor) -> Tensor:
        """Which pixels count; of an ignored one the answer does not matter."""
        # Logarithms tell very small probabilities apart. Ignored pixels are the easiest.
        log_p = torch.where(kept, log_p, torch.inf)
        hard = log_p < (math.log(self.threshold) if self.threshold > 0 else -math.inf)
        if self.min_kept == 0:
            return hard
        count = min(self.min_kept, log_p.numel())
        hardest = log_p.flatten().topk(count, largest=False, sorted=False).values
        return hard | (log_p <= hardest.amax())
