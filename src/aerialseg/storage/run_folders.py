"""Run folders: what lies in one, and whether it may be used again."""

import json
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aerialseg.errors import ConfigError
from aerialseg.storage.atomic_files import remove_leftovers, write_json, write_text

_SNAPSHOTS = ("last.ckpt", "previous.ckpt", "best.ckpt")
_VERSIONS = ("aerialseg", "torch", "torchvision", "pytorch-lightning", "albumentations", "numpy")


@dataclass(frozen=True)
class RunFolder:
    """The folder of one training run, ``runs/<run_name>/<stage>/train``."""

    path: Path

    @classmethod
    def of_checkpoint(cls, checkpoint: Path) -> "RunFolder":
        """The folder that ``<folder>/checkpoints/best.ckpt`` belongs to."""
        return cls(checkpoint.parent.parent)

    @property
    def checkpoints(self) -> Path:
        """Where ``best.ckpt`` and ``last.ckpt`` lie, and ``previous.ckpt`` during training."""
        return self.path / "checkpoints"

    def holds_run(self) -> bool:
        """Whether a run began here."""
        return (self.path / "provenance.json").exists() or self.finished()

    def finished(self) -> bool:
        """Whether the run came to its end; ``metrics.json`` is written last."""
        return (self.path / "metrics.json").exists()

    def begin(self, config: str, provenance: Mapping[str, object]) -> None:
        """Writes the resolved config and where everything came from.

        What an earlier process was writing here when it was killed is removed.
        """
        for folder in (self.path, *self.path.glob("*/")):
            remove_leftovers(folder)
        write_text(self.path / "config.yaml", config)
        write_json(self.path / "provenance.json", provenance)

    def finish(self, metrics: Mapping[str, object]) -> None:
        """Writes the metrics, which marks the run as finished and in no need of going back."""
        for name in ("previous.ckpt", "previous.ckpt.sha256"):
            (self.checkpoints / name).unlink(missing_ok=True)
        write_json(self.path / "metrics.json", metrics)

    def metrics(self) -> dict[str, Any]:
        """The metrics of a finished run."""
        return _read(self.path / "metrics.json")

    def provenance(self) -> dict[str, Any]:
        """What :meth:`begin` wrote."""
        return _read(self.path / "provenance.json")

    def clear(self) -> None:
        """Removes the run.

        Its verdict and what a resumed run would start from go first, so that half a removal
        neither looks finished nor is gone on with.
        """
        snapshots = (f"checkpoints/{name}" for name in _SNAPSHOTS)
        for name in ("metrics.json", *snapshots, "provenance.json"):
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=False)


def check_same_run(folder: RunFolder, identity: Mapping[str, object]) -> None:
    """Checks that the run in a folder is the one that is about to be resumed or reused.

    Args:
        folder: A folder that holds a run.
        identity: What decides the result: config, parent checkpoint and data, as plain data.

    Raises:
        ConfigError: With one line that names what differs.
    """
    stored = folder.provenance().get("identity", {})
    changes = _differences(stored, json.loads(json.dumps(identity)))
    if not changes:
        return
    shown = "; ".join(changes[:4]) + (f"; and {len(changes) - 4} more" if len(changes) > 4 else "")
    state = "a finished" if folder.finished() else "an unfinished"
    raise ConfigError(
        f"existing=resume: {folder.path} holds {state} run that differs: {shown}; "
        "choose another run_name, or existing=overwrite to train it anew"
    )


def environment(command: Sequence[str]) -> dict[str, object]:
    """Command, git commit and versions, for the record."""
    return {
        "command": list(command),
        "git_commit": _git_commit(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _VERSIONS},
    }


def _differences(old: object, new: object, path: str = "") -> list[str]:
    """One line for each value that differs between two nested mappings."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [*old, *(key for key in new if key not in old)]
        return [
            line
            for key in keys
            for line in _differences(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if old == new else [f"{path} was {_brief(old)}, is {_brief(new)}"]


def _brief(value: object) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."


def _read(path: Path) -> dict[str, Any]:
    """The JSON file of a run.

    Raises:
        ConfigError: If it is missing or damaged.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigError(
            f"{path}: is missing or damaged, so the run cannot be resumed; "
            "existing=overwrite trains it anew"
        ) from None
    return content


def _git_commit() -> str | None:
    """The commit of the working folder; ``None`` outside a clone or without git."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        found = subprocess.run(
            command, capture_output=True, encoding="utf-8", timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None  # not a clone, or no git at all: a release works without
    return found.stdout.strip()
