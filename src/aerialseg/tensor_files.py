"""Reading what ``torch.save`` wrote, without running anything in it."""

import pickle
import re
import warnings
import zipfile
from pathlib import Path

import torch

from aerialseg.errors import CheckpointError


def load_safely(path: Path) -> object:
    """Reads a file that ``torch.save`` wrote, to the CPU; nothing in it is ever run.

    Raises:
        CheckpointError: If the file is missing, damaged, of another kind, or holds anything but
            tensors and plain data.
    """
    check_kind(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the pickle protocol: the error says it better
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{path}: {_unpickling_reason(str(error))}") from None
    except Exception as error:  # a damaged pickle can raise nearly anything
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise CheckpointError(f"{path}: is damaged or cut off ({reason}); get it again") from None


def check_kind(path: Path) -> None:
    """Names the usual mistakes before a reader stumbles over them.

    Raises:
        CheckpointError: If the file is missing, empty, a web page, a Git LFS pointer or cut off.
    """
    if not path.is_file():
        found = "is a folder; wanted a file of weights" if path.is_dir() else "no such file"
        raise CheckpointError(f"{path}: {found}")
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise CheckpointError(f"{path}: is empty; get it again")
    if start.lstrip().startswith(b"<"):
        raise CheckpointError(f"{path}: is a web page, not weights; the download went wrong")
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(f"{path}: is a Git LFS pointer; run `git lfs pull` where it is from")
    if start.startswith(b"PK") and not zipfile.is_zipfile(path):
        size = path.stat().st_size
        raise CheckpointError(f"{path}: is cut off after {size} bytes; get it again")


def _unpickling_reason(message: str) -> str:
    found = re.search(r"GLOBAL (\S+)", message)
    if found is None:
        return "is not a file that torch.save wrote"
    return (
        f"holds Python objects ({found[1]}), which could run anything when loaded; "
        "save its state_dict alone"
    )
