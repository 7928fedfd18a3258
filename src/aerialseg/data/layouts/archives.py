"""Unpacks a zip archive once, after checking its paths and its size."""

import os
import stat
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

from aerialseg.data.layouts.listing import count
from aerialseg.errors import DataError
from aerialseg.storage.atomic_files import building, free_space
from aerialseg.storage.fingerprints import fingerprint, stamp
from aerialseg.storage.names import fits_windows, stays_inside

_SMALL = 100_000_000  # unpacked bytes below which the ratio is not checked
_MAX_RATIO = 100  # images are compressed already, so their ratio is close to 1
_BY_HAND = "yourself and give its folder: data.root=PATH"
_ENCRYPTED = 1  # flag bit of a member
_ON_WINDOWS = os.name == "nt"


def unpack(archive: Path, cache_dir: Path) -> Path:
    """Unpacks ``archive`` below ``cache_dir``; the next call finds it there.

    The folder name contains the archive's name and a hash of its size and time, so a changed
    archive is unpacked again. The folder is created atomically.

    Raises:
        DataError: If the file is not a zip archive or is damaged, if a member is a link, is
            encrypted, has an absolute path or one with ``..``, or has the same name as another, if
            the compression ratio is suspicious, or if the disk has no room.
    """
    target = cache_dir / "archives" / f"{archive.stem}-{fingerprint(stamp(archive))[:16]}"
    if target.is_dir():
        return target
    try:
        with zipfile.ZipFile(archive) as file:
            _check_members(archive, file.infolist())
            _check_size(archive, file.infolist(), target)
            with building(target) as folder:
                file.extractall(folder)
    except DataError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"{archive}: cannot be unpacked to {target}: {reason}; point paths.cache_dir to a "
            "folder with room that you may write to"
        ) from error
    except Exception as error:  # zipfile raises many types for damaged archives
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{archive}: cannot be unpacked: {reason}; download it again") from None
    return target


def _check_members(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    """Raises DataError if a member must not or cannot be unpacked."""
    names = [member.filename for member in members]
    if outside := [name for name in names if not stays_inside(name)]:
        raise DataError(
            f"{archive}: {count(outside, 'member')} would be written outside its folder; do not "
            "trust it"
        )
    if links := [m.filename for m in members if stat.S_ISLNK(m.external_attr >> 16)]:
        raise DataError(f"{archive}: holds {count(links, 'link')}; pack the files instead")
    if windows := [name for name in names if "\\" in name]:
        raise DataError(
            f"{archive}: holds {count(windows, 'member')} with backslashes as separators; "
            f"unpack it {_BY_HAND}"
        )
    if locked := [m.filename for m in members if m.flag_bits & _ENCRYPTED]:
        raise DataError(
            f"{archive}: holds {count(locked, 'encrypted member')}; unpack it {_BY_HAND}"
        )
    # zipfile would rename them silently, and the lists of the data set would no longer match.
    if odd := [name for name in names if _ON_WINDOWS and not fits_windows(name)]:
        raise DataError(
            f"{archive}: holds {count(odd, 'member')} with a name that Windows does not allow; "
            "pack it again with other names, or unpack it on another system"
        )
    # On case-insensitive file systems the later would overwrite the earlier.
    times = Counter(PurePosixPath(name.casefold()) for name in names)
    if twice := [n for n in names if times[PurePosixPath(n.casefold())] > 1]:
        raise DataError(
            f"{archive}: holds {count(twice, 'member')} with the same name up to case; pack "
            "each file once"
        )


def _check_size(archive: Path, members: list[zipfile.ZipInfo], target: Path) -> None:
    """Raises DataError if the archive is suspiciously compressed or the disk has no room."""
    packed, wanted = archive.stat().st_size, sum(member.file_size for member in members)
    if wanted > max(_SMALL, _MAX_RATIO * packed):
        raise DataError(
            f"{archive}: would expand from {packed / 1e6:.1f} MB to {wanted / 1e6:.0f} MB, "
            f"more than {_MAX_RATIO} times; do not trust it, or unpack it {_BY_HAND}"
        )
    free = free_space(target)
    if wanted > free:
        raise DataError(
            f"{archive}: needs {wanted / 1e9:.1f} GB below {target.parent}, where "
            f"{free / 1e9:.1f} GB are free; point paths.cache_dir elsewhere"
        )
