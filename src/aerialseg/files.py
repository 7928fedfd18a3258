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
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from aerialseg.errors import AerialsegError

_TEMPORARY = re.compile(r"\..+-[0-9a-f]{32}(\.\w+)?")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path`` that takes its place when the block ends well.

    The temporary file lies in the same folder, because a rename is atomic only within one file
    system; it is flushed to the disk before the rename and the folder after it. If the block
    raises, the temporary file is removed and whatever was at ``path`` stays. If the process is
    killed, the temporary file stays as well: :func:`remove_leftovers`.

    Raises:
        AerialsegError: If the folder or the file cannot be written.
    """
    temporary = path.with_name(f".{path.stem}-{uuid4().hex}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _opened(path.parent) as folder:
            with suppress(OSError):  # some network file systems know no locks
                fcntl.flock(folder, fcntl.LOCK_SH)
            yield temporary
            flush(temporary)
            temporary.replace(path)
            os.fsync(folder)
    except OSError as error:
        raise AerialsegError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Waits until what a file holds, or which names a folder has, is on the disk.

    Raises:
        OSError: If the disk refuses.
    """
    with _opened(path) as descriptor:
        os.fsync(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files that killed processes left in a folder.

    A living process that writes into the folder holds a lock on it, which the system takes back
    when the process dies. While there is one, everything stays.
    """
    if not folder.is_dir():
        return
    with _opened(folder) as descriptor, suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in folder.iterdir():
            if _TEMPORARY.fullmatch(path.name) and path.is_file():
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


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
