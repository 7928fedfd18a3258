"""Fingerprints of what something was made from, and names that stay in their folder."""

import hashlib
import json
from pathlib import Path, PureWindowsPath

_LONG = 60  # characters


def fingerprint(*parts: object) -> str:
    """Sha256 in hex of ``parts``: bytes as they are, anything else as JSON."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part).encode()
        digest.update(len(data).to_bytes(8, "big"))  # so that no two lists of parts run together
        digest.update(data)
    return digest.hexdigest()


def quoted(text: str) -> str:
    """A text of unknown origin as errors show it: in quotes, short and on one line."""
    return repr(text if len(text) <= _LONG else f"{text[:_LONG]}...")


def is_folder_name(name: str) -> bool:
    """Whether a name can be that of one folder, in the folder it is meant for, on any system."""
    plain = name.isprintable() and not set(name) & set("/\\")
    return plain and name.strip() == name and name not in ("", ".", "..") and stays_inside(name)


def stays_inside(name: str) -> bool:
    """Whether a relative path, written for any system, cannot leave the folder it is put in."""
    path = PureWindowsPath(name)  # knows both kinds of slash, and drives
    return not (path.drive or path.root or ".." in path.parts or "\0" in name)


def file_size(path: Path | None) -> int | None:
    """Bytes of a file, where there is one."""
    return None if path is None else path.stat().st_size


def stamp(path: Path | None) -> tuple[str, int, int] | None:
    """Name, size in bytes and time of change in nanoseconds: differs once a file changes."""
    if path is None:
        return None
    status = path.stat()
    return path.name, status.st_size, status.st_mtime_ns
