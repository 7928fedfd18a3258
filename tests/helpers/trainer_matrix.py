"""Sensible and silly values for every argument of Lightning's trainer, made from its signature."""

import inspect
import random
import typing

import pytorch_lightning as pl

NUMBERS = ("-2", "-1", "0", "1", "3", "1000")
SHARES = ("-1.0", "0.0", "0.001", "0.5", "1.0", "2.5", ".nan")
BY_KIND = {
    bool: ("true", "false", "null"),
    int: NUMBERS,
    float: SHARES,
    str: ("nonsense", "''"),
    list: ("[0]", "[]", "[0,1]"),
    dict: ("{}", "{seconds:100}", "{nonsense:1}"),
}
SPECIAL = {
    "accelerator": ("cpu", "auto", "{_target_:pytorch_lightning.accelerators.CPUAccelerator}"),
    "devices": ("'0,'", "auto", "'1'", "null"),
    "strategy": ("auto", "ddp", "null"),
    "precision": ("32", "64", "64-true", "16-true", "bf16-mixed", "bf16", "16-mixed", "null"),
    "max_time": ("'00:00:01:00'", "'00:00:00:00'", "'1 hour'", "null"),
    "val_check_interval": ("'00:00:00:01'", "2", "1", "4"),
    "gradient_clip_algorithm": ("norm", "value", "null"),
    "deterministic": ("warn", "true"),
    "profiler": (
        *("simple", "advanced", "pytorch", "xla", "null"),
        "{_target_:pytorch_lightning.profilers.SimpleProfiler}",
    ),
    "plugins": ("{_target_:pytorch_lightning.plugins.io.AsyncCheckpointIO}", "null"),
    "default_root_dir": ("elsewhere", "null"),
    "logger": ("true", "false"),
    "callbacks": ("null",),
}
"""Values that matter to one argument, beside those of its kind."""


def matrix() -> dict[str, list[str]]:
    """By argument of the trainer, the values to try, as they are typed."""
    hints = typing.get_type_hints(pl.Trainer.__init__)
    return {name: _values(name, hints[name]) for name in inspect.signature(pl.Trainer).parameters}


def sample(count: int, *, seed: int) -> list[str]:
    """A few overrides of the whole matrix."""
    every = [f"++trainer.{name}={value}" for name, values in matrix().items() for value in values]
    return random.Random(seed).sample(every, count)


def _values(name: str, annotation: object) -> list[str]:
    kinds = _kinds(annotation)
    found = [value for kind, values in BY_KIND.items() if kind in kinds for value in values]
    wanted = dict.fromkeys([*SPECIAL.get(name, ()), *found])
    return [value for value in wanted if (name, value) != ("max_epochs", "1000")]  # takes long


def _kinds(annotation: object) -> set[object]:
    """The plain types that an annotation takes."""
    inner = typing.get_args(annotation)
    if typing.get_origin(annotation) in (list, dict):
        return {typing.get_origin(annotation)}
    return {annotation, *(kind for each in inner for kind in _kinds(each))}
