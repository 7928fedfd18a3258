"""Distillation: a network learns from the probabilities of trained ones beside the labels."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aerialseg.kernels.pixel_losses import divergence_from_teacher
from aerialseg.models.normalisation import normalise


class Teacher(nn.Module):
    """A trained network that looks at the images of another one, and never changes.

    Args:
        network: Maps ``(N, B, H, W)`` float to a mapping with ``out``, ``(N, K, h, w)`` logits.
            Its gradients are turned off and it is put into eval mode, in place.
        mean: ``(B,)`` mean of each channel that it was trained with, on the 0 to 1 scale.
        std: ``(B,)`` standard deviation, likewise.
        class_order: For each of the student's classes, its index among the K of the network.
    """

    mean: Tensor
    std: Tensor
    class_order: Tensor

    def __init__(
        self,
        network: nn.Module,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        class_order: Sequence[int],
    ) -> None:
        super().__init__()
        self.network = network.requires_grad_(False).eval()
        self.register_buffer("class_order", torch.tensor(class_order))
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Maps ``(N, B, H, W)`` uint8 images to ``(N, C, h, w)`` logits, C as the student's."""
        logits: Tensor = self.network(normalise(images, self.mean, self.std))["out"]
        return logits.index_select(1, self.class_order)


class Distillation(nn.Module):
    """The loss of a network that learns from teachers beside the labels.

    From Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv:1503.02531, for pixels
    as in Liu et al., "Structured Knowledge Distillation for Semantic Segmentation", CVPR 2019,
    equation 1::

        (1 - weight) * task loss + weight * temperature**2 * KL(teacher || student)

    The divergence is that of the softmax of the logits divided by the temperature; its mean is over
    all pixels of the student's logits, to whose size the teachers' are resized. Of several teachers
    the probabilities are averaged. Pixels without a label teach too, as in Liu et al. and in
    ``losses/kd.py`` of github.com/winycg/CIRKD: a teacher has an opinion on them.

    It holds neither parameters nor buffers, so that checkpoints, optimizers and counts of
    parameters know the student alone; the teachers follow it to another device all the same.

    Args:
        teachers: At least one.
        weight: 0 to 1.
        temperature: More than 0.
    """

    def __init__(self, teachers: Sequence[Teacher], *, weight: float, temperature: float) -> None:
        super().__init__()
        self.teachers = tuple(teachers)  # a plain tuple, which nn.Module does not look into
        self.weight = weight
        self.temperature = temperature

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Distillation":
        """Moves the teachers too: all of ``to``, ``cuda`` and ``double`` come here."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for teacher in self.teachers:
            teacher._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def forward(self, task_loss: Tensor, logits: Tensor, images: Tensor) -> Tensor:
        """The whole loss of a batch.

        Args:
            task_loss: What the labels give, a scalar.
            logits: ``(N, C, h, w)`` float, of the main head.
            images: ``(N, B, H, W)`` uint8, those that the logits were made from.

        Returns:
            A scalar.
        """
        if logits.dtype != torch.float64:
            logits = logits.float()
        truth = self.probabilities(images, logits)
        divergence = divergence_from_teacher(logits, truth, self.temperature)
        return (1 - self.weight) * task_loss + self.weight * self.temperature**2 * divergence

    @torch.no_grad()
    def probabilities(self, images: Tensor, like: Tensor) -> Tensor:
        """What the teachers think, on average, at the temperature.

        Args:
            images: ``(N, B, H, W)`` uint8.
            like: ``(N, C, h, w)`` logits of the student, which give size and type.

        Returns:
            ``(N, C, h, w)``, a distribution for each pixel.
        """
        size = (like.shape[2], like.shape[3])
        each = [
            (_resized(teacher(images).to(like.dtype), size) / self.temperature).softmax(1)
            for teacher in self.teachers
        ]
        return torch.stack(each).mean(0)


def _resized(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits at another size; smoothed where it is coarser, so that every pixel counts."""
    if tuple(logits.shape[-2:]) == size:
        return logits
    return F.interpolate(logits, size, mode="bilinear", align_corners=False, antialias=True)
