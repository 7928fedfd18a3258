"""The command line that all scripts share."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch

from benchmarks.row import Row
from benchmarks.timing import Setting

Script = Callable[[Setting], Iterable[Row]]
"""Measures, and yields each row when it is done."""


def parser(description: str) -> argparse.ArgumentParser:
    """The options of every script, read by :func:`setting_of`."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument(
        "--quick", action="store_true", help="only test that it runs; times mean nothing"
    )
    options.add_argument(
        "--images", type=Path, metavar="PATH", help="AeroScapes, or a folder laid out like it"
    )
    options.add_argument(
        "--device", choices=("cpu", "cuda"), help="default: the GPU if there is one"
    )
    return options


def setting_of(chosen: argparse.Namespace) -> Setting:
    """The setting of the parsed options."""
    native = "cuda" if torch.cuda.is_available() else "cpu"
    return Setting(chosen.device or native, chosen.images, chosen.quick)


def run(script: Script, arguments: Sequence[str] | None = None) -> None:
    """Runs one script as a command."""
    setting = setting_of(parser(script.__doc__ or "").parse_args(arguments))
    show(script, setting)


def show(script: Script, setting: Setting) -> list[Row]:
    """Runs one script and prints its rows as they come."""
    rows = []
    for row in script(setting):
        print(row.line, flush=True)
        rows.append(row)
    return rows
