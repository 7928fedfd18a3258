"""What differs between the values of two runs, in words."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_TYPED = ("seed", "stage", "data", "model", "loss", "optimizer", "scheduler", "trainer")
"""What a run is compared by and the command line calls by the same name."""


def differences(old: object, new: object, path: str = "") -> list[str]:
    """One line for each value that differs between two nested mappings."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [*old, *(key for key in new if key not in old)]
        return [
            line
            for key in keys
            for line in differences(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if old == new else [f"{path} was {_brief(old)}, is {_brief(new)}"]


def without_repetitions(lines: Sequence[str]) -> list[str]:
    """The lines of :func:`differences` without those that repeat the values of another.

    Many values are taken from one of the stage: ``stage.epochs`` is also the trainer's number of
    epochs and the length of the schedule. The line about the stage is kept.
    """
    shown: dict[str, str] = {}
    for line in sorted(lines, key=lambda line: not line.startswith("stage.")):
        shown.setdefault(line.partition(" ")[2], line)
    return [line for line in lines if line in shown.values()]


def typed_again(stored: Mapping[str, Any], changes: Sequence[str]) -> str:
    """The overrides that give the values of a run again; empty if that takes more than those.

    Args:
        stored: The values of the run.
        changes: Lines of :func:`differences`, old values being those of ``stored``.
    """
    overrides = []
    for line in changes:
        key = line.partition(" ")[0]
        value: Any = stored
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        is_typed = key.split(".")[0] in _TYPED and not key.endswith("_target_")
        if not is_typed or not re.fullmatch(r"[\w.-]+", str(value)) or value is None:
            return ""
        overrides.append(f"{key}={str(value).lower() if isinstance(value, bool) else value}")
    return " ".join(overrides)


def _brief(value: object) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."
