"""Run folders: what lies in one, and whether it may be used again."""

import json
import platform
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from aerialseg.errors import AerialsegError, ConfigError
from aerialseg.storage.atomic_files import (
    hash_file,
    remove_folder,
    remove_leftovers,
    write_json,
    write_text,
)
from aerialseg.storage.claims import exclusive
from aerialseg.storage.differences import differences, typed_again, without_repetitions
from aerialseg.storage.event_files import event_folder, remove_event_files
from aerialseg.storage.model_seal import EXPORTS, SUFFIX
from aerialseg.storage.stage_result import StageResult

_Record = TypeVar("_Record")

_NEW = ("images_fingerprint",)  # of an identity, which older runs lack
_VERSIONS = ("aerialseg", "torch", "torchvision", "pytorch-lightning", "albumentations", "numpy")


@dataclass(frozen=True)
class RunFolder:
    """The folder of one training run, ``runs/<run_name>/<stage>/train``."""

    path: Path

    @classmethod
    def of_stage(cls, runs_dir: Path, run_name: str, stage: str) -> "RunFolder":
        """The folder of a stage of a run, unless ``paths.output_dir`` is set."""
        return cls(runs_dir / run_name / stage / "train")

    @classmethod
    def of_checkpoint(cls, checkpoint: Path) -> "RunFolder":
        """The folder that ``<folder>/checkpoints/best.ckpt`` belongs to.

        Of a model in ``<stage>/export``, that is ``<stage>/train``, from which it was exported.
        """
        if checkpoint.suffix == SUFFIX and checkpoint.parent.name == EXPORTS:
            return cls(checkpoint.parent.parent / "train")
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

    def is_complete(self) -> bool:
        """Whether the run came to its end and no extension of it is under way."""
        return self.finished() and not self._is_being_extended()

    def as_extended(self) -> dict[str, Any]:
        """What the provenance of a longer run says of the finished one that it extends.

        While the longer run is not finished, ``metrics.json`` is still that of the finished one;
        its hash tells the two states apart.
        """
        provenance = self.provenance()
        if self._is_being_extended():
            return dict(provenance["extends"])
        return {
            "epochs": self.result().epochs,
            "metrics_sha256": hash_file(self.path / "metrics.json"),
            **{name: provenance.get(name) for name in ("identity", "command", "extends")},
        }

    def _is_being_extended(self) -> bool:
        """Whether the verdict of a finished run is that of one which is now trained longer."""
        is_recorded = (self.path / "provenance.json").exists()
        extends = (self.provenance().get("extends") or {}) if is_recorded else {}
        return extends.get("metrics_sha256") == hash_file(self.path / "metrics.json")

    def refusal(self) -> str:
        """Why ``existing=refuse`` does not train here, and the choices; the folder holds a run."""
        state, use = "an unfinished", "continue it"
        if self.finished():
            state, use = "a finished", "keep it as it is"
        return (
            f"{self.path} already holds {state} run; choose existing=resume to {use}, "
            "existing=overwrite to replace it, or another run_name"
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes from training in this folder while the block runs.

        Raises:
            ConfigError: If another process is training here.
            AerialsegError: If the lock cannot be written.
        """
        with ExitStack() as held:
            try:
                is_mine = held.enter_context(exclusive(self._lock))
            except OSError as error:
                reason = error.strerror or error
                raise AerialsegError(f"{self._lock}: cannot be written: {reason}") from error
            if not is_mine:
                raise ConfigError(
                    f"{self.path}: another process is training in this folder; wait until it has "
                    "finished, or choose another run_name"
                )
            yield

    def check_free(self) -> None:
        """Checks, as :meth:`locked` does, that nobody trains here; makes no folder.

        Raises:
            ConfigError: If another process is training here.
        """
        if self._lock.exists():
            with self.locked():
                pass

    @property
    def _lock(self) -> Path:
        return self.path.with_name(f".{self.path.name}.lock")

    def begin(self, config: str, provenance: Mapping[str, object]) -> None:
        """Writes the resolved config and where everything came from."""
        self.tidy()
        write_text(self.path / "config.yaml", config)
        write_json(self.path / "provenance.json", provenance)

    def tidy(self) -> None:
        """Removes what an earlier process was writing here when it was killed."""
        for folder in (self.path.parent, self.path, *self.path.glob("*/")):
            remove_leftovers(folder)

    def finish(self, metrics: Mapping[str, object]) -> None:
        """Writes the metrics, which marks the run as finished and in no need of going back."""
        for name in ("previous.ckpt", "previous.ckpt.sha256"):
            (self.checkpoints / name).unlink(missing_ok=True)
        write_json(self.path / "metrics.json", metrics)

    def result(self) -> StageResult:
        """The result of a finished run, from its metrics.

        Raises:
            ConfigError: If they are missing or not those of a run.
        """
        return _read(self.path / "metrics.json", StageResult.from_mapping)

    def provenance(self) -> dict[str, Any]:
        """What :meth:`begin` wrote; ``identity`` and ``parent`` are mappings.

        Raises:
            ConfigError: If it is missing or not what :meth:`begin` writes.
        """
        return _read(self.path / "provenance.json", _checked_provenance)

    def clear(self) -> None:
        """Removes the run; its folder loses its name first, so that nobody meets half of it.

        Raises:
            AerialsegError: If it cannot be removed; then nothing in it has changed. Or if the
                event files beside it cannot.
        """
        try:
            remove_folder(self.path)
            remove_event_files(event_folder(self.path))
        except AerialsegError as error:
            raise AerialsegError(f"{error}; or choose another run_name") from error


def runs_with_stage(runs_dir: Path, stage: str, *, checkpoint: str) -> list[str]:
    """The names of the runs in which a stage has a checkpoint of that name, the newest first."""
    found = {
        path: path.stat().st_mtime_ns
        for path in runs_dir.glob("*/*/train/checkpoints/*.ckpt")
        if path.name == checkpoint and path.parts[-4] == stage
    }
    return [path.parts[-5] for path in sorted(found, key=lambda path: (-found[path], path))]


def finished_runs(runs_dir: Path) -> list[str]:
    """The names of the runs in which a stage is finished."""
    return sorted({path.parts[-4] for path in runs_dir.glob("*/*/train/metrics.json")})


def stages_of_run(run: Path, *, checkpoint: str) -> list[str]:
    """The names of the stages of a run that have a checkpoint of that name, the newest first."""
    found = {
        path: path.stat().st_mtime_ns
        for path in run.glob("*/train/checkpoints/*.ckpt")
        if path.name == checkpoint
    }
    return [path.parts[-4] for path in sorted(found, key=lambda path: (-found[path], path))]


def check_same_run(
    folder: RunFolder,
    identity: Mapping[str, object],
    *,
    existing: str = "resume",
    may_differ: Sequence[str] = (),
) -> bool:
    """Checks that the run in a folder is the one that is about to be resumed, extended or reused.

    Args:
        folder: A folder that holds a run.
        identity: What decides the result: config, parent checkpoint and data, as plain data.
        existing: The choice of ``existing``, for the message.
        may_differ: Dotted paths in the identity whose values may be others.

    Returns:
        Whether something differs that may.

    Raises:
        ConfigError: With one line that names what differs.
    """
    stored = folder.provenance().get("identity", {})
    # What runs of older releases do not record cannot be compared.
    known = {key: identity[key] for key in identity if key in stored or key not in _NEW}
    changes = differences(stored, json.loads(json.dumps(known)))
    allowed = [line for line in changes if line.partition(" ")[0] in may_differ]
    changes = without_repetitions([line for line in changes if line not in allowed])
    if not changes:
        return bool(allowed)
    shown = "; ".join(changes[:4]) + (f"; and {len(changes) - 4} more" if len(changes) > 4 else "")
    state = "a finished" if folder.finished() else "an unfinished"
    again = typed_again(stored, changes)
    raise ConfigError(
        f"existing={existing}: {folder.path} holds {state} run that differs: {shown}; "
        f"{f'type {again} to continue it, ' if again else ''}"
        "choose another run_name, or existing=overwrite to train it anew"
    )


def environment(command: Sequence[str]) -> dict[str, object]:
    """Command, the folder it was typed in, git commit and versions, for the record."""
    return {
        "command": list(command),
        "folder": str(Path.cwd()),
        "git_commit": _git_commit(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _VERSIONS},
    }


def _read(path: Path, parse: Callable[[dict[str, Any]], _Record]) -> _Record:
    """The JSON file of a run, as ``parse`` makes it from a mapping, or raises ValueError.

    Raises:
        ConfigError: If it is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("is no mapping")
        return parse(content)
    except (OSError, ValueError, RecursionError):
        raise ConfigError(
            f"{path}: is missing or damaged, so the run cannot be resumed; "
            "existing=overwrite trains it anew"
        ) from None


def _checked_provenance(content: dict[str, Any]) -> dict[str, Any]:
    """The content, or ValueError if ``identity`` or ``parent`` are not as runs have them."""
    identity, parent = content.get("identity", {}), content.get("parent")
    if not isinstance(identity, dict) or not isinstance(parent, dict):
        raise ValueError("identity or parent is no mapping")
    if "path" in parent and not all(isinstance(parent.get(k), str) for k in ("path", "sha256")):
        raise ValueError("the parent has no path and sha256")
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
