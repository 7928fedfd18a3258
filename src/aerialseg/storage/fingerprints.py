"""Fingerprints: what something was made from, in one short text."""

import hashlib
import json
from pathlib import Path


def fingerprint(*parts: object) -> str:
    """Sha256 in hex of ``parts``: bytes as they are, anything else as JSON."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part).encode()
        digest.update(len(data).to_bytes(8, "big"))  # so that no two lists of parts run together
        digest.update(data)
    return digest.hexdigest()


def file_size(path: Path | None) -> int | None:
    """Bytes of a file, where there is one."""
    return None if path is None else path.stat().st_size


def stamp(path: Path | None) -> tuple[str, int, int, int] | None:
    """Name, size in bytes and two times in nanoseconds: differs once a file changes.

    Copying tools and archives set the time of the last change to an older one, and raster files of
    one shape have one size. The other time, of the change of the file's entry, cannot be set.
    """
    if path is None:
        return None
    status = path.stat()
    return path.name, status.st_size, status.st_mtime_ns, status.st_ctime_ns
