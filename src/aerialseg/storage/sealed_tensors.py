"""Reading and writing with torch: nothing in a file is ever run, and no damage goes unseen.

A file of ours ends with a seal: the sha256 of all bytes before it, as the comment that zip archives
may end with. It is part of the file, so that no crash can part the two. Beside the file lies its
``.sha256`` for ``sha256sum -c``; written second, it may be that of the file before, so that a seal
that fits outweighs it.
"""

import pickle
import re
import shutil
import warnings
import zipfile
from hashlib import sha256
from pathlib import Path

import torch

from aerialseg.errors import CheckpointError
from aerialseg.storage.atomic_files import hash_file, replacing, write_text
from aerialseg.storage.model_seal import EXPORTED, SUFFIX

_SEAL = b"sha256:"
_SEAL_LENGTH = len(_SEAL) + 64
_ZIP_END = b"PK\5\6"
"""The mark before an archive's last 18 bytes and its comment, whose length the last two are."""


def save_sealed(path: Path, content: object) -> None:
    """Writes a file and the ``.sha256`` beside it, both atomically.

    Raises:
        AerialsegError: If they cannot be written.
    """
    with replacing(path) as temporary:
        _save(temporary, content)
        digest = _seal(temporary)
    _write_digest(path, digest)


def keep_as(path: Path, other: Path) -> None:
    """Keeps what is at ``path`` under a second name too, whatever comes to ``path`` later.

    Raises:
        AerialsegError: If it cannot be done.
    """
    with replacing(other) as temporary:
        try:
            temporary.hardlink_to(path)
        except (OSError, NotImplementedError):  # a file system or a system without hard links
            shutil.copyfile(path, temporary)
    digest = _stated_digest(path)
    if digest is not None:
        _write_digest(other, digest)


def complete_digest(path: Path) -> None:
    """Writes the ``.sha256`` of a whole file anew if a crash has kept it from being written.

    Raises:
        AerialsegError: If the file is damaged, or the ``.sha256`` cannot be written.
    """
    _check_digest(path)
    digest = hash_file(path)
    if _stated_digest(path) != digest:
        _write_digest(path, digest)


def load_safely(path: Path) -> object:
    """Reads a file that ``torch.save`` wrote, to the CPU; nothing in it is ever run.

    Raises:
        CheckpointError: If the file is missing, damaged, of another kind, or holds anything but
            tensors and plain data.
    """
    check_kind(path)
    _check_digest(path)
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
        CheckpointError: If the file is missing, empty, a web page, a Git LFS pointer, cut off or a
            model exported to ONNX.
    """
    if not path.is_file():
        found = "is a folder; wanted a file of weights" if path.is_dir() else "no such file"
        raise CheckpointError(f"{path}: {found}")
    if path.suffix.lower() == SUFFIX:
        raise CheckpointError(f"{path}: {EXPORTED}")
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise CheckpointError(f"{path}: is empty; get it again")
    if start.lstrip().startswith(b"<"):
        raise CheckpointError(f"{path}: is a web page, not weights; the download went wrong")
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(f"{path}: is a Git LFS pointer; run `git lfs pull` where it is from")
    if start.startswith(b"PK") and not _is_archive(path):
        size = path.stat().st_size
        raise CheckpointError(f"{path}: is cut off after {size} bytes; get it again")


def _save(path: Path, content: object) -> None:
    try:
        with path.open("wb") as file:
            torch.save(content, file)
    except RuntimeError as error:
        # torch's own words do not say that the disk is full; what it stumbled over does.
        raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def _seal(path: Path) -> str:
    """Ends a zip archive with the sha256 of all that comes before; returns that of the whole."""
    with path.open("r+b") as file:
        file.seek(-2, 2)  # an archive ends with the length of its comment, and has none yet
        file.write(_SEAL_LENGTH.to_bytes(2, "little"))
        file.seek(0)
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        seal = _SEAL + digest.hexdigest().encode()
        file.write(seal)
    digest.update(seal)
    return digest.hexdigest()


def _check_digest(path: Path) -> None:
    """Compares a file with its seal, or else with the ``.sha256`` beside it, where there is one."""
    size = path.stat().st_size - _SEAL_LENGTH
    with path.open("rb") as file:
        file.seek(max(0, size - (1 << 16)))
        tail = file.read()
        seal = tail[-_SEAL_LENGTH:]
        _, mark, end = tail.rpartition(_ZIP_END)
        announced = bool(mark) and end[16:18] == _SEAL_LENGTH.to_bytes(2, "little")
        # Either is enough, so that damage to one of them does not hide that there is a seal.
        if announced or seal.startswith(_SEAL):
            file.seek(0)
            digest = sha256()
            for start in range(0, size, 1 << 20):
                digest.update(file.read(min(1 << 20, size - start)))
            fits = seal == _SEAL + digest.hexdigest().encode()
        else:
            stated = _stated_digest(path)
            fits = stated is None or stated == hash_file(path)
    if not fits:
        raise CheckpointError(
            f"{path}: is damaged: its sha256 is not that of what was written; get it again"
        )


def _is_archive(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # damage near the end may be found out sooner than asked
        return False


def _digest_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _write_digest(path: Path, digest: str) -> None:
    write_text(_digest_path(path), f"{digest}  {path.name}\n")


def _stated_digest(path: Path) -> str | None:
    """What the ``.sha256`` beside a file says of it."""
    try:
        text = _digest_path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    found = re.fullmatch(rf"([0-9a-f]{{64}})[ *]*{re.escape(path.name)}\s*", text)
    return found[1] if found else None


def _unpickling_reason(message: str) -> str:
    found = re.search(r"GLOBAL (\S+)", message)
    if found is None:
        return "is not a file that torch.save wrote; wanted a checkpoint or weights (.ckpt, .pth)"
    return (
        f"holds Python objects ({found[1]}), which could run anything when loaded; "
        "save its state_dict alone"
    )
