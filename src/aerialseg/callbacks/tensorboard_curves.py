"""The logger for TensorBoard: a run for each stage, and tags in readable sections."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard.writer import FileWriter, SummaryWriter

from aerialseg.callbacks.event_writer import PatientEventWriter
from aerialseg.callbacks.tensorboard_tags import tag_of
from aerialseg.data.images.writing import encode_png
from aerialseg.errors import AerialsegError
from aerialseg.storage.event_files import event_folder, remove_event_files


class TensorBoardCurves(TensorBoardLogger):
    """Writes all logged values, and images, for ``tensorboard --logdir runs/RUN_NAME``.

    Values are logged under :func:`~aerialseg.callbacks.tensorboard_tags.tag_of` their names. Events
    wait in memory while the disk is full.

    In YAML::

        _target_: aerialseg.callbacks.tensorboard_curves.TensorBoardCurves
        save_dir: ${paths.output_dir}

    Args:
        save_dir: The folder of the run. Where it is a ``train`` folder the events lie in the
            folder above it, the stage's, which TensorBoard then calls the run by.
    """

    def __init__(self, save_dir: str) -> None:
        folder = event_folder(Path(save_dir))
        super().__init__(str(folder), name="", version="", default_hp_metric=False)
        self._writer: PatientSummaryWriter | None = None

    @property
    def experiment(self) -> "PatientSummaryWriter":
        """TensorBoard's writer; what it is given is written by the next :meth:`save`."""
        if self._writer is None:
            folder = Path(self.log_dir)
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = self._experiment = PatientSummaryWriter(log_dir=str(folder))
        return self._writer

    def go_on_from(self, step: int) -> None:
        """Lets what was logged at a step and after it count no more; at step 0 it is removed.

        Args:
            step: The number of optimizer steps that training goes on from.
        """
        outdate_from(self, step)
        if step == 0:
            own = self.experiment.file_writer.event_writer.path
            with suppress(AerialsegError):  # they are outdated anyway
                remove_event_files(Path(self.log_dir), keep=own)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Logs values under their tags, without the epoch that Lightning adds to each of them."""
        tagged = {tag_of(name): value for name, value in metrics.items() if name != "epoch"}
        super().log_metrics(tagged, step)

    def log_image(self, tag: str, image: npt.NDArray[np.uint8], step: int) -> None:
        """Logs an image.

        Args:
            tag: Its tag, as it stands.
            image: ``(H, W, 3)`` uint8 RGB.
            step: As of the values that it belongs to.
        """
        height, width, channels = image.shape
        encoded = encode_png(image)
        content = Summary.Image(
            height=height, width=width, colorspace=channels, encoded_image_string=encoded
        )
        summary = Summary(value=[Summary.Value(tag=tag, image=content)])
        self.experiment.file_writer.add_summary(summary, step)

    def save(self) -> None:
        """Writes what is waiting; the hyperparameters are in ``config.yaml``."""
        self.experiment.flush()


class PatientSummaryWriter(SummaryWriter):
    """Torch's writer of summaries, with our writer of events below it."""

    file_writer: Any
    all_writers: Any

    def _get_file_writer(self) -> FileWriter:
        if self.file_writer is None:
            self.file_writer = _PatientFileWriter(Path(self.log_dir))
            self.all_writers = {self.log_dir: self.file_writer}
        return cast("FileWriter", self.file_writer)


class _PatientFileWriter(FileWriter):
    """Torch's writer of event files, without the file and the thread that its own would start."""

    def __init__(self, folder: Path) -> None:
        self.event_writer = PatientEventWriter(folder)


def outdate_from(board: TensorBoardLogger, step: int) -> None:
    """Writes TensorBoard's own note of a restart; readers pass over what it outdates."""
    start = SessionLog(status=SessionLog.START)
    writer: Any = board.experiment.file_writer  # declared as None
    writer.add_event(Event(step=step, session_log=start))


def board_of(trainer: pl.Trainer) -> TensorBoardCurves | None:
    """The logger for TensorBoard of a trainer; None if it has none, so nothing is to be drawn."""
    return next((each for each in trainer.loggers if isinstance(each, TensorBoardCurves)), None)


def epoch_step(trainer: pl.Trainer) -> int:
    """The step at which Lightning logs the scores of the current validation and epoch."""
    return trainer.global_step - 1
