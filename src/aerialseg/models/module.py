"""The LightningModule: one network, of which a stage trains some layer groups."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics import Metric

from aerialseg.metrics.accumulators import SegmentationMetrics
from aerialseg.metrics.scores import summarise
from aerialseg.models.distillation import Distillation
from aerialseg.models.epoch_sums import MeanLoss, restore_sums, sums_of
from aerialseg.models.freeze_plan import FreezePlan
from aerialseg.models.frozen_prefix import FrozenPrefix, has_frozen_prefix
from aerialseg.models.networks.protocol import check_heads
from aerialseg.models.normalisation import normalise
from aerialseg.models.optimization import Optimization
from aerialseg.storage.checkpoints import Description, describe

Batch = Mapping[str, Any]


class SegmentationModule(pl.LightningModule):
    """Trains the layer groups that a plan names; all others are frozen.

    Frozen groups get no gradients and stay in eval mode even after :meth:`train`, so neither their
    parameters nor their BatchNorm statistics change. Where nothing below them is trained, autograd
    records nothing for them and they cost a forward pass only.

    Args:
        network: Maps ``(N, 3, H, W)`` float to a mapping with ``out``, and ``aux`` where there is
            an auxiliary head, each ``(N, C, h, w)`` logits at its stride.
        loss: Takes logits and an ``(N, H, W)`` integer target.
        plan: Which of the network's layer groups are trained.
        optimization: How they are trained.
        aux_weight: Weight of the auxiliary loss relative to the main loss.
        seed: With epoch and batch index, the seed of dropout.
        description: The description stored in checkpoints.
        channels_last: Whether to use the channels-last memory format, which convolutions are
            faster in on most hardware.
        distillation: Adds what teachers think to the training loss; ``None`` for labels alone.

    A batch holds ``mask`` and either ``image``, or ``features``: the cached output of
    :attr:`frozen_prefix`. Teachers need the images.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module,
        *,
        plan: FreezePlan,
        optimization: Optimization,
        aux_weight: float,
        seed: int,
        description: Description,
        channels_last: bool = True,
        distillation: Distillation | None = None,
    ) -> None:
        super().__init__()
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.network = network.to(memory_format=self.memory_format)
        self.loss = loss
        self.distillation = distillation
        self.plan = plan
        self.optimization = optimization
        self.aux_weight = aux_weight
        self.seed = seed
        self.description = description
        self.class_names = tuple(description.classes)
        # Not persistent: the description holds them; the state dict has only the network's tensors.
        self.register_buffer("mean", torch.tensor(description.mean), persistent=False)
        self.register_buffer("std", torch.tensor(description.std), persistent=False)
        self.train_loss = MeanLoss()
        self.train_metrics = SegmentationMetrics(len(self.class_names))
        self.val_metrics = SegmentationMetrics(len(self.class_names))
        self._scores: dict[str, dict[str, float]] = {}
        self._is_validated = False
        plan.apply()

    def train(self, mode: bool = True) -> "SegmentationModule":
        """Sets the mode of the trained groups; frozen groups stay in eval mode."""
        super().train(mode)
        for module in self.plan.frozen_modules:
            module.eval()
        return self

    @cached_property
    def frozen_prefix(self) -> FrozenPrefix | None:
        """The frozen part of the network, if it can be split there."""
        frozen = self.plan.frozen_modules
        if not has_frozen_prefix(self.network, frozen):
            return None
        return FrozenPrefix(self.network, frozen)

    def normalised(self, images: Tensor) -> Tensor:
        """``(N, 3, H, W)`` uint8 images as network input: float32, normalised."""
        return normalise(images, self.mean, self.std).contiguous(memory_format=self.memory_format)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Maps ``(N, 3, H, W)`` uint8 images to ``(N, C, h, w)`` logits by head."""
        logits: dict[str, Tensor] = self.network(self.normalised(images))
        check_heads(self.network, logits)
        return logits

    def logits(self, batch: Batch) -> dict[str, Tensor]:
        """The ``(N, C, h, w)`` logits of a batch by head, from its images or its features.

        Raises:
            ValueError: If it has features, but the network no frozen prefix.
        """
        if "features" not in batch:
            logits: dict[str, Tensor] = self(batch["image"])
            return logits
        if self.frozen_prefix is None:
            raise ValueError("the batch holds features, but the network has no frozen prefix")
        features = {name: value.float() for name, value in batch["features"].items()}
        return self.frozen_prefix.logits(features)

    def on_train_start(self) -> None:
        """Gives a schedule by step its length, and logs the loss of a resumed epoch.

        That epoch may have no batches left to train.
        """
        self.optimization.begin_schedules(self.trainer)
        if self.train_loss.update_called:
            self._log_train_loss()

    def on_train_batch_start(self, batch: Batch, batch_index: int) -> None:
        """Seeds dropout by seed, epoch and batch, so that a resumed run repeats it."""
        seeds = np.random.SeedSequence([self.seed, self.current_epoch, batch_index])
        torch.manual_seed(int(seeds.generate_state(1)[0]))

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Loss of one batch, including the auxiliary head and the teachers if there are any."""
        logits = self.logits(batch)
        loss: Tensor = self.loss(logits["out"], batch["mask"])
        if "aux" in logits:
            loss = loss + self.aux_weight * self.loss(logits["aux"], batch["mask"])
        if self.distillation is not None:
            loss = self.distillation(loss, logits["out"], batch["image"])
        self.train_metrics.update(logits["out"].detach(), batch["mask"])
        self.train_loss.update(loss.detach(), len(batch["mask"]))
        self._log_train_loss()
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> dict[str, Tensor]:
        """Updates metrics and loss with one batch; the loss is that of the main head only.

        Returns:
            ``logits`` of the main head, ``(N, C, h, w)``, for callbacks that draw predictions.
        """
        logits = self.logits(batch)["out"]
        self.val_metrics.update(logits, batch["mask"])
        loss = self.loss(logits, batch["mask"])
        size = len(batch["mask"])
        self.log("val/loss", loss, on_step=False, on_epoch=True, batch_size=size, prog_bar=True)
        return {"logits": logits}

    def on_train_epoch_end(self) -> None:
        """Logs the training scores of the epoch, and lets a plateau scheduler see its value."""
        self._log_scores("train", self.train_metrics)
        scheduler = self.lr_schedulers()
        if isinstance(scheduler, ReduceLROnPlateau):
            self._step_on_plateau(scheduler)
        self._is_validated = False

    def on_validation_epoch_end(self) -> None:
        """Logs the validation scores of the epoch."""
        self._log_scores("val", self.val_metrics)
        self._is_validated = not self.trainer.sanity_checking

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimizer of the trained parameters, and its schedule."""
        optimizer = self.optimization.optimizer(self.network, self.plan)
        schedule = self.optimization.schedule(optimizer)
        if schedule is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:  # noqa: ANN401 - Lightning's signature
        """Steps a scheduler, unless it is one for a plateau.

        Lightning would step that after the snapshot of the epoch, so a resumed run would miss it;
        :meth:`on_train_epoch_end` does so before.
        """
        if not isinstance(scheduler, ReduceLROnPlateau):
            super().lr_scheduler_step(scheduler, metric)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds the description, and the running sums of an unfinished epoch, to the checkpoint."""
        # callback_metrics may hold an old score of a class that is absent in this epoch.
        scores = {name: value for split in self._scores.values() for name, value in split.items()}
        known = {"train/loss", "val/loss", *scores}
        logged = self.trainer.callback_metrics.items()
        scores |= {name: float(value) for name, value in logged if name in known}
        epochs: Any = self.trainer.fit_loop.epoch_progress.current  # declared with a base type
        describe(checkpoint, replace(self.description, epoch=epochs.processed, metrics=scores))
        if epochs.started > epochs.processed:
            checkpoint["unfinished_epoch"] = sums_of(self._train_sums)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restores scores and running sums from the checkpoint."""
        for name, value in checkpoint["aerialseg"]["metrics"].items():
            self._scores.setdefault(name.partition("/")[0], {})[name] = value
        if "unfinished_epoch" in checkpoint:
            restore_sums(self._train_sums, checkpoint["unfinished_epoch"])

    @property
    def _train_sums(self) -> dict[str, Metric]:
        return {"loss": self.train_loss, "metrics": self.train_metrics}

    def _step_on_plateau(self, scheduler: ReduceLROnPlateau) -> None:
        """Shows the scheduler its value, unless this epoch has none: it would count as worse."""
        split, _, name = str(self.optimization.monitor).partition("/")
        values = self.trainer.callback_metrics if name == "loss" else self._scores.get(split, {})
        value = float(values.get(str(self.optimization.monitor), math.nan))
        if math.isfinite(value) and (split == "train" or self._is_validated):
            scheduler.step(value)

    def _log_train_loss(self) -> None:
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True, prog_bar=True)

    def _log_scores(self, split: str, metrics: SegmentationMetrics) -> None:
        scores = summarise(metrics.compute(), self.class_names)
        metrics.reset()
        self._scores[split] = {f"{split}/{name}": value for name, value in scores.items()}
        for name, value in self._scores[split].items():
            self.log(name, value, prog_bar=name in ("val/dice", "val/miou"))
