"""Fingerprints of what something was made from, and names that stay in their folder."""

import hashlib
import json
from pathlib import Path, PureWindowsPath


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
