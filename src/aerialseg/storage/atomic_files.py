"""Writing files so that a reader never sees half of one."""

import csv
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

from aerialseg.errors import AerialsegError
from aerialseg.storage.claims import abandoned, claimed, is_temporary, temporary_name
from aerialseg.storage.system_calls import flush, flush_folder, flush_tree, move_file, move_folder


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
    temporary = temporary_name(path)
    try:
        _make_ready(path.parent)
        with claimed(temporary):
            try:
                yield temporary
                flush(temporary)
                move_file(temporary, path)
                flush_folder(path.parent)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise AerialsegError(f"{path}: cannot be written: {error.strerror or error}") from error


@contextmanager
def building(path: Path) -> Iterator[Path]:
    """Yields a new folder beside ``path`` that takes this name when the block ends well.

    As :func:`replacing` does with a file. A folder that another process has built there meanwhile
    stays, and the new one goes.

    Raises:
        OSError: If it cannot be written.
    """
    temporary = temporary_name(path)
    _make_ready(path.parent)
    with claimed(temporary):
        try:
            temporary.mkdir()
            yield temporary
            flush_tree(temporary)
            try:
                move_folder(temporary, path)
            except OSError:
                if not path.is_dir():  # else another process was as busy, and quicker
                    raise
            flush_folder(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def discard(path: Path) -> None:
    """Removes a folder; its name is gone at once, so that nobody meets half of it.

    Raises:
        OSError: If it cannot be renamed. What then cannot be removed is a leftover.
    """
    doomed = temporary_name(path)
    move_folder(path, doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Removes a folder as :func:`discard` does, unless another process has.

    Raises:
        AerialsegError: If it cannot be removed; then nothing in it has changed.
    """
    try:
        with suppress(FileNotFoundError):
            discard(path)
    except OSError as error:
        raise AerialsegError(f"{path}: cannot be removed: {error.strerror or error}") from error


def remove_file(path: Path) -> None:
    """Removes a file if it is there.

    Raises:
        AerialsegError: If it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise AerialsegError(f"{path}: cannot be removed: {error.strerror or error}") from error


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files and folders that killed processes left in a folder.

    What a living process is writing stays: it holds the lock of it, which the system takes back
    when the process dies.
    """
    if not folder.is_dir():
        return
    found = [path for path in folder.iterdir() if is_temporary(path.name)]
    for path in found:
        with suppress(OSError), abandoned(path):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


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


def _make_ready(folder: Path) -> None:
    """Makes a folder, or frees it of leftovers."""
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers_once(folder)
