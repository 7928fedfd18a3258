"""Sample predictions and the confusion matrix in TensorBoard."""

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
import torch
from annotated_types import Ge
from pytorch_lightning.loggers import TensorBoardLogger

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.kernels.upsampling import most_likely
from aerialseg.models.module import SegmentationModule
from aerialseg.report.sheet_rows import prediction_row
from aerialseg.viz.matrix import draw_confusion_matrix
from aerialseg.viz.sheets import PredictionRow, prediction_sheet


class SamplePredictions(pl.Callback):
    """Logs predictions for some validation images and the confusion matrix to TensorBoard.

    The images are the same in every epoch, spread evenly over the validation split, so that
    progress is visible. Other loggers get nothing.

    In YAML::

        samples:
          _target_: aerialseg.callbacks.samples.SamplePredictions
          count: 4
          every_n_epochs: 5

    Args:
        count: Number of images.
        every_n_epochs: Epochs between two sheets; the last planned epoch always gets one.
    """

    def __init__(
        self, count: Annotated[int, Ge(1)] = 4, *, every_n_epochs: Annotated[int, Ge(1)] = 5
    ) -> None:
        self.count = count
        self.every_n_epochs = every_n_epochs

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Logs the images of an epoch that is due."""
        due = (trainer.current_epoch + 1) % self.every_n_epochs == 0
        last = trainer.current_epoch + 1 == trainer.max_epochs
        if trainer.sanity_checking or not (due or last):
            return
        board, data = trainer.logger, getattr(trainer, "datamodule", None)
        if (
            isinstance(board, TensorBoardLogger)
            and isinstance(data, AerialSegDataModule)
            and isinstance(pl_module, SegmentationModule)
        ):
            step = trainer.global_step - 1  # the step at which Lightning logs the epoch's scores
            for name, image in self._draw(pl_module, data).items():
                board.experiment.add_image(name, image, step, dataformats="HWC")

    def _draw(
        self, module: SegmentationModule, data: AerialSegDataModule
    ) -> dict[str, npt.NDArray[np.uint8]]:
        """The prediction sheet and the confusion matrix, by tag."""
        matrix = module.val_metrics.compute().cpu().numpy()
        dataset = data.dataset("val")
        step = max(1, len(dataset) // self.count)
        chosen = range(0, len(dataset), step)[: self.count]
        rows = [_row(module, dataset[index]) for index in chosen]
        return {
            "val/predictions": prediction_sheet(rows, data.classes),
            "val/confusion": draw_confusion_matrix(matrix, data.classes.names, normalise=True),
        }


def _row(module: SegmentationModule, sample: dict[str, Any]) -> PredictionRow:
    height, width = sample["mask"].shape
    with torch.no_grad():
        logits = module(sample["image"][None].to(module.device))["out"]
    prediction = most_likely(logits, (height, width))[0].cpu().numpy()
    return prediction_row(sample, prediction, num_classes=logits.shape[1])
