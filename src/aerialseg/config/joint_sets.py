"""Several data sets together: `data=joint data.sets=[a,b]`, and the config of each of them.

Hydra composes the config of the data set ``a`` under ``data.parts.a``. So each of its keys is
there, is checked and can be overridden, as in ``data.parts.a.root=PATH``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hydra.core.override_parser.types import ChoiceSweep, Override, QuotedString

from aerialseg.config.problems import Problem
from aerialseg.config.trainer_rules import Rule
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.config.types import Lookup, is_node
from aerialseg.errors import did_you_mean

_JOINT = "joint"
_SETS = "data.sets"
_PART = re.compile(r"^data\.parts\.([^.]+)\.")
_NAME = re.compile(r"[A-Za-z][\w-]*")
_FOR_ALL = (
    *("image_min_size", "batch_size", "num_workers", "cache_dir", "seed", "mask_memory_mb"),
    *("augmentation", "max_megapixels", "window", "window_cache_gb"),
    *("crop_size", "crop_scale", "rare_classes", "rare_class_temperature", "paste_rare"),
)
"""Keys of a data set that a joint training has once."""
_EXAMPLE = "'data.sets=[aeroscapes,folders]'"


def as_single(path: str) -> str:
    """The key of a data set in a joint training as it is where the set is trained alone.

    ``data.root`` for ``data.parts.mine.root``; other keys stay what they are.
    """
    return re.sub(r"^data\.parts\.[^.]+", "data", path)


def is_part(override: str) -> bool:
    """Whether an override lets Hydra compose the config of one of several data sets."""
    return override_key(override).startswith("data@data.parts.")


def part_overrides(overrides: Sequence[Override]) -> list[str]:
    """The overrides that compose the data sets of ``data=joint``, beside those that are typed.

    Args:
        overrides: Those that are typed.
    """
    if not _is_joint(overrides):
        return []
    there = {str(o.input_line).lstrip("+") for o in overrides}
    chosen = _chosen(overrides)
    parts = [f"data@data.parts.{name}={config}" for name, config in chosen.items()]
    return [f"+{part}" for part in parts if part not in there]


def sets_problems(overrides: Sequence[Override], folders: Sequence[Path]) -> list[Problem]:
    """What is wrong with the typed names of data sets and of their configs.

    Args:
        overrides: Those that are typed.
        folders: The config trees.
    """
    if not _is_joint(overrides):  # of a file that names its parts, or of a run
        return []
    configs = {path.stem for folder in folders for path in (folder / "data").glob("*.yaml")}
    known = {name for name in configs if not name.startswith("_")} - {_JOINT}
    problems = []
    for name, config in _chosen(overrides).items():
        if config not in known:
            text = f"there is no data={config}{did_you_mean(config, known)}"
            problems.append(Problem(_SETS, text))
        elif not _NAME.fullmatch(name):
            text = f"{name!r} cannot be the name of a data set; it starts with a letter and has"
            text = f"{text} letters, digits, _ and - only; name it as in '{{north: {config}}}'"
            problems.append(Problem(_SETS, text))
    return problems


def joint_rules() -> tuple[Rule, ...]:
    """All rules of this module."""
    return (_sets, _for_all)


def _sets(config: Lookup) -> Iterator[Problem]:
    """The data sets of a joint training are named, and their configs are there."""
    parts, sets = config["data.parts"], config[_SETS]
    if not isinstance(parts, Mapping):
        return
    known = [name for name in parts if is_node(parts[name])]
    names = list(sets or known)
    if not names:
        yield Problem(_SETS, f"names no data set; choose two or more, as in {_EXAMPLE}")
    for name in [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        text = f"names {name} twice; give each a name of its own, as in '{{a: {name}, b: {name}}}'"
        yield Problem(_SETS, text)
        return
    for name in names:
        if name not in known:
            text = (
                f"there is no data.parts.{name}{did_you_mean(str(name), known)}; in a file, add "
                f"`- /data@data.parts.{name}: {name}` to its defaults"
            )
            yield Problem(_SETS, text)
    for name in parts:
        if name not in [*known, *names]:
            text = f"there is no such data set in data.sets{did_you_mean(str(name), known)}"
            yield Problem(f"data.parts.{name}", text)


def _for_all(config: Lookup) -> Iterator[Problem]:
    """Nothing is typed for one data set that holds for all of them."""
    if not isinstance(config["data.parts"], Mapping):
        return
    for key in map(override_key, command_overrides()):
        name = as_single(key).removeprefix("data.")
        if _PART.match(key) and name in _FOR_ALL:
            where = "augmentation" if name == "augmentation" else f"data.{name}"
            yield Problem(key, f"holds for all data sets of a joint training; set {where}")


def _is_joint(overrides: Iterable[Override]) -> bool:
    return any(o.key_or_group == "data" and o.value() == _JOINT for o in overrides)


def _chosen(overrides: Iterable[Override]) -> dict[str, str]:
    """The config of each data set that is typed, by its name."""
    chosen: dict[str, str] = {}
    for override in overrides:
        value: object = override.value() if override.key_or_group == _SETS else None
        for each in value.list if isinstance(value, ChoiceSweep) else [value]:
            if isinstance(each, Mapping):
                chosen |= {_text(name): _text(config) for name, config in each.items()}
            elif isinstance(each, list):
                chosen |= {_text(name): _text(name) for name in each}
    return chosen


def _text(value: object) -> str:
    return value.text if isinstance(value, QuotedString) else str(value)
