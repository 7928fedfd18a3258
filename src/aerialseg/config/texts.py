"""Values of the command line that are texts: read as they stand where Hydra would not do so."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Union, get_args, get_origin, get_type_hints

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

from aerialseg.config.joint_sets import as_single
from aerialseg.config.name_mappings import KEYS, as_interpolation, read_names
from aerialseg.config.schema import Experiment

_TEXTS_OF_TARGETS = frozenset(
    {
        *("data.root", "data.cache_dir", "data.classes", "task.output_dir", "task.output"),
        *("data.layout.images", "data.layout.masks", "data.layout.test_images"),
        *("callbacks.checkpoint.folder", "logger.save_dir"),
    }
)
"""Keys of texts that classes and functions declare; importing those would load torch."""
_TEMPLATES = frozenset({"data.layout.image_name", "data.layout.mask_name"})
"""Keys of texts with fields in braces, which Hydra would take for a mapping."""
_CLOSED_BY = {"[": "]", "{": "}", "(": ")"}
_FUNCTION = re.compile(r"(int|float|bool|str|choice|range|interval|tag|sort|shuffle|glob) *\(")
"""How a function of Hydra's grammar begins."""


def parse_override(word: str) -> Override | None:
    """The parsed override; ``None`` if the word is not one."""
    try:
        override = OverridesParser.create().parse_override(word)
    except HydraException:
        return None
    return override if override.key_or_group else None


def with_quoted_texts(word: str, *, in_multirun: bool) -> str:
    """An override with quotes around what Hydra would not read as the text that it is.

    That is what its grammar does not know, such as ``~/a``, ``lr=1/b.ckpt`` or ``Süd``, unless it
    looks like a mistyped list, mapping, function or quoted text. For keys that take text only it is
    also what looks like a number, such as the name ``2024``.

    A template such as ``{stem}_lab.png`` is never a mapping.

    Args:
        word: An override as typed.
        in_multirun: Whether a comma separates values.
    """
    key, equals, value = word.partition("=")
    name = key.lstrip("+")
    if not equals or word.startswith("~") or parse_override(f"{name}=x") is None:
        return word
    parts = list(between_commas(value)) if in_multirun else [value]
    is_whole = parse_override(word) is not None
    read = [_as_read(part, as_single(name)) for part in parts]
    # Parts change nothing where the whole is fine: a function has commas of its own.
    return word if is_whole and read == parts else f"{key}={','.join(read)}"


def in_quotes(text: str) -> str:
    """A text as Hydra's grammar quotes it."""
    quote = Quote.double if "'" in text and '"' not in text else Quote.single
    return str(QuotedString(text, quote).with_quotes())


def for_shell(word: str) -> str:
    """A word as it is typed in a shell, in quotes."""
    if "!" in word:  # which an interactive shell expands in double quotes too
        return shlex.quote(word)
    return '"' + re.sub(r'(["$`\\])', r"\\\1", word) + '"'


def looks_like_grammar(value: str) -> bool:
    """Whether a value begins as a list, a mapping, a quoted text or a function does."""
    return value.startswith(("[", "{", "'", '"')) or bool(_FUNCTION.match(value))


def unbalanced(value: str) -> str:
    """Which bracket or quote of a value has no counterpart; empty if all have."""
    opened: list[str] = []
    quote = ""
    for letter in value:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in _CLOSED_BY:
            opened.append(letter)
        elif letter in _CLOSED_BY.values() and (not opened or _CLOSED_BY[opened.pop()] != letter):
            return f": '{letter}' closes nothing"
    if quote:
        return f": the quote {quote} is not closed"
    return f": '{opened[-1]}' is not closed" if opened else ""


def between_commas(value: str) -> Iterator[str]:
    """The values between commas, split at none of those commas that stand in brackets or quotes."""
    start = 0
    for index, letter in enumerate(value):
        if letter == "," and not unbalanced(value[start:index]):
            yield value[start:index].strip()
            start = index + 1
    yield value[start:].strip()


@cache
def text_keys() -> frozenset[str]:
    """The keys that take text, or a list of it, and nothing else, other than null."""
    return frozenset(_text_keys("", Experiment)) | _TEXTS_OF_TARGETS | _TEMPLATES


def _text_keys(prefix: str, section: type) -> Iterator[str]:
    for name, hint in get_type_hints(section).items():
        if _is_text(hint):
            yield f"{prefix}{name}"
        elif is_dataclass(hint) and isinstance(hint, type):
            yield from _text_keys(f"{prefix}{name}.", hint)


def _is_text(hint: object) -> bool:
    """Whether a value of this type is a text, a list of texts or null."""
    kinds = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
    return str in kinds and {*kinds} <= {str, list[str], NoneType}


def _holds_texts(override: Override | None) -> bool:
    """Whether Hydra reads a mapping of texts, and so each name as it stands."""
    value = None if override is None or override.is_sweep_override() else override.value()
    if not isinstance(value, dict):
        return False
    named = (str, QuotedString)
    return all(isinstance(k, str) and isinstance(v, (*named, type(None))) for k, v in value.items())


def _as_names(part: str) -> str:
    """A mapping whose names Hydra would take for numbers or not read; as it is if it is none."""
    names = read_names(part)
    return part if names is None else in_quotes(as_interpolation(names))


def _as_read(part: str, key: str) -> str:
    """One value, in quotes if it is a text that Hydra would not read as one."""
    override = parse_override(f"key={part}")
    if key in KEYS and part.startswith("{"):
        return part if _holds_texts(override) else _as_names(part)
    if key in _TEMPLATES and part[:1] not in ("'", '"'):
        return part if override is not None and override.value() is None else in_quotes(part)
    if override is None:
        is_mistyped = looks_like_grammar(part) or unbalanced(part)
        return part if is_mistyped else in_quotes(part)
    is_number = not override.is_sweep_override() and isinstance(override.value(), int | float)
    return in_quotes(part) if key in text_keys() and is_number else part
