"""A training step in which frozen layers only have no gradients but stay in training mode."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large

from aerialseg.models.module import SegmentationModule
from benchmarks.plain.loss import dice_cross_entropy
from benchmarks.plain.metrics import PlainMetrics


class PlainStep:
    """The whole network in training mode, with full-size logits and separate metrics.

    Args:
        module: The source of weights, trainable parameters, class weights and device.
    """

    def __init__(self, module: SegmentationModule) -> None:
        self.class_weights = torch.as_tensor(module.loss.class_weights)
        self.aux_weight = module.aux_weight
        num_classes = len(self.class_weights)
        state = module.network.state_dict()
        aux_head = any(name.startswith("aux_") for name in state)
        self.network = plain_network(state, num_classes, aux_head=aux_head)
        for ours, own in zip(module.network.parameters(), self.network.parameters(), strict=True):
            own.requires_grad_(ours.requires_grad)
        learning = [p for p in self.network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.SGD(learning, lr=1e-2, momentum=0.9, weight_decay=1e-4)
        self.metrics = PlainMetrics(num_classes, str(self.class_weights.device))

    def loss(self, images: Tensor, target: Tensor) -> Tensor:
        """The loss of ``(N, 3, H, W)`` float and ``(N, H, W)`` int64; updates the metrics."""
        logits = self.network(images)
        self.metrics(logits["out"].detach().argmax(1), target)
        loss = dice_cross_entropy(logits["out"], target, self.class_weights)
        if "aux" in logits:
            aux = dice_cross_entropy(logits["aux"], target, self.class_weights)
            loss = loss + self.aux_weight * aux
        return loss

    def __call__(self, images: Tensor, target: Tensor) -> None:
        """Trains on one batch."""
        self.optimizer.zero_grad()
        torch.autograd.backward(self.loss(images, target))
        self.optimizer.step()


def plain_network(state: Mapping[str, Tensor], num_classes: int, *, aux_head: bool) -> nn.Module:
    """Torchvision's network in training mode, on the device of the tensors."""
    network: nn.Module = deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=num_classes, aux_loss=aux_head
    )
    network.load_state_dict(state)
    return network.to(next(iter(state.values())).device)
