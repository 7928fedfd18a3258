"""Files that are whole or absent, and fingerprints of what something was made from."""

import hashlib
import json
from pathlib import Path, PureWindowsPath
from uuid import uuid4

from aerialseg.errors import DataError


def write_bytes(path: str | Path, data: bytes) -> None:
    """Writes a file so that it is never seen half written, making its folder if need be.

    Raises:
        DataError: If the folder or the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error


def fingerprint(*parts: object) -> str:
    """Sha256 in hex of ``parts``: bytes as they are, anything else as JSON."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part).encode()
        digest.update(len(data).to_bytes(8, "big"))  # so that no two lists of parts run together
        digest.update(data)
    return digest.hexdigest()


def stays_inside(name: str) -> bool:
    """Whether a relative path, written for any system, cannot leave the folder it is put in."""
    path = PureWindowsPath(name)  # knows both kinds of slash, and drives
    return not (path.drive or path.root or ".." in path.parts or "\0" in name)


def stamp(path: Path | None) -> tuple[str, int, int] | None:
    """Name, size in bytes and time of change in nanoseconds: differs once a file changes."""
    if path is None:
        return None
    status = path.stat()
    return path.name, status.st_size, status.st_mtime_ns
