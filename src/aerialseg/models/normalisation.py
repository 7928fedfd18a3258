"""Normalisation of uint8 images, shared by training and inference."""

import torch
from torch import Tensor


def normalise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Scales to 0..1, subtracts the mean and divides by the standard deviation.

    Runs on the device, so that images are transferred as uint8. The result is channels-last, in
    which convolutions are faster.

    Args:
        images: ``(N, 3, H, W)`` uint8 RGB.
        mean: ``(3,)`` on the 0 to 1 scale.
        std: ``(3,)`` on the 0 to 1 scale.

    Returns:
        ``(N, 3, H, W)`` float32.
    """
    scaled = images.to(torch.float32, memory_format=torch.channels_last)
    shift = (mean * 255).view(1, 3, 1, 1)
    scale = (std * 255).reciprocal().view(1, 3, 1, 1)
    return (scaled - shift) * scale
