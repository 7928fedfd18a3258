"""Rules between keys and files on disk, which signatures cannot express."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from aerialseg.config.problems import Problem
from aerialseg.config.tasks import Task, find_task
from aerialseg.config.wording import show
from aerialseg.errors import did_you_mean
from aerialseg.storage.names import is_folder_name
from aerialseg.storage.run_folders import RunFolder


def rule_problems(
    config: Mapping[str, Any], reported: Sequence[str], *, in_chain: bool = False
) -> list[Problem]:
    """Every rule that a config breaks.

    Args:
        config: Plain data.
        reported: Paths that already have a problem; a rule that needs one of them is skipped.
        in_chain: Whether the stage's predecessor may still be missing, because it is trained
            before this stage by the same command.
    """
    predecessor = partial(_predecessor, in_chain=in_chain)
    rules = (
        *(_names, predecessor, _existing, _checkpoint, _input, _network),
        *(_accelerator, _devices, _monitors),
    )
    problems: list[Problem] = []
    for rule in rules:
        with suppress(_InvalidValueError):
            for problem in rule(_ValidValues(config, reported)):
                problems.append(problem)
    return problems


class _InvalidValueError(Exception):
    """A rule read a value that already has a reported problem."""


class _ValidValues:
    """The values of a config by dotted path, except those with a reported problem."""

    def __init__(self, config: Mapping[str, Any], reported: Sequence[str]) -> None:
        self._config = config
        self._reported = reported

    def __getitem__(self, path: str) -> Any:  # noqa: ANN401 - YAML content, its type checked before
        for wrong in self._reported:
            if f"{path}.".startswith(f"{wrong}.") or wrong.startswith(f"{path}["):
                raise _InvalidValueError
        value: Any = self._config
        for key in path.split("."):
            value = value.get(key)
        return value

    @property
    def task(self) -> Task:
        return find_task(self["task.name"])


def _names(config: _ValidValues) -> Iterator[Problem]:
    """Runs and stages have folder names, and a stage does not start from itself."""
    for path in ("run_name", "stage.name", "stage.from_run"):
        if not is_folder_name(config[path]):
            yield Problem(path, f"{config[path]!r} cannot be the name of a folder")
    runs, output = config["paths.runs_dir"], config["paths.output_dir"]
    # The name contains the swept values, which may be paths.
    if output.startswith(f"{runs}/") and not _is_below(runs, output):
        yield Problem("paths.output_dir", f"{output} is outside {runs}; set it to a folder")
    if config["stage.previous"] == config["stage.name"]:
        yield Problem("stage.previous", f"stage {config['stage.name']} cannot start from itself")


def _is_below(folder: str, path: str) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(os.path.normpath(folder))


def _predecessor(config: _ValidValues, *, in_chain: bool) -> Iterator[Problem]:
    """The checkpoint that a stage starts from exists and its run is finished."""
    given, previous = config["stage.init_checkpoint"], config["stage.previous"]
    if given is None or not config.task.starts_stage:
        return
    is_optional = in_chain or (config.task.may_run_in_chain and config["task.chain"])
    folder = RunFolder.of_checkpoint(Path(given))
    runs = Path(config["paths.runs_dir"]) / config["stage.from_run"]
    is_default = folder.path == runs / str(previous) / "train"
    prefix = f"stage {config['stage.name']} starts from {given}, "
    command = _command(stage=previous, run_name=config["stage.from_run"])
    if not Path(given).is_file():
        step = f"run `{command}` first" if is_default else "check the path"
        if is_default and previous is None:
            step = "stage.init_checkpoint=null starts from model.weights instead"
        if not is_optional:
            yield Problem("stage.init_checkpoint", f"{prefix}which does not exist; {step}")
    elif (
        is_default
        and folder.holds_run()
        and not folder.finished()
        and not is_optional  # the chain finishes it first
    ):
        step = f"finish it with `{command} existing=resume`"
        yield Problem("stage.init_checkpoint", f"{prefix}whose run is not finished; {step}")


def _existing(config: _ValidValues) -> Iterator[Problem]:
    """An existing run is not overwritten unless that was chosen."""
    folder = RunFolder(Path(config["paths.output_dir"]))
    refuses = config.task.writes_run and config["existing"] == "refuse"
    if refuses and folder.holds_run():
        state = "a finished" if folder.finished() else "an unfinished"
        yield Problem(
            "existing",
            f"{folder.path} already holds {state} run; choose existing=resume to continue it, "
            "existing=overwrite to replace it, or another run_name",
        )


def _checkpoint(config: _ValidValues) -> Iterator[Problem]:
    path = config["checkpoint"]
    if config.task.reads_checkpoint and not Path(path).is_file():
        command = _command(stage=config["stage.name"], run_name=config["run_name"])
        yield Problem(
            "checkpoint",
            f"{path} does not exist; train it with `{command}`, or give checkpoint=PATH",
        )


def _input(config: _ValidValues) -> Iterator[Problem]:
    if config.task.reads_input and config["input"] is None:
        text = "must be set; add input=PATH of an image, a folder or a quoted glob"
        yield Problem("input", text)


def _network(config: _ValidValues) -> Iterator[Problem]:
    """The network is registered, so that it can be rebuilt from its checkpoints."""
    from aerialseg.models.networks.registry import ACCEPTED, find_builder

    path = "model.network._target_"
    target = config[path]
    if isinstance(target, str) and find_builder(target) is None:
        yield Problem(path, f"'{target}' is not a registered network; {ACCEPTED}")


def _accelerator(config: _ValidValues) -> Iterator[Problem]:
    """Lightning knows the accelerator and this machine has it."""
    from pytorch_lightning.accelerators import AcceleratorRegistry

    path = "trainer.accelerator"
    name = config[path]
    known = {"auto", "gpu", *AcceleratorRegistry.available_accelerators()}
    if isinstance(name, str) and name not in known:
        yield Problem(path, f"there is no '{name}'{did_you_mean(name, known)}")
    elif name not in (None, "auto"):
        kinds = ("cuda", "mps") if name == "gpu" else (name,)
        if not any(AcceleratorRegistry[kind]["accelerator"].is_available() for kind in kinds):
            yield Problem(path, f"this machine has no '{name}' that can be used; try trainer=cpu")


def _devices(config: _ValidValues) -> Iterator[Problem]:
    """Training uses one device; more than one is not supported yet."""
    for key, is_single in (("devices", _is_one_device), ("num_nodes", lambda n: n in (None, 1))):
        path = f"trainer.{key}"
        value = config[path]
        if not is_single(value):
            text = f"{show(value)} may mean more than one device; training uses one; set {path}=1"
            yield Problem(path, text)
    path = "trainer.strategy"
    strategy = config[path]
    if strategy not in (None, "auto"):
        text = f"{show(strategy)} is for several devices; training uses one; set {path}=auto"
        yield Problem(path, text)


def _is_one_device(devices: object) -> bool:
    """Whether Lightning reads the setting as one device: a count of 1, or one index."""
    if isinstance(devices, str):
        listed = [part for part in devices.split(",") if part.strip()]
        # "2," is an index, "2" is a count.
        return len(listed) == 1 and ("," in devices or devices.strip() == "1")
    return len(devices) == 1 if isinstance(devices, list) else devices == 1


def _monitors(config: _ValidValues) -> Iterator[Problem]:
    """Every monitored value is logged during training."""
    import torch

    from aerialseg.metrics.scores import summarise

    classes = config["data.classes"]
    named = [str(name) for name in classes] if isinstance(classes, Mapping) else []
    scores = summarise(torch.eye(len(named), dtype=torch.int64), named)
    known = {f"{split}/{name}" for split in ("train", "val") for name in ("loss", *scores)}
    for key in config["callbacks"]:
        path = f"callbacks.{key}.monitor"
        monitor = config[path]
        # A class table in a file is read later, with the data, and may hold any class.
        unread = not named and re.match("(train|val)/(iou|dice)_", str(monitor))
        if isinstance(monitor, str) and monitor not in known and not unread:
            yield Problem(path, f"'{monitor}' is never logged{did_you_mean(monitor, known)}")


def _command(*, stage: str, run_name: str) -> str:
    """The current command for another stage, with the other overrides kept."""
    hydra = HydraConfig.get() if HydraConfig.initialized() else None
    typed = hydra.overrides.task if hydra else []
    sources = hydra.runtime.config_sources if hydra else []
    folders = [f"--config-dir={s.path}" for s in sources if s.provider == "command-line"]
    changed = re.compile(
        r"[+~]*(stage|run_name|task|existing|checkpoint|input|paths\.output_dir)[=.]"
    )
    others = [override.lstrip("+") for override in typed if not changed.match(override)]
    chosen = [f"stage={stage}", f"run_name={run_name}", *others]
    return shlex.join(["python", "run.py", *folders, *chosen])
