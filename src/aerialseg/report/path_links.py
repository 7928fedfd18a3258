"""Paths that a terminal can open: hyperlinks there, and nothing but the path in a log file."""

import logging
import os
import socket
import sys
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

_KNOWN_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "Tabby"})
"""Values of ``TERM_PROGRAM`` of terminals that show hyperlinks."""

_SET_BY_OTHERS = ("WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM", "ALACRITTY_LOG")
"""Variables that other such terminals set."""

_VTE = 5000
"""``VTE_VERSION`` from which on terminals built on VTE, such as that of GNOME, show them."""


class PathLink:
    """A path that was written to, for people to open.

    As a text it is the path. A logger whose handler is :class:`LinkingHandler` shows it as a
    hyperlink if it is an argument of the message: ``logger.info("written to %s", PathLink(path))``.

    Args:
        path: A file or a folder.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def __str__(self) -> str:
        return str(self._path)

    def shown_on(self, stream: TextIO) -> str:
        """The path, as a hyperlink (OSC 8) if the stream is a terminal that shows them."""
        if not shows_links(stream, os.environ):
            return str(self)
        # The name of the machine keeps a terminal from opening its own file over ssh.
        machine = "" if os.name == "nt" else socket.gethostname()
        place = quote(self._path.absolute().as_posix())
        address = f"file://{machine}{'' if place.startswith('/') else '/'}{place}"
        return f"\033]8;;{address}\033\\{self}\033]8;;\033\\"


class LinkingHandler(logging.StreamHandler[TextIO]):
    """Writes log lines to standard output, with hyperlinks for their :class:`PathLink`."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        if isinstance(record.args, tuple) and any(isinstance(a, PathLink) for a in record.args):
            shown = copy(record)  # other handlers write the path alone
            shown.args = tuple(
                each.shown_on(self.stream) if isinstance(each, PathLink) else each
                for each in record.args
            )
            record = shown
        return super().format(record)


def shows_links(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a stream is a terminal that is known to show hyperlinks.

    Args:
        stream: Where text goes.
        environment: Of the process. ``FORCE_HYPERLINK=1`` says that a terminal does, 0 that not.
    """
    if not stream.isatty():
        return False
    forced = environment.get("FORCE_HYPERLINK")
    if forced is not None:
        return forced != "0"
    if environment.get("TERM") == "dumb":
        return False
    version = environment.get("VTE_VERSION", "")
    return (
        environment.get("TERM_PROGRAM") in _KNOWN_PROGRAMS
        or any(name in environment for name in _SET_BY_OTHERS)
        or (version.isdigit() and int(version) >= _VTE)
        or environment.get("TERM", "").startswith(("xterm-kitty", "alacritty", "foot"))
    )
