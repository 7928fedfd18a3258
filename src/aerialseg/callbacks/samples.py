"""What the network sees and says, as pictures among the curves."""

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
import torch
from annotated_types import Ge
from pytorch_lightning.loggers import TensorBoardLogger

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.kernels.upsampling import most_likely
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import image_scores
from aerialseg.models.module import SegmentationModule
from aerialseg.viz.matrix import confusion_picture
from aerialseg.viz.sheets import PredictionRow, prediction_sheet


class SamplePredictions(pl.Callback):
    """Logs a sheet of validation pictures and the confusion matrix to TensorBoard.

    The same pictures every time, spread over the validation split, so that progress shows. Does
    nothing with a logger that takes no pictures.

    In YAML::

        samples:
          _target_: aerialseg.callbacks.samples.SamplePredictions
          count: 4
          every_n_epochs: 5

    Args:
        count: How many pictures.
        every_n_epochs: Epochs between two sheets; the last that is planned has one too.
    """

    def __init__(
        self, count: Annotated[int, Ge(1)] = 4, *, every_n_epochs: Annotated[int, Ge(1)] = 5
    ) -> None:
        self.count = count
        self.every_n_epochs = every_n_epochs

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draws after the epochs that are due."""
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
            step = trainer.global_step - 1  # where Lightning puts the scores of the epoch
            for name, picture in self._pictures(pl_module, data).items():
                board.experiment.add_image(name, picture, step, dataformats="HWC")

    def _pictures(
        self, module: SegmentationModule, data: AerialSegDataModule
    ) -> dict[str, npt.NDArray[np.uint8]]:
        matrix = module.val_metrics.compute().cpu().numpy()
        dataset = data.dataset("val")
        step = max(1, len(dataset) // self.count)
        chosen = range(0, len(dataset), step)[: self.count]
        rows = [_row(module, dataset[index]) for index in chosen]
        return {
            "val/predictions": prediction_sheet(rows, data.classes),
            "val/confusion": confusion_picture(matrix, data.classes.names, normalise=True),
        }


def _row(module: SegmentationModule, sample: dict[str, Any]) -> PredictionRow:
    image, mask = sample["image"], sample["mask"]
    with torch.no_grad():
        logits = module(image[None].to(module.device))["out"]
    prediction = most_likely(logits, (mask.shape[0], mask.shape[1]))[0].cpu()
    matrix = confusion_matrix(prediction, mask, logits.shape[1])
    return PredictionRow(
        str(sample["id"]),
        image.permute(1, 2, 0).numpy(),
        mask.numpy(),
        prediction.numpy(),
        **image_scores(matrix),
    )
