"""Patterns of paths: where the files of a data set lie, with placeholders for what differs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aerialseg.data.layouts.listing import IMAGE_SUFFIXES
from aerialseg.errors import ConfigError, DataError

PART = "part"
"""The placeholder whose value is a part of the split, such as the folder ``train``."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Match:
    """A file that fits a pattern.

    Attributes:
        path: The file.
        values: What the placeholders stand for in its path.
    """

    path: Path
    values: Mapping[str, str]


@dataclass(frozen=True)
class PathPattern:
    """``{part}/{sequence}/Images/{name}``: folders, and last a file's name without its suffix.

    A placeholder stands for any text within one name; where it occurs again, for the same text.

    Args:
        text: The pattern.

    Raises:
        ConfigError: If it is no relative path or has no placeholder.
    """

    text: str

    def __post_init__(self) -> None:
        names = self.text.split("/")
        if any(name in ("", ".", "..") for name in names) or not self.placeholders:
            raise ConfigError(
                f"data.layout: '{self.text}' is no pattern of paths; write folders below the root "
                "and last the name of a file without its suffix, as in images/{name}"
            )
        if re.search(r"[{}]", _PLACEHOLDER.sub("", self.text)):
            raise ConfigError(
                f"data.layout: '{self.text}' has a brace that belongs to no placeholder; write "
                "them as {name}"
            )

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        """Their names, in the order of their first occurrence."""
        return tuple(dict.fromkeys(_PLACEHOLDER.findall(self.text)))

    def files(self, root: Path, parts: Sequence[str] | None = None) -> Iterator[Match]:
        """Every image file below a root that fits, in the order of the paths.

        Hidden files and folders do not fit. Links to folders are followed, because the pattern
        says which folders are meant; a folder that has two names in one place counts once.

        Args:
            root: The folder that the pattern starts from.
            parts: The only values that the placeholder ``part`` may have; None for any.

        Raises:
            DataError: If a folder cannot be read.
        """
        yield from self._below(root, self.text.split("/"), {}, parts)

    def _below(
        self,
        folder: Path,
        names: Sequence[str],
        values: Mapping[str, str],
        parts: Sequence[str] | None,
    ) -> Iterator[Match]:
        """The files below ``folder`` that fit what is left of the pattern."""
        name, *rest = names
        if rest and not _PLACEHOLDER.search(name):
            if (folder / name).is_dir():
                yield from self._below(folder / name, rest, values, parts)
            return
        expression = _expression(name, values, parts)
        entries = [path for path in _entries(folder) if path.is_dir() == bool(rest)]
        fits = {path: expression.fullmatch(path.name if rest else path.stem) for path in entries}
        if rest:
            for inner in _once([path for path, match in fits.items() if match]):
                match = fits[inner]
                found = {} if match is None else match.groupdict()
                yield from self._below(inner, rest, {**values, **found}, parts)
            return
        for path, match in fits.items():
            if match and path.suffix.lower() in IMAGE_SUFFIXES:
                yield Match(path, {**values, **match.groupdict()})


def _expression(
    name: str, values: Mapping[str, str], parts: Sequence[str] | None
) -> re.Pattern[str]:
    """The regular expression of one name of a pattern, with known placeholders filled in."""
    pieces, seen = [], set()
    for index, piece in enumerate(_PLACEHOLDER.split(name)):
        if index % 2 == 0:
            pieces.append(re.escape(piece))
        elif piece in values:
            pieces.append(re.escape(values[piece]))
        elif piece in seen:
            pieces.append(f"(?P={piece})")
        else:
            seen.add(piece)
            any_of = "|".join(map(re.escape, parts)) if piece == PART and parts else ".+"
            pieces.append(f"(?P<{piece}>{any_of})")
    return re.compile("".join(pieces))


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, in the order of the names; hidden things are left out."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise DataError(f"{folder}: unreadable folder ({reason}); allow reading it") from None


def _once(folders: Sequence[Path]) -> list[Path]:
    """The folders, of which those that are one and the same are there once, by its own name."""
    by_place: dict[Path, Path] = {}
    for folder in sorted(folders, key=lambda path: (path.is_symlink(), path)):
        by_place.setdefault(folder.resolve(), folder)
    return sorted(by_place.values())
