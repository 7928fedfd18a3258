"""Guards against NaN and infinite losses: they reach neither the weights nor a checkpoint."""

import logging
import math
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from annotated_types import Ge
from torch import Tensor
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer
from torchmetrics import Metric

from aerialseg.errors import TrainingError
from aerialseg.models.module import SegmentationModule

logger = logging.getLogger(__name__)


class NonFiniteLossGuard(pl.Callback):
    """Stops training at a NaN or infinite loss or gradient, or skips the batch.

    A non-finite gradient never reaches the weights, and no checkpoint is written after it. On CUDA
    the check of a step is read one step later, so that it does not synchronise with the device;
    with ``skip_batches`` it is read at once. Batches that accumulate gradients for one optimizer
    step are checked and skipped together.

    In YAML::

        guard:
          _target_: aerialseg.callbacks.guards.NonFiniteLossGuard
          skip_batches: 0

    Args:
        skip_batches: How many batches may be skipped in a run, leaving no trace in the weights or
            the optimizer, before the next one stops it.

    Attributes:
        gradient_norm: The Euclidean norm of all gradients of the running optimizer step before
            clipping, a scalar on their device; None before it is known, or with a loss scaler.
    """

    def __init__(self, *, skip_batches: Annotated[int, Ge(0)] = 0) -> None:
        self.skip_batches = skip_batches
        self.skipped = 0
        self.gradient_norm: Tensor | None = None
        self._step = _Step()
        self._pending: _Step | None = None

    def on_train_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        batch: Any,  # noqa: ANN401 - Lightning's signature
        batch_idx: int,
    ) -> None:
        """Records the samples of the batch, and copies the state that skipping has to restore."""
        self.gradient_norm = None
        if batch_idx % trainer.accumulate_grad_batches == 0:
            self._step = _Step()
            if self.skip_batches:
                self._step.before = _forward_state(pl_module)
        self._step.place = f"epoch {trainer.current_epoch + 1}, batch {batch_idx + 1}"
        self._step.samples += tuple(batch.get("id", ()) if isinstance(batch, dict) else ())

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor
    ) -> None:
        """Adds the loss to the step's."""
        self._step.loss = self._step.loss + loss.detach()

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Checks loss and gradients before the weights change.

        Raises:
            TrainingError: If they are not finite and no more batches may be skipped.
        """
        step, parameters = self._step, [p for g in optimizer.param_groups for p in g["params"]]
        gradients = [p.grad for p in parameters if p.grad is not None]
        step.finite = torch.isfinite(torch.as_tensor(step.loss))
        # With a loss scaler infinite gradients are expected; it skips those steps itself.
        if getattr(trainer.precision_plugin, "scaler", None) is None and gradients:
            self.gradient_norm = get_total_norm(gradients)
            step.finite = step.finite & self.gradient_norm.isfinite()
        if _is_asynchronous(step.finite) and not self.skip_batches:
            not_finite = ~step.finite
            for gradient in gradients:
                gradient.masked_fill_(not_finite, 0.0)
            self._read(pl_module)
            step.start_reading()
            self._pending = step
        elif not step.finite:
            if self.skipped == self.skip_batches:
                raise self._error(step, pl_module)
            self._skip(step)
            for parameter in parameters:
                parameter.grad = None

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Reads a pending check, so that only checked weights are saved.

        Raises:
            TrainingError: If the last step was not finite.
        """
        self._read(pl_module)

    def state_dict(self) -> dict[str, Any]:
        """The number of batches skipped so far, for a resumed run."""
        return {"skipped": self.skipped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores the number of batches skipped so far."""
        self.skipped = state_dict["skipped"]

    def _read(self, pl_module: pl.LightningModule) -> None:
        step, self._pending = self._pending, None
        if step is not None and not step.is_finite():
            raise self._error(step, pl_module)

    def _skip(self, step: "_Step") -> None:
        self.skipped += 1
        for tensor, value in step.before:
            tensor.copy_(value)
        count = f"{self.skipped} of at most {self.skip_batches}"
        logger.warning("%s: skipped, because %s; %s", step.place, step.problem(), count)

    def _error(self, step: "_Step", pl_module: pl.LightningModule) -> TrainingError:
        """The error that stops the run, with its place, its samples and what to change."""
        stage = ""
        if isinstance(pl_module, SegmentationModule):
            stage = f"stage {pl_module.description.stage}, "
        return TrainingError(
            f"{stage}{step.place}: {step.problem()}; lower stage.learning_rate, set "
            "trainer.precision=32, or let some such batches be skipped: "
            f"callbacks.guard.skip_batches={max(10, 2 * self.skip_batches)}"
        )


class _Step:
    """Place, samples, loss and check of the batches of one optimizer step."""

    def __init__(self) -> None:
        self.place = ""
        self.samples: tuple[str, ...] = ()
        self.loss: Tensor | float = 0.0
        self.finite = torch.tensor(True)
        self.before: list[tuple[Tensor, Tensor]] = []

    def start_reading(self) -> None:
        """Starts copying the check's result to the host, asynchronously."""
        self.sent = torch.empty((), dtype=torch.bool, pin_memory=True)
        self.sent.copy_(self.finite, non_blocking=True)
        self.arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self.arrived.record()

    def is_finite(self) -> bool:
        """Whether loss and gradients were finite; waits for the copy to arrive."""
        self.arrived.synchronize()
        return bool(self.sent)

    def problem(self) -> str:
        """What is not finite, and in which samples."""
        loss = float(self.loss)
        what = f"the loss is {loss}" if not math.isfinite(loss) else "the gradient is not finite"
        samples = ", ".join(self.samples[:8]) + (", ..." if len(self.samples) > 8 else "")
        return f"{what}; samples {samples}" if samples else what


def _is_asynchronous(tensor: Tensor) -> bool:
    return tensor.is_cuda


def _forward_state(module: pl.LightningModule) -> list[tuple[Tensor, Tensor]]:
    """State that a forward pass changes, with copies: running statistics and metric sums."""
    tensors = [b for m in module.modules() if m.training for b in m.buffers(recurse=False)]
    for metric in module.modules():
        if isinstance(metric, Metric):
            tensors += [state for state in metric.metric_state.values() if torch.is_tensor(state)]
    return [(tensor, tensor.clone()) for tensor in tensors]
