"""Unpacking a zip archive once, and only if it stays inside its folder and its measure."""

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

_HARMLESS = 100_000_000  # bytes, unpacked; no need to ask how few they were packed into
_MOST_TIMES = 100  # images, which are packed already, grow by nearly nothing
_BY_HAND = "yourself and give its folder: data.root=PATH"
_ENCRYPTED = 1  # a bit of a member's flags
_ON_WINDOWS = os.name == "nt"


def unpack(archive: Path, cache_dir: Path) -> Path:
    """Unpacks ``archive`` below ``cache_dir``; the next call finds it there.

    The folder is named by the archive's name, size and time, so a new archive is unpacked anew,
    and it appears whole or not at all.

    Raises:
        DataError: If the file is no zip archive or damaged, if a member is a link, is encrypted,
            has an absolute path or one with ``..``, or shares its name with another, if the whole
            grows out of all proportion, if there is no room, or if Windows does not allow a name.
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
    except Exception as error:  # over damaged archives zipfile raises nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{archive}: cannot be unpacked: {reason}; download it again") from None
    return target


def _check_members(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if outside := [name for name in names if not stays_inside(name)]:
        raise DataError(
            f"{archive}: {count(outside, 'member')} would land outside its folder; do not trust it"
        )
    if links := [m.filename for m in members if stat.S_ISLNK(m.external_attr >> 16)]:
        raise DataError(f"{archive}: holds {count(links, 'link')}; pack the files instead")
    if windows := [name for name in names if "\\" in name]:
        raise DataError(
            f"{archive}: holds {count(windows, 'member')} with backslashes for slashes; unpack it "
            f"{_BY_HAND}"
        )
    if locked := [m.filename for m in members if m.flag_bits & _ENCRYPTED]:
        raise DataError(
            f"{archive}: holds {count(locked, 'encrypted member')}; unpack it {_BY_HAND}"
        )
    # zipfile would rename them in silence, and the data set's lists would no longer fit.
    if odd := [name for name in names if _ON_WINDOWS and not fits_windows(name)]:
        raise DataError(
            f"{archive}: holds {count(odd, 'member')} with a name that Windows does not allow; "
            "pack it again with other names, or unpack it on another system"
        )
    # Where capitals make no difference, the later would take the place of the earlier.
    times = Counter(PurePosixPath(name.casefold()) for name in names)
    if twice := [n for n in names if times[PurePosixPath(n.casefold())] > 1]:
        raise DataError(
            f"{archive}: holds {count(twice, 'member')} of the same name, capitals aside; pack "
            "each file once"
        )


def _check_size(archive: Path, members: list[zipfile.ZipInfo], target: Path) -> None:
    packed, wanted = archive.stat().st_size, sum(member.file_size for member in members)
    if wanted > max(_HARMLESS, _MOST_TIMES * packed):
        raise DataError(
            f"{archive}: would grow from {packed / 1e6:.1f} MB to {wanted / 1e6:.0f} MB, more than "
            f"{_MOST_TIMES} times; do not trust it, or unpack it {_BY_HAND}"
        )
    free = free_space(target)
    if wanted > free:
        raise DataError(
            f"{archive}: needs {wanted / 1e9:.1f} GB below {target.parent}, where "
            f"{free / 1e9:.1f} GB are free; point paths.cache_dir elsewhere"
        )
