"""Unpacking a zip archive once, and only if it stays inside its folder."""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path
from uuid import uuid4

from aerialseg.data.files import fingerprint, stamp, stays_inside
from aerialseg.data.listing import count
from aerialseg.errors import DataError


def unpack(archive: Path, cache_dir: Path) -> Path:
    """Unpacks ``archive`` below ``cache_dir``; the next call finds it there.

    The folder is named by the archive's name, size and time, so a new archive is unpacked anew,
    and it appears whole or not at all.

    Raises:
        DataError: If the file is no zip archive or damaged, if a member is a link, has an absolute
            path or one with ``..``, or if there is no room.
    """
    name = f"{archive.stem}-{fingerprint(stamp(archive))[:16]}"
    target = cache_dir / "archives" / name
    if target.is_dir():
        return target
    temporary = target.with_name(f".{name}.{uuid4().hex}")
    try:
        with zipfile.ZipFile(archive) as file:
            _check_members(archive, file.infolist())
            temporary.mkdir(parents=True)
            _check_room(archive, file.infolist(), temporary)
            file.extractall(temporary)
        temporary.rename(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{archive}: cannot be unpacked: {error}; download it again") from None
    except OSError as error:
        if not target.is_dir():  # else another process unpacked it meanwhile
            reason = error.strerror or str(error)
            raise DataError(f"{archive}: cannot be unpacked to {target}: {reason}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _check_members(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    outside = [member.filename for member in members if not stays_inside(member.filename)]
    if outside:
        raise DataError(
            f"{archive}: {count(outside, 'member')} would land outside its folder; do not trust it"
        )
    links = [member.filename for member in members if stat.S_ISLNK(member.external_attr >> 16)]
    if links:
        raise DataError(f"{archive}: holds {count(links, 'link')}; pack the files instead")


def _check_room(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    wanted = sum(member.file_size for member in members)
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise DataError(
            f"{archive}: needs {wanted / 1e9:.1f} GB below {folder.parent}, where "
            f"{free / 1e9:.1f} GB are free; point paths.cache_dir elsewhere"
        )
