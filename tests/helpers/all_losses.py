"""Every loss, the one with a custom gradient under both of its settings."""

from functools import partial

import pytest

from aerialseg.losses import CrossEntropyLoss, DiceCrossEntropyLoss, DiceLoss, FocalLoss

PLAIN = partial(DiceCrossEntropyLoss, custom_gradients=False)
ALL = {
    "dice_cross_entropy_custom": DiceCrossEntropyLoss,
    "dice_cross_entropy_plain": PLAIN,
    "cross_entropy": CrossEntropyLoss,
    "dice": DiceLoss,
    "focal": FocalLoss,
}
every_loss = pytest.mark.parametrize("loss", ALL.values(), ids=ALL)
