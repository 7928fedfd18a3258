"""The seal of an exported ONNX model: the sha256 of all bytes before it, inside the one file.

An ONNX file is a protobuf message, and messages that follow each other in a file are read as one
whose lists are joined. So the seal is a message of its own at the end: a model that holds nothing
but one more line of metadata. Any reader of ONNX sees that line; ours compares the bytes.
"""

from hashlib import sha256
from pathlib import Path

from aerialseg.errors import CheckpointError

SUFFIX = ".onnx"
"""What the names of exported models end with; the reader goes by it."""

EXPORTS = "export"
"""The folder of a stage's exported models, beside that of its training."""

EXPORTED = (
    "is an exported model, which predicts but cannot be trained or taken apart; give the "
    "checkpoint (.ckpt) that it was exported from"
)
"""Why it is refused where a checkpoint of training is wanted."""

_KEY = b"aerialseg.sha256"
_DIGITS = 64
_AGAIN = "export it again, or copy it again from where it was exported"


def sealed(model: bytes) -> bytes:
    """A serialised ONNX model with its seal at the end."""
    return model + _seal(sha256(model).hexdigest())


def check_seal(path: Path) -> str:
    """Compares an exported model with its seal.

    Returns:
        The sha256 of the whole file in hex.

    Raises:
        CheckpointError: If there is no such file, it has no seal, or is not what was sealed.
    """
    if not path.is_file():
        found = "is a folder; wanted a file" if path.is_dir() else "no such file"
        raise CheckpointError(f"{path}: {found}")
    length = len(_seal("0" * _DIGITS))
    left = path.stat().st_size - length
    body = sha256()
    with path.open("rb") as file:
        while left > 0 and (block := file.read(min(left, 1 << 20))):
            body.update(block)
            left -= len(block)
        seal = file.read()
    if _KEY not in seal:
        raise CheckpointError(
            f"{path}: is no ONNX model that task=export wrote, or was cut off or altered since; "
            f"{_AGAIN}"
        )
    if seal != _seal(body.hexdigest()):
        raise CheckpointError(
            f"{path}: was altered since it was exported: its sha256 is not the one it holds; "
            f"{_AGAIN}"
        )
    body.update(seal)
    return body.hexdigest()


def _seal(digest: str) -> bytes:
    """A message of the type ModelProto with one entry of ``metadata_props``, its field 14."""
    entry = b"\x0a" + _counted(_KEY) + b"\x12" + _counted(digest.encode())
    return b"\x72" + _counted(entry)


def _counted(data: bytes) -> bytes:
    """Bytes after their number, which below 128 is one byte."""
    return bytes([len(data)]) + data
