"""The table of all rows, with the environment of the measurement."""

import os
import platform
import re
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch

from benchmarks.row import Row, amount
from benchmarks.timing import Setting

_PACKAGES = (
    "aerialseg",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "albumentations",
    "opencv-python-headless",
    "numpy",
    "pillow",
)
_HEADER = ("what", "plain", "aerialseg", "ratio", "goal", "")


def table(rows: Sequence[Row], setting: Setting) -> str:
    """All rows as Markdown, and why some of them miss their goal."""
    met = sum(row.met for row in rows)
    lines = [
        "# Benchmarks",
        "",
        "Written by `python -m benchmarks`: median times of plain implementations and of this "
        "project's, alternating in one process. Ratios carry over to other machines, times do not.",
        "",
        *(f"- {fact}" for fact in facts(setting)),
        "",
        *_markdown(_HEADER, [row.cells for row in rows]),
        "",
        f"{met} of {len(rows)} rows meet their goal.",
    ]
    if missed := [row for row in rows if not row.met]:
        lines += ["", "Not met:", "", *(f"- {_shortfall(row)}" for row in missed)]
    return "\n".join(lines) + "\n"


def facts(setting: Setting) -> Iterator[str]:
    """Date, machine, versions and images."""
    yield date.today().isoformat()
    yield f"{cpu_name()}; cores: {os.cpu_count()}; torch threads: {torch.get_num_threads()}"
    yield torch.cuda.get_device_name() if setting.device == "cuda" else "no GPU used"
    found = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    yield f"Python {platform.python_version()}, {found}"
    height, width = setting.size
    own = "own images" if setting.images else f"drawn scenes of {width}x{height}"
    yield f"{own}{'; a quick run, the times mean nothing' if setting.quick else ''}"


def _shortfall(row: Row) -> str:
    got = amount(row.ours, row.unit) if row.kind == "at most" else row.ratio
    reason = f"; {row.reason}" if row.reason else ""
    return f"{row.name}: {got}, wanted {row.goal_text}{reason}"


def cpu_name() -> str:
    """The name of the CPU."""
    information = Path("/proc/cpuinfo")
    text = information.read_text(encoding="utf-8") if information.is_file() else ""
    named = re.search(r"model name\s*:\s*(.+)", text)
    return named[1] if named else platform.processor() or platform.machine()


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        for cells in (header, rule, *rows)
    ]
    return [f"| {line} |" for line in lines]
