"""What differs between the configs of two runs, by key."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

_ABSENT = "absent"
"""Written where a config does not have a key."""

_OF_THE_MACHINE = re.compile(
    r"(paths|compute|task|hydra)\b|(run_name|checkpoint|checkpoint_from|input|existing)$"
    r"|data\.(parts\.[^.]+\.)?(root|cache_dir|num_workers|mask_memory_mb|window_cache_gb)$"
    r"|stage\.(from_run|init_checkpoint)$|trainer\.(accelerator|devices)$"
    r"|logger\.(save_dir|dirpath)$|callbacks\.\w+\.(folder|dirpath)$"
)
"""Keys that say where and by what a run was trained, rather than how."""

Values: TypeAlias = tuple[str, str]
"""Of the one run and of the other, as YAML has them."""


@dataclass(frozen=True)
class ConfigDifferences:
    """Keys whose values differ; keys with the same two values share a row.

    Attributes:
        training: What may change the result.
        machine: Names, places and hardware.
    """

    training: Mapping[str, Values]
    machine: Mapping[str, Values]

    def to_mapping(self) -> dict[str, Any]:
        """As ``compare.json`` holds it."""
        return {
            part: {key: {"a": a, "b": b} for key, (a, b) in rows.items()}
            for part, rows in (("training", self.training), ("machine", self.machine))
        }


def config_differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> ConfigDifferences:
    """Compares two resolved configs.

    Args:
        a: Of the one run.
        b: Of the other.
    """
    found = dict(_differing("", a, b))
    machine = {key for key in found if _OF_THE_MACHINE.match(key)}
    return ConfigDifferences(
        training=_by_values({k: v for k, v in found.items() if k not in machine}),
        machine=_by_values({k: v for k, v in found.items() if k in machine}),
    )


class _Missing:
    """Where one of two configs has no such key."""


_MISSING = _Missing()


def _differing(path: str, a: object, b: object) -> Iterator[tuple[str, Values]]:
    """Each key that differs; lists that build the same are compared item by item."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in (*a, *(key for key in b if key not in a)):
            inner = f"{path}.{key}".lstrip(".")
            yield from _differing(inner, a.get(key, _MISSING), b.get(key, _MISSING))
    elif isinstance(a, list) and isinstance(b, list) and _build_the_same(a, b):
        for index, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from _differing(f"{path}[{index}]", one, other)
    elif a != b:
        yield path, (_shown(a), _shown(b))


def _build_the_same(a: list[Any], b: list[Any]) -> bool:
    """Whether two lists hold the same kinds of things in one order, such as transforms."""
    kinds = [
        [each.get("_target_") if isinstance(each, Mapping) else None for each in side]
        for side in (a, b)
    ]
    return kinds[0] == kinds[1] and None not in kinds[0]


def _by_values(rows: Mapping[str, Values]) -> dict[str, Values]:
    """The rows, those with the same values joined: one choice sets the value of many keys."""
    keys: dict[Values, list[str]] = {}
    for key, values in rows.items():
        keys.setdefault(values, []).append(key)
    return {", ".join(names): values for values, names in keys.items()}


def _shown(value: object) -> str:
    """A value on one line, in the notation of YAML."""
    if isinstance(value, _Missing):
        return _ABSENT
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value) if isinstance(value, str) and value in ("", _ABSENT, "null") else str(value)
