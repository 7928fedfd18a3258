"""Losses between logits and class ids.

All take ``(N, C, H, W)`` float logits and ``(N, H, W)`` integer class ids of any type, give one
scalar, compute in at least float32 even under autocast, and leave ignored pixels out. A batch
without a single labelled pixel costs exactly 0, with a gradient of zeros.
"""

from aerialseg.losses.combined import DiceCrossEntropyLoss, JaccardCrossEntropyLoss
from aerialseg.losses.cross_entropy import CrossEntropyLoss, FocalLoss
from aerialseg.losses.lovasz_softmax import LovaszSoftmaxLoss
from aerialseg.losses.ohem_cross_entropy import OhemCrossEntropyLoss
from aerialseg.losses.soft_dice import DiceLoss
from aerialseg.losses.soft_jaccard import JaccardLoss

__all__ = [
    "CrossEntropyLoss",
    "DiceCrossEntropyLoss",
    "DiceLoss",
    "FocalLoss",
    "JaccardCrossEntropyLoss",
    "JaccardLoss",
    "LovaszSoftmaxLoss",
    "OhemCrossEntropyLoss",
]
