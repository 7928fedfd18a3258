"""Locks between processes, and temporary names whose locks tell whether they are still in use.

Each temporary file or folder has a lock file of its own beside it, made before it and removed after
it. The system frees the lock when the process that holds it dies, so whoever can take the lock of
a temporary name has found a leftover. The lock is never on the temporary file itself: Windows
would refuse to write to that.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import BaseFileLock, FileLock, Timeout

_TEMPORARY = re.compile(r"\..+\.aerialseg-([0-9a-f]{32})(\.[^.]+)?", re.DOTALL)
_LOCK = re.compile(r"\.aerialseg-([0-9a-f]{32})\.lock")
_LONGEST_NAME = 255
"""Bytes of a name that file systems take."""
_LONGEST_SUFFIX = 20
"""Characters; what is longer is no suffix but a part of a name with a dot in it."""
_PATIENCE = 10.0
"""Seconds to wait for a lock that nobody can hold."""
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL})
"""What network file systems without locks answer; no leftovers can be told apart there."""


@contextmanager
def exclusive(path: Path) -> Iterator[bool]:
    """Holds a lock file while the block runs; the system frees it when the process dies.

    Args:
        path: The lock file, made if missing, in a folder that is made if missing.

    Yields:
        Whether the lock was free. On file systems that know no locks it always is.

    Raises:
        OSError: If the lock file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        yield False
        return
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    try:
        yield True
    finally:
        _remove(lock)


def temporary_name(path: Path) -> Path:
    """A name that nobody else has, beside ``path``, with its suffix and no longer than names are.

    It begins as the name of ``path`` does, as far as there is room.
    """
    suffix = path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else ""
    end = f".aerialseg-{uuid4().hex}{suffix}"
    room = _LONGEST_NAME - len(f".{end}".encode(errors="surrogatepass"))
    start = path.stem.encode(errors="ignore")[:room].decode(errors="ignore")
    return path.with_name(f".{start}{end}")


@contextmanager
def claimed(temporary: Path) -> Iterator[None]:
    """Keeps :func:`abandoned` in every process from a temporary name while the block runs.

    Raises:
        OSError: If the lock file cannot be made. On file systems that know no locks the block
            runs without; nothing is ever taken for abandoned there.
    """
    lock = _lock_of(temporary)
    try:
        try:
            lock.acquire(timeout=_PATIENCE)
        except Timeout:  # the name is new, so nobody holds it: some systems say so of no locks
            pass
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        _remove(lock)


@contextmanager
def abandoned(found: Path) -> Iterator[None]:
    """Holds the lock of a temporary name that nobody is writing under.

    Args:
        found: A temporary file or folder, or a lock file.

    Raises:
        OSError: If its writer is alive, or if that cannot be told.
    """
    lock = _lock_of(found)
    lock.acquire(blocking=False)
    try:
        yield
    finally:
        _remove(lock)


def is_temporary(name: str) -> bool:
    """Whether a name is that of a temporary file or folder, or of a lock."""
    return bool(_TEMPORARY.fullmatch(name) or _LOCK.fullmatch(name))


def _lock_of(path: Path) -> BaseFileLock:
    """The lock of a temporary name, not taken yet."""
    found = _TEMPORARY.fullmatch(path.name) or _LOCK.fullmatch(path.name)
    if found is None:
        raise ValueError(f"{path}: is no temporary name")
    # A marker file in the place of a lock would outlive a process that is killed.
    return FileLock(path.with_name(f".aerialseg-{found[1]}.lock"), fallback_to_soft=False)


def _remove(lock: BaseFileLock) -> None:
    """Removes a lock file, then frees the lock.

    In this order nobody can take the lock of a file that is about to go. Windows refuses to
    remove an open file; there filelock removes it when it is freed.
    """
    with suppress(OSError):
        Path(lock.lock_file).unlink()
    lock.release()
