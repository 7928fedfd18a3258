"""Rules for names and folders of runs: valid on every system, one run's, and to be written to."""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from aerialseg.config.problems import Problem
from aerialseg.config.tasks import find_task
from aerialseg.config.trainer_rules import Rule
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.config.types import Lookup
from aerialseg.storage.claims import temporary_name
from aerialseg.storage.names import fits_windows, is_folder_name

_FULL = (errno.ENOSPC, errno.EDQUOT)
"""No room is said later, with the number of bytes that are needed."""


def folder_rules() -> tuple[Rule, ...]:
    """All rules of this module."""
    return (_names, _owner_of_output, _letter_case, _runs_dir)


def _names(config: Lookup) -> Iterator[Problem]:
    """Runs and stages have folder names, and a stage does not start from itself."""
    for path in ("run_name", "stage.name", "stage.from_run"):
        if not is_folder_name(config[path]):
            yield Problem(path, f"{config[path]!r} cannot be the name of a folder")
    runs, output = config["paths.runs_dir"], config["paths.output_dir"]
    # The name contains the swept values, which may be paths.
    if output.startswith(f"{runs}/") and _below(runs, output) is None:
        yield Problem("paths.output_dir", f"{output} is outside {runs}; set it to a folder")
    if config["stage.previous"] == config["stage.name"]:
        yield Problem("stage.previous", f"stage {config['stage.name']} cannot start from itself")


def _owner_of_output(config: Lookup) -> Iterator[Problem]:
    """The folder of a run is written by the run and stage it is called after.

    The ``config.yaml`` of a run, used as a config again, holds the folder of that run.
    """
    path, output = "paths.output_dir", config["paths.output_dir"]
    below = _below(config["paths.runs_dir"], output)
    is_typed = path in map(override_key, command_overrides())
    # What else is set to a folder below runs_dir does not have the form of a run's folder.
    if below is None or len(below) < 3 or below[-1] != "train" or is_typed:
        return
    folder = "${paths.runs_dir}/${run_name}/${stage.name}/${task.name}"
    for key, owner in (("run_name", below[0]), ("stage.name", below[1])):
        if config[key] != owner:
            yield Problem(
                path,
                f"{output} belongs to {key}={owner}, but {key} is {config[key]}; set "
                f"{path}='{folder}' and callbacks.checkpoint.folder="
                "'${paths.output_dir}/checkpoints', as in conf/, or repeat the command in "
                "provenance.json instead of using its config.yaml",
            )
            return
    if find_task(config["task.name"]).reads_checkpoint:
        text = f"{output} is the folder of the training itself; set {path}='{folder}'"
        yield Problem(path, text)


def _letter_case(config: Lookup) -> Iterator[Problem]:
    """No run is called like another but for the case of its letters."""
    name, runs = config["run_name"], Path(config["paths.runs_dir"])
    with suppress(OSError):
        names = [path.name for path in runs.iterdir()]
        alike = [other for other in names if other.casefold() == name.casefold()]
        if alike and name not in alike:
            yield Problem(
                "run_name",
                f"{runs} holds the run {alike[0]}, which Windows and macOS take for the same as "
                f"{name}; set run_name={alike[0]}, or choose another name",
            )


def _runs_dir(config: Lookup) -> Iterator[Problem]:
    """The folder of runs can be made on every system, and on this one be written to."""
    path = "paths.runs_dir"
    runs = Path(config[path])
    if not find_task(config["task.name"]).starts_stage:
        return
    if not runs.exists() and not fits_windows(runs.relative_to(runs.anchor).as_posix()):
        text = "has a part that cannot be the name of a folder on every system"
        yield Problem(path, f"{config[path]} {text}; choose another name")
    elif reason := _why_not_writable(runs):
        text = f"{runs} cannot be written to: {reason}; set it to a folder that you may write to"
        yield Problem(path, text)


def _why_not_writable(folder: Path) -> str | None:
    """Why nothing can be written into a folder, which may have to be made; None if it can."""
    places = (folder.absolute(), *folder.absolute().parents)
    existing = next(place for place in places if place.exists())
    if not existing.is_dir():
        return f"{existing} is a file"
    try:
        # Of a folder in /proc, for one, only this tells that nothing can be written into it.
        trial = temporary_name(existing / folder.name)
        trial.mkdir()
        trial.rmdir()
    except OSError as error:
        return None if error.errno in _FULL else (error.strerror or str(error)).lower()
    return None


def _below(folder: str, path: str) -> tuple[str, ...] | None:
    """The parts of a path below a folder; None if it is not in it."""
    inner = Path(os.path.normpath(path))
    outer = os.path.normpath(folder)
    return inner.relative_to(outer).parts if inner.is_relative_to(outer) else None
