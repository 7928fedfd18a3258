"""Writes TensorBoard's events so that a full disk ends nothing."""

import io
import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.record_writer import RecordWriter

from aerialseg.storage.event_files import new_event_file

logger = logging.getLogger(__name__)


class PatientEventWriter:
    """Appends TensorBoard's events to a file; what a full disk refuses is written with the next.

    TensorBoard's own writer fails for good, and training with it.

    Args:
        folder: Where the file is made.

    Attributes:
        path: The file, which the first :meth:`flush` makes.
    """

    def __init__(self, folder: Path) -> None:
        began = time.time()
        self.path = new_event_file(folder, began)
        self._size = 0
        self._refused = False
        self._waiting = io.BytesIO()
        self.add_event(Event(wall_time=began, file_version="brain.Event:2"))

    def get_logdir(self) -> str:
        """The folder of the file."""
        return str(self.path.parent)

    def add_event(self, event: Event) -> None:
        """Takes an event; :meth:`flush` writes it."""
        RecordWriter(self._waiting).write(event.SerializeToString())

    def flush(self) -> None:
        """Writes what is waiting, whole or not at all."""
        data = self._waiting.getvalue()
        try:
            with self.path.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file)
        except OSError as error:
            with suppress(OSError):
                os.truncate(self.path, self._size)
            if not self._refused:
                logger.warning("%s: %s; curves wait in memory", self.path, error.strerror)
            self._refused = True
        else:
            self._size += len(data)
            self._refused = False
            self._waiting = io.BytesIO()

    def reopen(self) -> None:
        """Does nothing: the file is open only while it is being written."""

    def close(self) -> None:
        """Writes what is waiting."""
        self.flush()
