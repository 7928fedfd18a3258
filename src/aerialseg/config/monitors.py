"""Rules for what callbacks and the scheduler watch: it is logged, in time, and watched rightly."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aerialseg.config.problems import Problem
from aerialseg.config.targets import resolve_target
from aerialseg.config.types import Lookup
from aerialseg.errors import AerialsegError, ConfigError, did_you_mean

_EARLY_STOPPING = "check_on_train_epoch_end"


def watch_problems(config: Lookup) -> Iterator[Problem]:
    """What is wrong with the logged values that callbacks and the scheduler watch."""
    classes = _class_names(config)
    for key in config["callbacks"]:
        yield from _problems_of(f"callbacks.{key}", config, classes)
    yield from _problems_of("scheduler", config, classes)


def _problems_of(path: str, config: Lookup, classes: Sequence[str] | None) -> Iterator[Problem]:
    """What is wrong with what one node watches, if it watches anything."""
    monitor = config[f"{path}.monitor"]
    if not isinstance(monitor, str):
        return
    known = _logged_names(classes or [])
    unread = classes is None and re.match("(train|val)/(iou|dice)_", monitor)
    if monitor in known or unread:
        yield from _mode_problems(path, config, monitor)
        yield from _range_problems(path, config)
        yield from _timing_problems(path, config, monitor)
    else:
        text = f"'{monitor}' is never logged{did_you_mean(monitor, known)}"
        yield Problem(f"{path}.monitor", text)


def _class_names(config: Lookup) -> Sequence[str] | None:
    """The classes that are trained; None if only the data can tell.

    A class table in a file is read later, with the data, and may hold any class.
    """
    from aerialseg.classes import ClassTable  # loads NumPy; --help must not
    from aerialseg.data.sources.class_map import class_map

    classes, mapping = config["data.classes"], config["data.map_classes"]
    if not isinstance(classes, Mapping):
        return None
    try:
        return class_map(ClassTable.from_mapping(classes), mapping).trained.names
    except AerialsegError:  # what is wrong is said when the data are read
        return None


def _logged_names(classes: Sequence[str]) -> set[str]:
    """Every value that training logs."""
    import torch

    from aerialseg.metrics.scores import summarise

    scores = summarise(torch.eye(len(classes), dtype=torch.int64), classes)
    return {f"{split}/{name}" for split in ("train", "val") for name in ("loss", *scores)}


def _mode_problems(path: str, config: Lookup, monitor: str) -> Iterator[Problem]:
    """A mode that is none, or that would take the worst value for the best."""
    from aerialseg.metrics.scores import better_mode

    node, better = config[path], better_mode(monitor)
    mode = node.get("mode", _default(node["_target_"], "mode"))
    if _stops_early(node) and isinstance(mode, str) and mode not in ("min", "max"):
        # Of other classes the signature says so.
        yield Problem(f"{path}.mode", f"{mode!r} is not one of min, max; set {path}.mode={better}")
    elif mode in ("min", "max") and mode != better:
        what = "higher" if better == "max" else "lower"
        text = f"{mode} takes the worst {monitor} for the best, {what} is better; set"
        yield Problem(f"{path}.mode", f"{text} {path}.mode={better}")


def _range_problems(path: str, config: Lookup) -> Iterator[Problem]:
    """Numbers below 0, with which a worse value would pass for a better one."""
    for name in ("patience", "min_delta"):
        value = config[path].get(name, 0)
        if isinstance(value, int | float) and value < 0:
            yield Problem(f"{path}.{name}", f"{value} is out of range, wanted 0 or more")


def _timing_problems(path: str, config: Lookup, monitor: str) -> Iterator[Problem]:
    """Early stopping that looks when its value has not been logged yet."""
    node = config[path]
    if not _stops_early(node):
        return
    trainer = config["trainer"]
    every = (trainer.get("check_val_every_n_epoch", 1), trainer.get("val_check_interval"))
    at_epoch_end = node.get(_EARLY_STOPPING)
    if at_epoch_end is None:
        at_epoch_end = every in ((1, None), (1, 1.0)) and not isinstance(every[1], bool)
    if monitor.startswith("train/") and not at_epoch_end:
        text = f"{monitor} is logged at the end of an epoch, later than it is asked for; set"
        yield Problem(f"{path}.monitor", f"{text} {path}.{_EARLY_STOPPING}=true")
    elif monitor.startswith("val/") and at_epoch_end and every[0] != 1:
        text = f"{monitor} is logged every {every[0]} epochs, but asked for after each; set"
        yield Problem(f"{path}.monitor", f"{text} {path}.{_EARLY_STOPPING}=false")


def _stops_early(node: Mapping[str, Any]) -> bool:
    """Whether a node is Lightning's early stopping, or a class derived from it."""
    return _default(node["_target_"], _EARLY_STOPPING, missing=...) is not ...


def _default(target: object, name: str, missing: object = None) -> Any:  # noqa: ANN401 - any default
    """The default of an argument of a target."""
    try:
        parameter = inspect.signature(resolve_target(target)).parameters.get(name)
    except ConfigError:  # has been said where it stands
        return missing
    return missing if parameter is None else parameter.default
