"""A training step in which frozen layers only have no gradients but stay in training mode."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large

from aerialseg.classes import IGNORE_INDEX
from aerialseg.models.module import SegmentationModule
from benchmarks.plain.loss import dice_cross_entropy
from benchmarks.plain.metrics import PlainMetrics

_SGD = {"lr": 1e-2, "momentum": 0.9, "weight_decay": 1e-4}


class PlainStep:
    """The whole network in training mode, with full-size logits and separate metrics.

    Args:
        module: The source of weights, trainable parameters, class weights and device.
        sgd: Arguments of the optimizer.
        clip: The largest norm of the gradient; None does not clip.
    """

    def __init__(
        self,
        module: SegmentationModule,
        *,
        sgd: Mapping[str, Any] = _SGD,
        clip: float | None = None,
    ) -> None:
        self.class_weights = torch.as_tensor(module.loss.class_weights)
        self.aux_weight = module.aux_weight
        num_classes = len(self.class_weights)
        state = module.network.state_dict()
        aux_head = any(name.startswith("aux_") for name in state)
        self.network = plain_network(state, num_classes, aux_head=aux_head)
        for ours, own in zip(module.network.parameters(), self.network.parameters(), strict=True):
            own.requires_grad_(ours.requires_grad)
        self.learning = [p for p in self.network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.SGD(self.learning, **sgd)
        self.clip = clip
        self.metrics = PlainMetrics(num_classes, str(self.class_weights.device))

    def loss(self, images: Tensor, target: Tensor) -> Tensor:
        """The loss of ``(N, 3, H, W)`` float and ``(N, H, W)`` int64; updates the metrics."""
        logits, labels = labelled(self.network(images), target)
        self.metrics(logits["out"].detach().argmax(1), labels)
        loss = self.loss_of(logits["out"], labels)
        if "aux" in logits:
            loss = loss + self.aux_weight * self.loss_of(logits["aux"], labels)
        return loss

    def loss_of(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of one head's ``(N, C, H, W)`` logits."""
        return dice_cross_entropy(logits, labels, self.class_weights)

    def __call__(self, images: Tensor, target: Tensor) -> None:
        """Trains on one batch."""
        self.optimizer.zero_grad()
        torch.autograd.backward(self.loss(images, target))
        if self.clip is not None:
            clip_grad_norm_(self.learning, self.clip)
        self.optimizer.step()


def labelled(logits: Mapping[str, Tensor], target: Tensor) -> tuple[Mapping[str, Tensor], Tensor]:
    """Leaves out ignored pixels, if there are any: the others are then one column of ``P`` pixels.

    Args:
        logits: By head ``(N, C, H, W)``.
        target: ``(N, H, W)`` int64.

    Returns:
        By head ``(1, C, P, 1)``, and ``(1, P, 1)``.
    """
    kept = target != IGNORE_INDEX
    if kept.all():
        return logits, target
    chosen = {
        head: values.movedim(1, -1)[kept].T[None, :, :, None] for head, values in logits.items()
    }
    return chosen, target[kept][None, :, None]


def plain_network(state: Mapping[str, Tensor], num_classes: int, *, aux_head: bool) -> nn.Module:
    """Torchvision's network in training mode, on the device of the tensors."""
    network: nn.Module = deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=num_classes, aux_loss=aux_head
    )
    network.load_state_dict(state)
    return network.to(next(iter(state.values())).device)
