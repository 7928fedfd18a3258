"""Packages as pip leaves them in a folder: a module, and the record of what it registers."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent


def install(folder: Path, name: str, code: str, entry_points: Mapping[str, str]) -> None:
    """Puts a module and its entry points, ``{group: "module:name"}``, into a folder."""
    record = folder / f"{name}-1.0.dist-info"
    record.mkdir(parents=True, exist_ok=True)
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"[{group}]\npart = {value}\n" for group, value in entry_points.items()]
    (record / "entry_points.txt").write_text("\n".join(lines))
    (folder / f"{name}.py").write_text(dedent(code))
