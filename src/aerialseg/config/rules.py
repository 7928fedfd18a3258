"""Rules between keys and files on disk, which signatures cannot express."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from aerialseg.config.chain import Place
from aerialseg.config.checkpoint_rules import checkpoint_rules
from aerialseg.config.comparison_rules import comparison_rules
from aerialseg.config.device_rules import device_rules
from aerialseg.config.folder_rules import folder_rules
from aerialseg.config.idle_values import idle_settings, is_job
from aerialseg.config.joint_sets import joint_rules
from aerialseg.config.monitors import watch_problems
from aerialseg.config.problems import Problem
from aerialseg.config.recipes import recipe_rules
from aerialseg.config.tasks import Task, find_task
from aerialseg.config.trainer_rules import trainer_rules
from aerialseg.storage.run_folders import RunFolder
from aerialseg.values.wording import show


def rule_problems(
    config: Mapping[str, Any],
    reported: Sequence[str],
    *,
    place: Place = "alone",
) -> list[Problem]:
    """Every rule that a config breaks.

    Args:
        config: Plain data.
        reported: Paths that already have a problem; a rule that needs one of them is skipped.
        place: Where the stage or task stands among those of the command.
    """
    rules: tuple[Callable[[_ValidValues], Iterator[Problem]], ...] = (
        *folder_rules(),
        *joint_rules(),
        *checkpoint_rules(place),
        *(_existing, _input, _network),
        *(_window, _crops, _channels, _groups),
        *((_idle,) if place == "alone" and not is_job() else ()),
        *comparison_rules(),
        *recipe_rules(),
        *device_rules(),
        watch_problems,
        *trainer_rules(),
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


def _existing(config: _ValidValues) -> Iterator[Problem]:
    """An existing run is not overwritten unless that was chosen."""
    folder = RunFolder(Path(config["paths.output_dir"]))
    refuses = config.task.writes_run and config["existing"] == "refuse"
    if refuses and folder.holds_run():
        yield Problem("existing", folder.refusal())
    if not config.task.writes_run or config["existing"] != "extend":
        return
    if not config.task.starts_stage:
        text = "extend trains one stage longer; use task=train stage=NAME"
        yield Problem("existing", text)
    elif not folder.holds_run():
        text = f"{folder.path} holds no run to extend; leave existing out to train it"
        yield Problem("existing", text)
    elif not folder.finished():
        text = f"{folder.path} holds an unfinished run; finish it with existing=resume"
        yield Problem("existing", text)


def _channels(config: _ValidValues) -> Iterator[Problem]:
    """A mean and a standard deviation have a number for each channel of the images."""
    bands = config["data.bands"]
    wanted = 3 if bands is None else len(bands)
    for path in ("model.mean", "model.std"):
        given = config[path]
        if given is not None and len(given) not in (3, wanted):
            each = "of red, green and blue" + (
                "" if bands is None else ", or of each of data.bands"
            )
            numbers = "3 numbers" if wanted == 3 else f"3 or {wanted} numbers"
            yield Problem(path, f"{given} has {len(given)} numbers, wanted {numbers} {each}")


def _groups(config: _ValidValues) -> Iterator[Problem]:
    """What belongs together is said once, by a pattern or by a table."""
    from aerialseg.data.sources.splits import BOTH_GROUPS

    if config["data.group_pattern"] is not None and config["data.groups"] is not None:
        path, _, text = BOTH_GROUPS.partition(": ")
        yield Problem(path, text)


def _input(config: _ValidValues) -> Iterator[Problem]:
    if config.task.reads_input and config["input"] is None:
        yield Problem("input", f"must be set; add input=PATH of {config.task.reads_input}")


def _network(config: _ValidValues) -> Iterator[Problem]:
    """The network is registered, so that it can be rebuilt from its checkpoints."""
    from aerialseg.models.networks.registry import ACCEPTED, find_builder

    path = "model.network._target_"
    target = config[path]
    if isinstance(target, str) and find_builder(target) is None:
        yield Problem(path, f"'{target}' is not a registered network; {ACCEPTED}")


def _idle(config: _ValidValues) -> Iterator[Problem]:
    """Settings of the data that the one stage that is trained does not use."""
    if config.task.starts_stage:
        yield from idle_settings([config["data"]])


def _window(config: _ValidValues) -> Iterator[Problem]:
    """Windows are not enlarged: that costs time and shows nothing more."""
    window, edge = config["data.window"], config["data.image_min_size"]
    if window is None or edge is None:
        return
    shorter = window if isinstance(window, int) else min(window)
    if edge > shorter:
        text = (
            f"{edge} would enlarge the windows of data.window={show(window)}; "
            f"data.image_min_size=null keeps their scale, less than {shorter} shrinks them"
        )
        yield Problem("data.image_min_size", text)


def _crops(config: _ValidValues) -> Iterator[Problem]:
    """What is made for crops is not used on whole images in silence."""
    chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    name = str(chosen.get("augmentation"))
    if name == "by_stage":
        name = str(config["recipe.augmentation"].get(config["stage.name"]))
    if name.startswith("crops") and config["data.crop_size"] is None and config.task.reads_data:
        size = "data.crop_size=256" if name.endswith("nadir") else "'data.crop_size=[256,456]'"
        text = f"is null, but augmentation={name} is for crops; set it, as in {size}"
        yield Problem("data.crop_size", text)
    scale = config["data.crop_scale"]
    if isinstance(scale, Sequence) and len(scale) == 2 and scale[0] > scale[1]:
        yield Problem("data.crop_scale", f"{show(scale)} is [high, low]; wanted [low, high]")
