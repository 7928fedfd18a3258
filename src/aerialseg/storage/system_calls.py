"""System calls that differ between Linux, macOS and Windows."""

import os
import time
from collections.abc import Callable
from pathlib import Path

_PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Seconds between the attempts to move something onto a name that another program has open."""


def flush(path: Path) -> None:
    """Waits until the bytes of a file are on the disk.

    Raises:
        OSError: If the disk refuses.
    """
    # Windows flushes only what was opened for writing; elsewhere a read-only file is fine.
    _flush(os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY))


def flush_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk, where the system lets programs ask.

    Windows opens no folders. Its file system keeps a journal of names, so that after a power cut
    a name leads to the old file or to the new one.

    Raises:
        OSError: If the disk refuses.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    _flush(descriptor)


def flush_tree(folder: Path) -> None:
    """Waits until everything below a folder is on the disk.

    Raises:
        OSError: If the disk refuses.
    """
    if hasattr(os, "sync"):
        os.sync()  # one by one, thousands of files would take their time
        return
    for path in folder.rglob("*"):
        if path.is_file():
            flush(path)


def move_file(source: Path, target: Path) -> None:
    """Gives a file another name in its folder, in the place of what had that name.

    Raises:
        OSError: If it cannot be done.
    """
    _patiently(lambda: source.replace(target))


def move_folder(source: Path, target: Path) -> None:
    """Gives a folder another name beside it.

    Raises:
        OSError: If it cannot be done, because there is one of that name for example.
    """
    _patiently(lambda: source.rename(target))


def _patiently(move: Callable[[], object]) -> None:
    """Tries again for a moment: Windows refuses while any program has one of the files open.

    A virus scanner or a search index lets go of a new file soon; a viewer does not.
    """
    for pause in _PAUSES:
        try:
            move()
        except PermissionError:
            time.sleep(pause)
        else:
            return
    try:
        move()
    except PermissionError as error:
        reason = (error.strerror or "not allowed").rstrip(".")
        advice = "if another program has it open, close that and run the command again"
        raise PermissionError(error.errno, f"{reason}; {advice}") from error


def _flush(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
