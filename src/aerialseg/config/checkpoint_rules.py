"""Rules for checkpoints and weights that a command reads: what is missing, and what makes it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from aerialseg.config.chain import Place, stage_choices
from aerialseg.config.joint_sets import is_part
from aerialseg.config.problems import Problem
from aerialseg.config.program import typed
from aerialseg.config.tasks import Task, find_task
from aerialseg.config.trainer_rules import Rule
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.config.types import Lookup
from aerialseg.errors import did_you_mean, nearest_name
from aerialseg.storage.model_seal import EXPORTED, SUFFIX
from aerialseg.storage.run_folders import RunFolder, runs_with_stage, stages_of_run

_MOST_RUNS = 8
"""The most runs that are named in one line."""

_FROM_WEIGHTS = "stage.init_checkpoint=null starts from model.weights instead"


def checkpoint_rules(place: Place) -> tuple[Rule, ...]:
    """All rules of this module.

    Args:
        place: Where the stage or task stands among those of the command.
    """
    predecessor = partial(_predecessor, place=place)
    checkpoint = partial(_checkpoint, place=place)
    return (predecessor, _weights, _teachers, _exported, checkpoint)


def _predecessor(config: Lookup, *, place: Place) -> Iterator[Problem]:
    """The checkpoint that a stage starts from exists and its run is finished."""
    given, previous = config["stage.init_checkpoint"], config["stage.previous"]
    if given is None or not _task(config).starts_stage:
        return
    if _task(config).may_run_in_chain and config["task.chain"]:
        place = "later"
    folder = RunFolder.of_checkpoint(Path(given))
    runs = Path(config["paths.runs_dir"])
    is_default = folder == RunFolder.of_stage(runs, config["stage.from_run"], str(previous))
    prefix = f"stage {config['stage.name']} starts from {given}, "
    # Only where it is advised: a wrong value in it would end the rule.
    command = partial(_command, config, stage=previous, run_name=config["stage.from_run"])
    choices = stage_choices()
    if not Path(given).is_file() and is_default and choices and previous not in (None, *choices):
        text = f"there is no stage '{previous}'{did_you_mean(str(previous), choices)}"
        yield Problem("stage.previous", text)
    elif not Path(given).is_file():
        step = f"run `{command()}` first" if is_default else "check the path"
        if is_default and previous is None:
            step = _FROM_WEIGHTS
        elif is_default:
            name, run = Path(given).name, config["stage.from_run"]
            found = runs_with_stage(runs, previous, checkpoint=name)
            step += _other_runs(found, "stage.from_run", stage=previous)
            if run != config["run_name"] and (nearest := nearest_name(run, found)):
                step = f"did you mean stage.from_run={nearest}?"
            elif place == "first":
                step += f", or begin with this stage: {_FROM_WEIGHTS}"
            step += _other_order(config)
        if place != "later":
            yield Problem("stage.init_checkpoint", f"{prefix}which does not exist; {step}")
    elif (
        is_default
        and folder.holds_run()
        and not folder.finished()
        and place != "later"  # the chain finishes it first
    ):
        step = f"finish it with `{command()} existing=resume`"
        yield Problem("stage.init_checkpoint", f"{prefix}whose run is not finished; {step}")


def _other_order(config: Lookup) -> str:
    """Which stage the curriculum of the recipe trains before this one, if it is another or none."""
    stage, order, recipe = (
        config["stage.name"],
        config["recipe.stages"] or [],
        config["recipe.name"],
    )
    if [stage] == order[:1]:
        return f"; the curriculum of recipe {recipe} begins with it: stage.init_checkpoint=null"
    before = order[order.index(stage) - 1] if stage in order[1:] else None
    if before in (None, config["stage.previous"]):
        return ""
    return f"; the curriculum of recipe {recipe} starts it from {before}: stage.previous={before}"


def _weights(config: Lookup) -> Iterator[Problem]:
    """The file of weights that a stage starts from exists."""
    from aerialseg.models.weights.loading import is_file_name

    weights = config["model.weights"]
    is_read = _task(config).starts_stage and config["stage.init_checkpoint"] is None
    if is_read and is_file_name(weights) and not Path(weights).exists():
        step = "check the path, or start at random with model.weights=none"
        yield Problem("model.weights", f"{weights} does not exist; {step}")


def _teachers(config: Lookup) -> Iterator[Problem]:
    """The checkpoints that teach exist, and see images."""
    if config["loss.distillation"] is None or not _task(config).starts_stage:
        return
    given = config["loss.distillation.teacher"]
    for name in [given] if isinstance(given, str) else given:
        if not Path(name).is_file():
            key = "loss.distillation.teacher"
            yield Problem(key, _no_file(Path(name), key))
    if config["stage.cache_features"] == "on":
        text = "is on, but the teachers of loss.distillation need the images; set it to auto or off"
        yield Problem("stage.cache_features", text)


def _exported(config: Lookup) -> Iterator[Problem]:
    """No exported model is given where only a checkpoint of training will do."""
    given, name = config["checkpoint"], config["task.name"]
    several = given or [] if not isinstance(given, str) else [given]
    models = [path for path in several if Path(path).suffix.lower() == SUFFIX]
    if models and not _task(config).takes_exported:
        yield Problem("checkpoint", f"task={name}: {models[0]} {EXPORTED}")
    start = config["stage.init_checkpoint"]
    if _task(config).starts_stage and start is not None and Path(start).suffix.lower() == SUFFIX:
        yield Problem("stage.init_checkpoint", f"{start} {EXPORTED}")


def _checkpoint(config: Lookup, *, place: Place) -> Iterator[Problem]:
    """The checkpoint that a task reads exists."""
    given, stage, task = config["checkpoint"], config["stage.name"], _task(config)
    are_averaged = task.averages_checkpoints and isinstance(given, list)
    if task.may_read_checkpoints or are_averaged:
        several = given or [] if not isinstance(given, str) else [given]
        missing = [Path(name) for name in several if not Path(name).is_file()]
        yield from (Problem("checkpoint", _no_file(path)) for path in missing)
        return
    if not task.reads_checkpoint or place == "later":
        return
    if not isinstance(given, str):
        what = "null" if given is None else "a list"
        yield Problem("checkpoint", f"is {what}; task={config['task.name']} reads one checkpoint")
        return
    path = Path(given)
    if path.is_file():
        return
    runs, name = Path(config["paths.runs_dir"]), f"{config['checkpoint_from']}.ckpt"
    if path != RunFolder.of_stage(runs, config["run_name"], stage).checkpoints / name:
        yield Problem("checkpoint", _no_file(path))
        return
    found = runs_with_stage(runs, stage, checkpoint=name)
    trained = stages_of_run(runs / config["run_name"], checkpoint=name)
    if trained:
        others = " or ".join(f"stage={each}" for each in trained)
        text = f"{path} does not exist; run {config['run_name']} has other stages: add {others}"
        yield Problem("checkpoint", text)
        return
    command = _command(config, stage=stage, run_name=config["run_name"])
    step = f"train it with `{command}`, or give checkpoint=PATH"
    yield Problem(
        "checkpoint", f"{path} does not exist; {step}{_other_runs(found, 'run_name', stage=stage)}"
    )


def _task(config: Lookup) -> Task:
    return find_task(str(config["task.name"]))


def _no_file(path: Path, key: str = "checkpoint") -> str:
    """That a path leads to no file, or which checkpoints are in the folder that it leads to."""
    if not path.is_dir():
        return f"{path} does not exist; check the path"
    found = sorted(path.glob("**/best.ckpt"), key=lambda file: file.stat().st_mtime_ns)
    example = found[-1] if found else path / "best.ckpt"
    return f"{path} is a folder; give a file, such as {key}={example}"


def _other_runs(runs: Sequence[str], key: str, *, stage: str) -> str:
    """The runs that could be meant instead, as they would be typed; empty if there are none."""
    if not runs:
        return ""
    more = ", ..." if len(runs) > _MOST_RUNS else ""
    return (
        f"; runs that hold stage {stage}: "
        f"{', '.join(f'{key}={run}' for run in runs[:_MOST_RUNS])}{more}"
    )


def _command(config: Lookup, *, stage: str, run_name: str) -> str:
    """The current command for another stage, with the other overrides kept.

    As a rule does that reads a wrong value, it stops its rule if one of them is wrong: the advice
    could not be followed.
    """
    sources = HydraConfig.get().runtime.config_sources if HydraConfig.initialized() else []
    folders = [f"--config-dir={s.path}" for s in sources if s.provider == "command-line"]
    changed = re.compile(
        r"[+~]*(stage|run_name|task|existing|checkpoint|input|paths\.output_dir)[=.]"
    )
    # What composes the parts of data=joint is added again to what is typed.
    kept = [o for o in command_overrides() if not (changed.match(o) or is_part(o))]
    for override in kept:
        with suppress(AttributeError):  # of an item of a list, or of what Hydra keeps
            _ = config[override_key(override)]
    others = [override.lstrip("+") for override in kept]
    chosen = [f"stage={stage}", f"run_name={run_name}", *others]
    return typed(*folders, *chosen)
