"""Names of unknown origin: which are safe as folders and paths, and how errors quote them."""

import os
import re
import unicodedata
from collections.abc import Sequence
from hashlib import sha256
from pathlib import PureWindowsPath

_LONG = 60  # characters
_LONGEST = 200
"""Bytes of a folder's name; file systems take 255, and temporary names are longer than names."""
_FORBIDDEN = '<>:"/\\|?*'
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}) | {
    f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"
}


def quoted(text: str) -> str:
    """A text of unknown origin as errors show it: in quotes, short and on one line."""
    return repr(text if len(text) <= _LONG else f"{text[:_LONG]}...")


def composed(name: str) -> str:
    """A file name with each accented letter as one character, in whatever form it is stored.

    macOS may store ``é`` as ``e`` and an accent, which looks the same and is another text.
    """
    return unicodedata.normalize("NFC", name)


def expand_home(path: str) -> str:
    """A path with the home folder in the place of a leading ``~``; any other text as it is."""
    return os.path.expanduser(path)  # noqa: PTH111 - Path would fail where there is no such user


def is_folder_name(name: str) -> bool:
    """Whether a name can be that of one folder, in the folder it is meant for, on any system."""
    return folder_name_problem(name) is None


def folder_name_problem(name: str) -> str | None:
    """Why a name cannot be that of one folder on every system; None if it can.

    The strictest system decides, so that a folder of runs can be copied to any other.
    """
    if name in ("", ".", ".."):
        return "is not a name"
    if not name.isprintable():
        return "has a character that cannot be printed"
    if found := sorted(set(name) & set(_FORBIDDEN)):
        return f"has {' '.join(found)}, which not every system allows in names"
    if name.strip() != name or name.endswith("."):
        return "begins or ends with a space, or ends with a dot"
    if _is_device(name):
        return "is the name of a device on Windows"
    size = len(name.encode())
    return f"has {size} bytes, wanted at most {_LONGEST}" if size > _LONGEST else None


def as_folder_name(text: str) -> str:
    """A text as the name of one folder on every system.

    A text that can be a name stays as it is. In any other, what is forbidden becomes ``_`` and the
    end is a digest of the whole text, so that two texts never become one name.
    """
    if is_folder_name(text):
        return text
    plain = re.sub(rf"[{re.escape(_FORBIDDEN)}\s]+", "_", text)
    plain = "".join(letter for letter in plain if letter.isprintable())
    start = plain.encode()[: _LONGEST // 2].decode(errors="ignore")
    return f"{start or '_'}-{sha256(text.encode(errors='surrogatepass')).hexdigest()[:8]}"


def comparison_name(names: Sequence[str]) -> str:
    """The name of one folder for what compares these: ``demo_head_vs_demo_full``.

    Args:
        names: Runs, as in ``demo``, or stages of them, as in ``demo/head``; or any other paths.
    """
    texts = [str(name) for name in names]  # in a config they may be numbers
    are_short = all(len(PureWindowsPath(name).parts) <= 2 and stays_inside(name) for name in texts)
    text = "_vs_".join(texts)
    return as_folder_name(text.replace("/", "_") if are_short else text)


def fits_windows(path: str) -> bool:
    """Whether Windows allows every part of a relative path with forward slashes."""
    return not any(
        set(part) & set(_FORBIDDEN) or part.endswith((" ", ".")) or _is_device(part)
        for part in path.split("/")
        if part not in ("", ".", "..")
    )


def stays_inside(name: str) -> bool:
    """Whether a relative path, written for any system, cannot leave the folder it is put in."""
    path = PureWindowsPath(name)  # knows both kinds of slash, and drives
    return not (path.drive or path.root or ".." in path.parts or "\0" in name)


def _is_device(name: str) -> bool:
    """Windows takes ``NUL`` and ``nul.tar.gz`` for a device, in any folder."""
    return name.partition(".")[0].rstrip().upper() in _DEVICES
