"""Marks for tests that need what only some systems have; nothing here needs it to be imported."""

import re
import sys

import pytest

LOCK = re.compile(r"\.aerialseg-[0-9a-f]{32}\.lock")
"""The lock file that lies beside a temporary file."""

needs_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no POSIX signals, process groups, umask or limits"
)
needs_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="reads /proc, or forks after torch, which only Linux allows"
)
needs_symlinks = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows lets administrators alone make symbolic links"
)
