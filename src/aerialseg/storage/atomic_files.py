"""Writing files so that a reader never sees half of one."""

import csv
import fcntl
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from aerialseg.errors import AerialsegError

_TEMPORARY = re.compile(r"\..+\.aerialseg-[0-9a-f]{32}(\.[^.]+)?")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path`` that takes its place when the block ends well.

    The temporary file lies in the same folder, because a rename is atomic only within one file
    system; it is flushed to the disk before the rename and the folder after it. If the block
    raises, the temporary file is removed and whatever was at ``path`` stays. If the process is
    killed, the next one that writes into the folder removes it: :func:`remove_leftovers`.

    Raises:
        AerialsegError: If the folder or the file cannot be written.
    """
    temporary = _temporary(path)
    try:
        with _writing_into(path.parent) as folder:
            yield temporary
            flush(temporary)
            temporary.replace(path)
            os.fsync(folder)
    except OSError as error:
        raise AerialsegError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def building(path: Path) -> Iterator[Path]:
    """Yields a new folder beside ``path`` that takes this name when the block ends well.

    As :func:`replacing` does with a file. A folder that another process has built there meanwhile
    stays, and the new one goes.

    Raises:
        OSError: If it cannot be written.
    """
    temporary = _temporary(path)
    try:
        with _writing_into(path.parent) as folder:
            temporary.mkdir()
            yield temporary
            os.sync()  # one by one, thousands of files would take their time
            try:
                temporary.rename(path)
            except OSError:
                if not path.is_dir():  # else another process was as busy, and quicker
                    raise
            os.fsync(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def discard(path: Path) -> None:
    """Removes a folder; its name is gone at once, so that nobody meets half of it.

    Raises:
        OSError: If it cannot be renamed. What then cannot be removed is a leftover.
    """
    doomed = _temporary(path)
    path.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def flush(path: Path) -> None:
    """Waits until what a file holds, or which names a folder has, is on the disk.

    Raises:
        OSError: If the disk refuses.
    """
    with _opened(path) as descriptor:
        os.fsync(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files and folders that killed processes left in a folder.

    A living process that writes into the folder holds a lock on it, which the system takes back
    when the process dies. While there is one, everything stays.
    """
    if not folder.is_dir():
        return
    with _opened(folder) as descriptor, suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in folder.iterdir():
            if not _TEMPORARY.fullmatch(path.name):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text atomically."""
    write_bytes(path, text.encode())


def csv_text(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A header and rows as CSV, one line each; None is an empty cell."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Writes a mapping as indented JSON, atomically."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def hash_file(path: Path) -> str:
    """The sha256 of a file's bytes, as 64 hexadecimal digits."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def free_space(path: Path) -> int:
    """Bytes that may still be written where a file would lie, its folders yet to be made or not."""
    existing = next(parent for parent in path.absolute().parents if parent.exists())
    return shutil.disk_usage(existing).free


_remove_leftovers_once = cache(remove_leftovers)


@contextmanager
def _writing_into(folder: Path) -> Iterator[int]:
    """Makes a folder, frees it of leftovers and locks it against their removal; its descriptor."""
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers_once(folder)
    with _opened(folder) as descriptor:
        with suppress(OSError):  # some network file systems know no locks
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield descriptor


def _temporary(path: Path) -> Path:
    """A name that nobody else has, beside ``path``."""
    return path.with_name(f".{path.stem}.aerialseg-{uuid4().hex}{path.suffix}")


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
