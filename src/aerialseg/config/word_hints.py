"""What a word of the command line that has no ``=`` was probably meant to be."""

import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from aerialseg.config.schema import Experiment
from aerialseg.config.texts import unbalanced


def whole_value(word: str, pending: list[str]) -> str:
    """An override with what the shell cut off at spaces within brackets; takes it from the rest.

    Empty if nothing was cut off, or if the brackets stay open.
    """
    whole = word
    for taken, following in enumerate(pending, start=1):
        if not unbalanced(whole.partition("=")[2]):
            break
        whole += f" {following}"
        if not unbalanced(whole.partition("=")[2]):
            del pending[:taken]
            return whole
    return ""


def with_spaces(before: str, word: str, pending: list[str], conf_dir: Path) -> str:
    """The override before a word together with it, if it may be the rest of a value with spaces.

    Takes more such words from the rest. Empty if a choice of a group is before it, or if the word
    is a key of the config.
    """
    key = before.lstrip("+~").partition("=")[0]
    if "=" not in before or (conf_dir / key).is_dir() or _is_key(word, pending, conf_dir):
        return ""
    whole = f"{before} {word}"
    while pending and "=" not in pending[0] and not _is_key(pending[0], pending[1:], conf_dir):
        whole += f" {pending.pop(0)}"
    return shlex.quote(whole)


def _is_key(word: str, pending: Sequence[str], conf_dir: Path) -> bool:
    """Whether a word without ``=`` is a key whose value follows."""
    first = word.partition(".")[0]
    known = {field.name for field in fields(Experiment)}
    return first in known or (conf_dir / first).is_dir() or pending[:1] == ["="]


def as_input(word: str) -> str:
    """A word that is a path, as the overrides that it may be meant for; empty for other words."""
    if "/" not in word and not Path(word).exists():
        return ""
    return " or ".join(shlex.quote(f"{key}={word}") for key in ("input", "data.root"))


def joined(word: str, pending: list[str]) -> str:
    """The word and what follows as one override, if they look like it; takes it from the rest."""
    if pending and pending[0] == "=":
        pending.pop(0)
    elif not pending or ("=" in pending[0] and not pending[0].startswith("=")):
        return ""
    return f"{word}={pending.pop(0).removeprefix('=')}" if pending else f"{word}=VALUE"


def choices_named(word: str, conf_dir: Path) -> list[str]:
    """The choices of groups that have this name, as overrides."""
    if not word.isidentifier() or word.startswith("_"):
        return []
    return [f"{path.parent.name}={word}" for path in sorted(conf_dir.glob(f"*/{word}.yaml"))]
