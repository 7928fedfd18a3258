"""Getting files of weights: finding or downloading them, and reading them safely."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from aerialseg.errors import CheckpointError
from aerialseg.models.weights.sources import WeightSource
from aerialseg.storage.atomic_files import hash_file
from aerialseg.storage.sealed_tensors import check_kind, load_safely

CONNECT_SECONDS = 10
"""How long a server may keep silent before a download is given up."""


def fetch(source: WeightSource, *, weights_dir: Path) -> Path:
    """Finds a published file on this machine, or downloads it.

    Looked for in ``weights_dir``, in torch hub's folder and in the publisher's own cache;
    downloaded, whole or not at all, to ``weights_dir``.

    Raises:
        CheckpointError: If a file of that name is another one, or it cannot be downloaded.
    """
    wanted = weights_dir / source.file_name
    hub = Path(torch.hub.get_dir()) / "checkpoints" / source.file_name
    for path in (wanted, hub, source.cached):
        if path is not None and path.is_file():
            _check_hash(path, source)
            return path
    try:
        weights_dir.mkdir(parents=True, exist_ok=True)
        with _impatient():
            # Writes beside the target, renames once the hash has been found right.
            torch.hub.download_url_to_file(source.url, str(wanted), source.sha256 or None)
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        digits = f" (sha256 {_expected(source)})" if source.sha256 else ""
        raise CheckpointError(
            f"{source.file_name} is not on this machine and cannot be downloaded: {reason}; "
            f"get {source.url}{digits} elsewhere and put it at {wanted}, "
            "or set model.weights=none or model.weights=FILE"
        ) from None
    return wanted


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads named tensors: a state dict, or a checkpoint with one under ``state_dict``/``model``.

    Raises:
        CheckpointError: If the file is missing, damaged, holds anything that loading would have
            to run, or holds no such tensors.
    """
    content = _read_safetensors(path) if path.suffix == ".safetensors" else load_safely(path)
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content:
        raise CheckpointError(f"{path}: holds {_describe(content)}; wanted tensors by name")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f"{path}: '{name}' is {_describe(value)}; wanted nothing but tensors by name"
            )
    return content


def _read_safetensors(path: Path) -> object:
    check_kind(path)
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError:
        raise CheckpointError(
            f'{path}: reading it takes the package safetensors; run `pip install -e ".[models]"`'
        ) from None
    try:
        return load_file(path)
    except SafetensorError as error:
        raise CheckpointError(f"{path}: is damaged or cut off ({error}); get it again") from None


def _check_hash(path: Path, source: WeightSource) -> None:
    digest = hash_file(path) if source.sha256 else ""
    if not digest.startswith(source.sha256):
        raise CheckpointError(
            f"{path}: damaged or another file: its sha256 begins with {digest[:8]}, wanted "
            f"{source.sha256[:8]}; delete it and it is downloaded again"
        )


def _expected(source: WeightSource) -> str:
    return source.sha256 if len(source.sha256) == 64 else f"begins with {source.sha256}"


def _describe(value: object) -> str:
    return "nothing" if value is None or value == {} else f"a {type(value).__name__}"


@contextmanager
def _impatient() -> Iterator[None]:
    # torch.hub takes no timeout, so it is set where sockets take theirs from.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(CONNECT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
