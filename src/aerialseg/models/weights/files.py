"""Finds, downloads and safely reads weight files."""

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
"""Seconds without an answer of the server before a download fails."""


def fetch(source: WeightSource, *, weights_dir: Path) -> Path:
    """Finds a published file on this machine, or downloads it.

    Searches ``weights_dir``, torch hub's folder and the publisher's cache; downloads atomically to
    ``weights_dir``.

    Raises:
        CheckpointError: If a file of that name has another hash, or it cannot be downloaded.
    """
    wanted = weights_dir / source.file_name
    hub = Path(torch.hub.get_dir()) / "checkpoints" / source.file_name
    for path in (wanted, hub, source.cached):
        if path is not None and path.is_file():
            _check_hash(path, source)
            return path
    try:
        weights_dir.mkdir(parents=True, exist_ok=True)
        with _socket_timeout():
            # Writes to a temporary file and renames it after checking the hash.
            torch.hub.download_url_to_file(source.url, str(wanted), source.sha256 or None)
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        digits = f" (sha256 {_expected(source)})" if source.sha256 else ""
        raise CheckpointError(
            f"{source.file_name} is not on this machine and cannot be downloaded: {reason}; "
            f"download {source.url}{digits} elsewhere and copy it to {wanted}, "
            "or set model.weights=none or model.weights=FILE"
        ) from None
    return wanted


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads named tensors: a state dict, or a checkpoint with one under ``state_dict``/``model``.

    Raises:
        CheckpointError: If the file is missing, damaged, contains code, or contains no
            named tensors.
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
    """Reads a file in safetensors format."""
    check_kind(path)
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError:
        raise CheckpointError(
            f'{path}: reading it needs the package safetensors; run `pip install -e ".[models]"`'
        ) from None
    try:
        return load_file(path)
    except SafetensorError as error:
        raise CheckpointError(f"{path}: is damaged or cut off ({error}); get it again") from None


def _check_hash(path: Path, source: WeightSource) -> None:
    digest = hash_file(path) if source.sha256 else ""
    if not digest.startswith(source.sha256):
        raise CheckpointError(
            f"{path}: damaged or not the expected file: its sha256 begins with {digest[:8]}, "
            f"wanted {source.sha256[:8]}; delete it to download it again"
        )


def _expected(source: WeightSource) -> str:
    return source.sha256 if len(source.sha256) == 64 else f"begins with {source.sha256}"


def _describe(value: object) -> str:
    return "nothing" if value is None or value == {} else f"a {type(value).__name__}"


@contextmanager
def _socket_timeout() -> Iterator[None]:
    # torch.hub has no timeout option, so the default of all sockets is set.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(CONNECT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
