"""Names of unknown origin: which are safe as folders and paths, and how errors quote them."""

from pathlib import PureWindowsPath

_LONG = 60  # characters


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
