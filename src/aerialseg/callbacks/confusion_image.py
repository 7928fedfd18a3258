"""The confusion matrix of each validation in TensorBoard."""

import pytorch_lightning as pl

from aerialseg.callbacks.tensorboard_curves import board_of, epoch_step
from aerialseg.models.module import SegmentationModule
from aerialseg.viz.matrix import draw_confusion_matrix


class ConfusionMatrixImage(pl.Callback):
    """Logs the confusion matrix of each validation to TensorBoard, each row in percent.

    It is the matrix that the scores are computed from. Without TensorBoard nothing is drawn.

    In YAML::

        confusion:
          _target_: aerialseg.callbacks.confusion_image.ConfusionMatrixImage
    """

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draws the matrix before the module logs its scores and begins another."""
        board = board_of(trainer)
        if trainer.sanity_checking or board is None:
            return
        if isinstance(pl_module, SegmentationModule):
            matrix = pl_module.val_metrics.compute().cpu().numpy()
            image = draw_confusion_matrix(matrix, pl_module.class_names, normalise=True)
            board.log_image("val_images/confusion_matrix", image, epoch_step(trainer))
