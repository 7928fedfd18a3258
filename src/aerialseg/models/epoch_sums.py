"""Running sums of a training epoch, saved so that an interrupted epoch can be resumed."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class MeanLoss(Metric):
    """The mean of a loss over all samples seen, without synchronising with the device."""

    full_state_update = False
    is_differentiable = False
    total: Tensor
    samples: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", default=torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("samples", default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, loss: Tensor, samples: int) -> None:
        """Counts one batch.

        Args:
            loss: Scalar, the mean over the batch.
            samples: Number of samples in the batch.
        """
        self.total += loss.float() * samples
        self.samples += samples

    def compute(self) -> Tensor:
        """The mean so far, a float32 scalar."""
        return self.total / self.samples


def sums_of(metrics: Mapping[str, Metric]) -> dict[str, dict[str, Any]]:
    """The states of the metrics by name."""
    return {name: dict(metric.metric_state) for name, metric in metrics.items()}


def restore_sums(metrics: Mapping[str, Metric], sums: Mapping[str, Mapping[str, Any]]) -> None:
    """Restores states returned by :func:`sums_of`."""
    for name, metric in metrics.items():
        for state, value in sums[name].items():
            setattr(metric, state, value)
        metric._update_count = 1  # else compute() warns that update() was never called
