"""Accuracy, IoU and Dice as separate metrics, called in every step."""

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import MulticlassAccuracy, MulticlassJaccardIndex


class PlainDice(Metric):
    """Dice from per-class counts; an absent class counts as perfect."""

    overlap: Tensor
    total: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        for name in ("overlap", "total"):
            self.add_state(name, torch.zeros(num_classes), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Counts one batch."""
        for index in range(self.num_classes):
            predicted, true = prediction == index, target == index
            self.overlap[index] += (predicted & true).sum()
            self.total[index] += predicted.sum() + true.sum()

    def compute(self) -> Tensor:
        """The mean over classes."""
        return torch.where(self.total > 0, 2 * self.overlap / self.total, 1.0).mean()


class PlainMetrics:
    """The three metrics.

    Args:
        num_classes: Number of classes.
        device: The device of the metrics.
    """

    def __init__(self, num_classes: int, device: str) -> None:
        self.metrics: list[Metric] = [
            MulticlassAccuracy(num_classes, average="micro").to(device),
            MulticlassJaccardIndex(num_classes).to(device),
            PlainDice(num_classes).to(device),
        ]

    def __call__(self, prediction: Tensor, target: Tensor) -> list[Tensor]:
        """The scores of a batch of ``(N, H, W)`` int64 class ids."""
        return [metric(prediction, target) for metric in self.metrics]
