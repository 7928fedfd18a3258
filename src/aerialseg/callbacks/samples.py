"""Predictions for some validation images in TensorBoard."""

from itertools import chain, islice
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
from annotated_types import Ge
from torch.utils.data import DataLoader

from aerialseg.callbacks.tensorboard_curves import board_of, epoch_step
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.kernels.upsampling import most_likely
from aerialseg.models.module import SegmentationModule
from aerialseg.report.sheet_rows import prediction_row, varied_indices
from aerialseg.viz.sheets import prediction_sheet


class SamplePredictions(pl.Callback):
    """Logs some validation images to TensorBoard: input, truth, prediction and errors.

    They are the same in every epoch, of different groups where there are enough, and chosen so that
    together they show all classes. What is drawn are predictions of the validation itself, so it
    costs no forward pass. Without TensorBoard
    nothing is kept or drawn.

    In YAML::

        samples:
          _target_: aerialseg.callbacks.samples.SamplePredictions
          count: 4
          every_n_epochs: 5

    Args:
        count: Number of images.
        every_n_epochs: Epochs between two sheets; the first and the last planned validation always
            give one.
    """

    def __init__(
        self, count: Annotated[int, Ge(1)] = 4, *, every_n_epochs: Annotated[int, Ge(1)] = 5
    ) -> None:
        self.count = count
        self.every_n_epochs = every_n_epochs
        self._data: AerialSegDataModule | None = None
        self._chosen: frozenset[int] = frozenset()
        self._predictions: dict[int, npt.NDArray[np.uint8]] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forgets the images of an earlier training."""
        self._data, self._chosen = None, frozenset()

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Chooses the images, the first time."""
        self._predictions = {}
        data = getattr(trainer, "datamodule", None)
        if self._data is not None or not self._is_due(trainer):
            return
        if isinstance(data, AerialSegDataModule) and isinstance(pl_module, SegmentationModule):
            self._data, self._chosen = data, _chosen_images(trainer, data, self.count)

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,  # noqa: ANN401 - Lightning's signature
        batch: Any,  # noqa: ANN401
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keeps what was predicted for images of the batch that are shown."""
        if self._data is None or not self._is_due(trainer):
            return
        size = (batch["mask"].shape[-2], batch["mask"].shape[-1])
        for row, index in enumerate(batch["index"].tolist()):
            if index in self._chosen:
                predicted = most_likely(outputs["logits"][row : row + 1], size)
                self._predictions[index] = predicted[0].cpu().numpy()

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Logs the images of a validation that is due."""
        board = board_of(trainer)
        if board is None or self._data is None or not self._predictions:
            return
        classes, images = self._data.classes, self._data.dataset("val")
        rows = [
            prediction_row(images[index], prediction, num_classes=len(classes))
            for index, prediction in sorted(self._predictions.items())
        ]
        self._predictions = {}
        sheet = prediction_sheet(rows, classes, with_errors=True)
        board.log_image("val_images/predictions", sheet, epoch_step(trainer))

    def _is_due(self, trainer: pl.Trainer) -> bool:
        """Whether the running validation gives a sheet."""
        if trainer.sanity_checking or board_of(trainer) is None:
            return False
        every, done = trainer.check_val_every_n_epoch or 1, trainer.current_epoch + 1
        is_first, is_last = done <= every, done + every > (trainer.max_epochs or 0) >= done
        periods, before = (epochs // self.every_n_epochs for epochs in (done, done - every))
        return is_first or is_last or periods > before


def _chosen_images(trainer: pl.Trainer, data: AerialSegDataModule, count: int) -> frozenset[int]:
    """Indices of validated images; a trainer may be told to validate the first batches only."""
    samples, loader = data.samples("val"), trainer.val_dataloaders
    indices = list(range(len(samples)))
    if isinstance(loader, DataLoader):
        batches: Any = loader.batch_sampler
        indices = sorted(chain.from_iterable(islice(batches, int(trainer.num_val_batches[0]))))
    groups = data.sources.groups_of([samples[index] for index in indices])
    chosen = varied_indices(data.counts_of("val")[indices], groups, count)
    return frozenset(indices[place] for place in chosen)
