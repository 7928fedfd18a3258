"""Logits and targets for losses and metrics."""

import torch
from torch import Tensor

from benchmarks.images import arrays, with_every_class
from benchmarks.timing import Setting

NUM_CLASSES = 12
STRIDE = 16
"""A network of the default model returns its logits at a sixteenth of the image's edges."""


def batch(setting: Setting, size: int = 4) -> tuple[Tensor, Tensor]:
    """Smooth logits and real masks.

    Returns:
        ``(N, 12, H / 16, W / 16)`` float32 logits and ``(N, H, W)`` uint8 class ids with
        every class.
    """
    masks = [with_every_class(mask, NUM_CLASSES) for _, mask in arrays(setting, size)]
    target = torch.stack([torch.from_numpy(mask) for mask in masks])
    height, width = (edge // STRIDE for edge in target.shape[1:])
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(size, NUM_CLASSES, height, width, generator=generator)
    return logits.to(setting.device), target.to(setting.device)
