"""Rules for the trainer and its callbacks: what would take away validation or the checkpoint."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from aerialseg.config.problems import Problem
from aerialseg.config.targets import resolve_target
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.config.types import Lookup
from aerialseg.errors import ConfigError
from aerialseg.values.wording import show

Rule = Callable[[Lookup], Iterator[Problem]]

_EPOCHS = "training is counted in epochs, which end with a validation; set stage.epochs instead"
_REFUSED: Mapping[str, tuple[tuple[object, ...], str]] = {
    "fast_dev_run": (
        (None, False, 0),
        "switches off checkpoints and curves, so there would be no result; for a quick trial "
        "choose trainer=debug",
    ),
    "overfit_batches": (
        (None, 0),
        "validates on what it trains on, so the best epoch would mean nothing; for a few batches "
        "set trainer.limit_train_batches",
    ),
    "enable_checkpointing": (
        (None, True),
        "switches off the checkpoints, which are the result; to write them less often set "
        "callbacks.checkpoint.every_n_epochs",
    ),
    "barebones": (
        (None, False),
        "switches off checkpoints, scores and curves, so there would be no result; leave it out",
    ),
    "max_steps": ((None, -1), f"could end an epoch without a validation; {_EPOCHS}"),
    "min_steps": (
        (None,),
        "could end an epoch in its middle; set trainer.min_epochs instead",
    ),
    "plugins": (
        (None, []),
        "would replace how precision and checkpoints are handled; set trainer.precision, or leave "
        "it out",
    ),
    "model_registry": (
        (None,),
        "uploads nothing, because callbacks.checkpoint writes the checkpoints; leave it out",
    ),
}
"""By argument, the values that change nothing, and why any other is refused."""

_FROM: Mapping[str, tuple[float, str]] = {
    "max_epochs": (1, "wanted 1 or more; set stage.epochs"),
    "min_epochs": (0, "wanted 0 or more"),
    "num_sanity_val_steps": (-1, "wanted -1 (all batches), 0 (none) or more"),
    "log_every_n_steps": (0, "wanted 0 (never) or more"),
    "accumulate_grad_batches": (1, "wanted 1 or more"),
    "gradient_clip_val": (0, "wanted 0 (no clipping) or more"),
    "check_val_every_n_epoch": (1, "wanted 1 or more"),
    "reload_dataloaders_every_n_epochs": (0, "wanted 0 (never) or more"),
}
"""By argument, its lowest value and what is wanted."""

_PRECISIONS = ("32", "32-true", "16", "16-mixed", "bf16", "bf16-mixed")
_CLIPPING = ("norm", "value")
_TIME = "'DD:HH:MM:SS' in quotes, or a mapping such as {hours: 5}"
_SHARE = "wanted a share of the batches up to 1.0, or a whole number of batches"


def trainer_rules() -> tuple[Rule, ...]:
    """All rules of this module; each reads what it needs, so that one wrong value stops one."""
    return (
        *(partial(_refused, key=key) for key in _REFUSED),
        *(partial(_too_low, key=key) for key in _FROM),
        *(partial(_limit, key=f"limit_{split}_batches") for split in ("train", "val")),
        *(_precision, _fused_clipping, _momentum, _clipping, _epochs, _val_interval, _max_time),
        *(_callbacks, _average),
    )


def seconds_of(max_time: str | timedelta | Mapping[str, float] | None) -> float | None:
    """``trainer.max_time`` in seconds; None for no limit.

    Raises:
        ConfigError: If it is no duration of more than nothing.
    """
    from lightning_fabric.utilities.exceptions import MisconfigurationException
    from pytorch_lightning.callbacks import Timer

    try:
        seconds = Timer(duration=max_time).time_remaining()  # type: ignore[arg-type]
    except (MisconfigurationException, TypeError, OverflowError):
        raise ConfigError(f"{show(max_time)} is no duration; wanted {_TIME}") from None
    if seconds is not None and seconds <= 0:
        raise ConfigError(f"{show(max_time)} leaves no time to train; wanted {_TIME}")
    return seconds


def _refused(config: Lookup, *, key: str) -> Iterator[Problem]:
    """An argument that takes away what the result is made from."""
    value, (harmless, reason) = config[f"trainer.{key}"], _REFUSED[key]
    if value not in harmless:
        yield Problem(f"trainer.{key}", f"{show(value)} {reason}")


def _too_low(config: Lookup, *, key: str) -> Iterator[Problem]:
    """A number below what makes sense; Lightning takes some of them in silence."""
    value, (lowest, wanted) = config[f"trainer.{key}"], _FROM[key]
    required = key in ("max_epochs", "check_val_every_n_epoch") and key in config["trainer"]
    if (value is None and required) or (_is_number(value) and not value >= lowest):
        yield Problem(f"trainer.{key}", f"{show(value)} is out of range, {wanted}")


def _limit(config: Lookup, *, key: str) -> Iterator[Problem]:
    """A limit that leaves no batch, or a share of more than all."""
    value = config[f"trainer.{key}"]
    if _is_number(value) and not (value > 0 and (isinstance(value, int) or value <= 1)):
        text = f"{show(value)} is out of range, {_SHARE}"
        if value == 0 and key == "limit_val_batches":
            text = (
                "0 switches off the validation, which chooses the best epoch; for a quick one set "
                "trainer.limit_val_batches=1"
            )
        yield Problem(f"trainer.{key}", text)


def _precision(config: Lookup) -> Iterator[Problem]:
    """A precision that the network cannot be trained in."""
    value = config["trainer.precision"]
    if value is not None and str(value) not in _PRECISIONS:
        yield Problem(
            "trainer.precision",
            f"{show(value)} is not supported, images reach the network in float32; set "
            "trainer.precision=32, 16-mixed or bf16-mixed",
        )


def _fused_clipping(config: Lookup) -> Iterator[Problem]:
    """A fused optimizer in mixed precision, which cannot clip."""
    mixed = str(config["trainer.precision"]) not in ("None", "32", "32-true")
    key = "optimizer.function.fused"
    if config[key] is True and mixed and config["trainer.gradient_clip_val"]:
        text = "a fused optimizer cannot clip gradients in mixed precision; set"
        yield Problem(key, f"{text} {key}=null or trainer.gradient_clip_val=null")


def _momentum(config: Lookup) -> Iterator[Problem]:
    """A momentum that makes every step larger than the one before."""
    value = config["optimizer.function.momentum"]
    if _is_number(value) and not 0 <= value < 1:
        text = f"{show(value)} is out of range, wanted 0 (none) or more and less than 1"
        yield Problem("optimizer.function.momentum", text)


def _clipping(config: Lookup) -> Iterator[Problem]:
    value = config["trainer.gradient_clip_algorithm"]
    if value is not None and value not in _CLIPPING:
        text = f"{show(value)} is not one of {', '.join(_CLIPPING)}"
        yield Problem("trainer.gradient_clip_algorithm", text)


def _epochs(config: Lookup) -> Iterator[Problem]:
    """Epochs that contradict each other."""
    most, least = config["trainer.max_epochs"], config["trainer.min_epochs"]
    every = config["trainer.check_val_every_n_epoch"]
    if not _is_number(most) or most < 1:
        return
    if _is_number(every) and every > most:
        yield Problem(
            "trainer.check_val_every_n_epoch",
            f"{every} is more than the {most} epochs of trainer.max_epochs, so none would be "
            f"validated; set {most} or less",
        )
    if _is_number(least) and least > most:
        text = f"{least} is more than the {most} epochs of trainer.max_epochs"
        yield Problem("trainer.min_epochs", text)


def _val_interval(config: Lookup) -> Iterator[Problem]:
    """Validation within an epoch that would not end it too."""
    path = "trainer.val_check_interval"
    value = config[path]
    if isinstance(value, str | Mapping):
        text = "is no number, and after a time epochs would end without a validation"
        yield Problem(path, f"{show(value)} {text}; {_SHARE}")
    elif _is_number(value) and not (value > 0 and (isinstance(value, int) or value <= 1)):
        yield Problem(path, f"{show(value)} is out of range, {_SHARE}")


def _max_time(config: Lookup) -> Iterator[Problem]:
    try:
        seconds_of(config["trainer.max_time"])
    except ConfigError as error:
        yield Problem("trainer.max_time", str(error))


_OF_WEIGHTS = "changes weights or layers outside of what the stage trains; leave it out"
_UNWANTED: Mapping[str, str] = {
    "BaseFinetuning": f"{_OF_WEIGHTS}, stages unfreeze layers",
    "BatchSizeFinder": "trains before the training; set data.batch_size",
    "LearningRateFinder": "trains before the training; set stage.learning_rate",
    "ModelPruning": _OF_WEIGHTS,
    "StochasticWeightAveraging": _OF_WEIGHTS,
    "WeightAveraging": "validates the average alone; choose callbacks=ema, which compares both",
    "LambdaCallback": "takes functions, which YAML cannot hold; write a callback of your own",
    "Timer": "would replace the timer of the run; set trainer.max_time",
}
"""By class of Lightning, why it and what derives from it cannot be used."""

_KEEPER = "aerialseg.callbacks.checkpoint.InMemoryCheckpoint"
_AVERAGE = "aerialseg.callbacks.ema.ExponentialMovingAverage"


def _callbacks(config: Lookup) -> Iterator[Problem]:
    """Callbacks that the result is made by, and those that would spoil it."""
    import pytorch_lightning.callbacks as known

    keepers = []
    for key in config["callbacks"]:
        path = f"callbacks.{key}"
        kind = _class_of(config[f"{path}._target_"])
        if kind is not None and any(_dotted(each) == _KEEPER for each in kind.__mro__):
            keepers.append(key)
        for name, reason in _UNWANTED.items():
            if kind is not None and issubclass(kind, getattr(known, name, ())):
                yield Problem(path, f"{kind.__name__} {reason}")
                break
    if keepers != ["checkpoint"]:
        what = "is not the only one" if "checkpoint" in keepers else "is missing"
        text = "a run needs one InMemoryCheckpoint of this name, its checkpoints are the result"
        yield Problem("callbacks.checkpoint", f"{what}; {text}")
    elif config["callbacks.checkpoint.folder"] != f"{config['paths.output_dir']}/checkpoints":
        folder = "${paths.output_dir}/checkpoints"
        text = f"must be {folder}, where the next stage looks; set paths.output_dir instead"
        yield Problem("callbacks.checkpoint.folder", text)


def _average(config: Lookup) -> Iterator[Problem]:
    """An average of the weights that could never become the best."""
    if "checkpoint" not in config["callbacks"]:  # has been said
        return
    path = "callbacks.checkpoint.monitor"
    monitor = config[path]
    for key in config["callbacks"]:
        kind = _class_of(config[f"callbacks.{key}._target_"])
        averages = kind is not None and any(_dotted(each) == _AVERAGE for each in kind.__mro__)
        if averages:
            yield from _two_lengths(config, f"callbacks.{key}")
        if averages and isinstance(monitor, str) and monitor.startswith("train/"):
            text = f"'{monitor}' is unknown of the averaged weights of callbacks.{key}"
            yield Problem(path, f"{text}, which are not trained; set {path}=val/dice")


def _two_lengths(config: Lookup, path: str) -> Iterator[Problem]:
    """An average whose length is typed in two ways, of which one would be passed over."""
    typed = [override_key(override) for override in command_overrides()]
    both = {f"{path}.decay", f"{path}.horizon"} <= set(typed)
    if both and config[f"{path}.decay"] is not None:
        text = "is typed, and so is horizon, which says it by the length of the stage"
        yield Problem(f"{path}.decay", f"{text}; leave one out")


def _dotted(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _class_of(target: object) -> type | None:
    try:
        found = resolve_target(target)
    except ConfigError:  # has been said where it stands
        return None
    return found if isinstance(found, type) else None


def _is_number(value: Any) -> bool:  # noqa: ANN401 - a value of any type
    return isinstance(value, int | float) and not isinstance(value, bool)
