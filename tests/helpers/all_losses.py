"""Every loss, those with a custom gradient under both of its settings."""

from functools import partial

import pytest

from aerialseg.losses import (
    CrossEntropyLoss,
    DiceCrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    JaccardCrossEntropyLoss,
    JaccardLoss,
    LovaszSoftmaxLoss,
    OhemCrossEntropyLoss,
)

PLAIN = partial(DiceCrossEntropyLoss, custom_gradients=False)
PLAIN_JACCARD = partial(JaccardCrossEntropyLoss, custom_gradients=False)
SMOOTHED = partial(CrossEntropyLoss, label_smoothing=0.1)
OHEM = partial(OhemCrossEntropyLoss, min_kept=10)
ALL = {
    "dice_cross_entropy_custom": DiceCrossEntropyLoss,
    "dice_cross_entropy_plain": PLAIN,
    "jaccard_cross_entropy_custom": JaccardCrossEntropyLoss,
    "jaccard_cross_entropy_plain": PLAIN_JACCARD,
    "cross_entropy": CrossEntropyLoss,
    "cross_entropy_smoothed": SMOOTHED,
    "dice": DiceLoss,
    "focal": FocalLoss,
    "jaccard": JaccardLoss,
    "lovasz_softmax": LovaszSoftmaxLoss,
    "ohem_cross_entropy": OHEM,
}
every_loss = pytest.mark.parametrize("loss", ALL.values(), ids=ALL)
