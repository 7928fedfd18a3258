"""Damage done to files."""

from pathlib import Path


def flip(path: Path, place: int) -> None:
    """Changes one bit of a file's byte at ``place``."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
