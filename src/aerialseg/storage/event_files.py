"""TensorBoard's event files: where those of a run lie, and which are ours."""

import os
from pathlib import Path

from aerialseg.errors import AerialsegError

_OURS = "aerialseg"
"""The end of our files' names: others may keep theirs in the same folder."""


def event_folder(train_folder: Path) -> Path:
    """The folder of a run's event files.

    TensorBoard calls a run after this folder, so it is that of the stage,
    ``runs/<run_name>/<stage>``; of a run elsewhere it is the run's own.

    Args:
        train_folder: The folder of the training run.
    """
    return train_folder.parent if train_folder.name == "train" else train_folder


def new_event_file(folder: Path, began: float) -> Path:
    """A file that is still to be written.

    Args:
        folder: Where it will lie.
        began: Seconds since 1970; readers take files in the order of the time in their name.
    """
    return folder / f"events.out.tfevents.{began:.6f}.{os.getpid()}.{_OURS}"


def event_files(folder: Path) -> list[Path]:
    """The event files in a folder that this project has written, the oldest first."""
    return sorted(folder.glob(f"events.out.tfevents.*.{_OURS}"))


def remove_event_files(folder: Path, *, keep: Path | None = None) -> None:
    """Removes the event files that this project has written into a folder.

    Args:
        folder: Where they lie.
        keep: One that stays.

    Raises:
        AerialsegError: If one cannot be removed.
    """
    for path in event_files(folder):
        if path != keep:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                reason = error.strerror or error
                raise AerialsegError(f"{path}: cannot be removed: {reason}") from error
