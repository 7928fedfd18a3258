"""What a process does to itself when it is about to change its folder."""

import errno
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from aerialseg.callbacks import checkpoint
from helpers.systems import LOCK

if sys.platform != "win32":
    import resource

TEMPORARY = re.compile(r"\.(.+)\.aerialseg-[0-9a-f]{32}(\.[^.]+)?")


@dataclass(frozen=True)
class At:
    """Does something just before the ``number``-th change of a kind to files of a name.

    A file that is opened to be written goes by the name it is going to have.
    """

    do: Callable[[], None]
    change: str = "*"  # open, rename, link or remove
    name: str = "*"
    number: int = 1

    def __call__(self) -> None:
        seen = 0

        def watch(change: str, path: Path) -> None:
            nonlocal seen
            seen += fnmatch(change, self.change) and fnmatch(path.name, self.name)
            if seen == self.number:
                seen += 1
                self.do()

        watch_changes(watch)


@dataclass(frozen=True)
class RefuseWriting:
    """Lets some of the files that are opened to be written find the disk full."""

    first: int
    count: int

    def __call__(self) -> None:
        checkpoint._PAUSES = (0, 0, 0)
        opened = 0

        def refuse(change: str, path: Path) -> None:
            nonlocal opened
            opened += change == "open"
            if change == "open" and self.first <= opened < self.first + self.count:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        watch_changes(refuse)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_beyond(size: int) -> None:
    """Lets the system end this process at the byte of a file that is one too many."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    limit_files(size)


def limit_files(size: int) -> None:
    """Refuses every byte of a file beyond a size, as a full disk would."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def limit_files_for_good(size: int) -> None:
    checkpoint._PAUSES = (0, 0, 0)
    limit_files(size)


def record_flushes(path: Path) -> None:
    """Writes down what is opened to be written, flushed and renamed, in this order."""
    record = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    flush, sync = os.fsync, os.sync

    def recording(file: int) -> None:
        flush(file)
        os.write(record, f"flush {Path(f'/proc/self/fd/{file}').readlink()}\n".encode())

    def recording_all() -> None:
        sync()
        os.write(record, b"sync\n")

    os.fsync, os.sync = recording, recording_all

    def write(change: str, source: Path, target: Path) -> None:
        os.write(record, f"{change} {source} {target}\n".encode())

    _hook(write)


def watch_changes(watch: Callable[[str, Path], None]) -> None:
    """Calls a function before each change, with its kind and the name it leads to."""

    def named(change: str, source: Path, target: Path) -> None:
        temporary = TEMPORARY.fullmatch(target.name)
        if temporary is None:
            watch(change, target)
        elif change != "remove":
            watch(change, target.with_name(temporary[1] + (temporary[2] or "")))

    _hook(named)


def _hook(tell: Callable[[str, Path, Path], None]) -> None:
    here = Path.cwd()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            found = "open" if isinstance(path, str) and _writes(flags) else ""
            source = target = path
        elif event in ("os.rename", "os.link", "os.remove"):
            found = event.removeprefix("os.")
            source, target = arguments[0], arguments[0 if found == "remove" else 1]
        else:
            return
        # Lock files hold nothing; the tests of the storage kill writers around theirs.
        if found and here in Path(target).parents and not LOCK.fullmatch(Path(target).name):
            tell(found, Path(source), Path(target))

    sys.addaudithook(hook)


def _writes(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
