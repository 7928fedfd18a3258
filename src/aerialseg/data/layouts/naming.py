"""How the names of masks follow from those of their images."""

import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Literal

from aerialseg.data.layouts.listing import IMAGE_SUFFIXES, count
from aerialseg.errors import ConfigError, did_you_mean
from aerialseg.storage.names import composed, quoted, stays_inside

_FIELD = re.compile(r"\{([^{}]*)\}")
_ANY_SUFFIX = "|".join(map(re.escape, sorted(IMAGE_SUFFIXES)))
_GROUPS = {
    "{parent}/": "(?:(?P<parent>.+)/)?",
    "{parent}": "(?P<parent>.*)",
    "{stem}": "(?P<stem>[^/]+)",
    "{name}": f"(?P<name>[^/]+(?i:{_ANY_SUFFIX}))",
}
_IMAGE_FIELDS = ("stem", "parent")
_MASK_FIELDS = ("stem", "parent", "name")
_USUAL = {"image_name": "{stem}_sat.jpg", "mask_name": "{stem}_lab.png"}


class Naming:
    """Which files are images, which are masks, and which mask an image has.

    Paths are relative to the folder of images or to that of masks, with forward slashes.

    Args:
        image_name: A template of the paths of images; None if all files that are no masks are.
        mask_name: A template of the paths of masks; None if they have the names of their images.

    Raises:
        ConfigError: If a template has an unknown field or none, a lone brace, or leaves its folder.

    Attributes:
        is_default: Whether neither is given.
        remark: What an error adds to the kinds of files that are wanted.
    """

    def __init__(self, image_name: str | None, mask_name: str | None) -> None:
        self.is_default = image_name is None and mask_name is None
        self.remark = "" if self.is_default else ", named as data.layout.*_name say"
        image_name = "{stem}" if image_name is None else image_name
        self._images = _Template("image_name", image_name, _IMAGE_FIELDS)
        mask_name = "{stem}" if mask_name is None else mask_name
        self._masks = _Template("mask_name", mask_name, _MASK_FIELDS)

    def is_image(self, path: str) -> bool:
        """Whether a file in the folder of images has the name of one."""
        return self._images.fields_of(path) is not None

    def is_mask(self, path: str) -> bool:
        """Whether a file in the folder of masks has the name of one."""
        return self._masks.fields_of(path) is not None

    def kind_of(self, path: str) -> Literal["image", "mask"] | None:
        """What a file in a folder of both is, by the template that says more if both fit."""
        is_image, is_mask = self.is_image(path), self.is_mask(path)
        if is_image and is_mask:
            return "image" if self._images.letters > self._masks.letters else "mask"
        return "image" if is_image else "mask" if is_mask else None

    def mask_of(self, image: str) -> str:
        """The path of an image's mask, without its suffix."""
        path = PurePosixPath(image)
        folder = path.parent.as_posix()
        usual = {"name": path.name, "stem": path.stem, "parent": folder}
        return self._masks.filled(usual | (self._images.fields_of(image) or {}), folder)

    def with_suffix(self, mask: str) -> str:
        """A path from :meth:`mask_of` as an example shows it."""
        return mask + (self._masks.suffix or ".png")

    def check_distinct(self, mask_of_id: Mapping[str, str]) -> None:
        """Checks that no two images have one mask.

        Raises:
            ConfigError: If they do.
        """
        images: dict[str, list[str]] = {}
        for key, mask in mask_of_id.items():
            images.setdefault(mask, []).append(key)
        for mask, keys in images.items():
            if len(keys) > 1:
                raise ConfigError(
                    f"data.layout.mask_name: {quoted(self._masks.text)} gives "
                    f"{count(keys, 'image')} one mask, {self.with_suffix(mask)}; add "
                    "{stem}, or {parent} for the folder of the image"
                )


class _Template:
    """A path with fields in braces, such as ``{stem}_lab.png`` or ``{parent}/gt/{stem}.png``.

    Without a slash and ``{parent}`` it is a name in any folder; without a suffix of images it
    stands for all of these suffixes.
    """

    def __init__(self, key: str, text: str, fields: Collection[str]) -> None:
        self.text = text
        path = composed(text).replace("\\", "/")  # as it may be typed on Windows
        if problem := _problem(key, path, fields):
            raise ConfigError(f"data.layout.{key}: {problem}")
        self._is_name = "/" not in path and "{parent}" not in path
        if path.endswith("{name}"):  # whose suffix need not be that of the mask
            path = path.removesuffix("{name}") + "{stem}"
        ending = PurePosixPath(path).suffix
        self.suffix = ending if ending.lower() in IMAGE_SUFFIXES else ""
        self._stem = path.removesuffix(self.suffix)
        self._pattern = re.compile(self._as_pattern())
        fixed = _FIELD.sub("", path)
        self.letters = len(PurePosixPath(fixed).name), len(fixed)

    def fields_of(self, path: str) -> dict[str, str] | None:
        """The fields of a path that is named so; None of any other path."""
        match = self._pattern.fullmatch(composed(path))
        return {name: text or "" for name, text in match.groupdict().items()} if match else None

    def filled(self, fields: Mapping[str, str], folder: str) -> str:
        """The path with these fields, in ``folder`` if it is a name; without its suffix."""
        path = _FIELD.sub(lambda field: fields[field[1]], self._stem)
        return normpath(f"{folder}/{path}" if self._is_name else path.lstrip("/"))

    def _as_pattern(self) -> str:
        """The regular expression of the paths that are named so."""
        pattern = re.escape("{parent}/" + self._stem if self._is_name else self._stem)
        for field, group in _GROUPS.items():
            pattern = pattern.replace(re.escape(field), group, 1)
        for name in _MASK_FIELDS:  # a field that is there again
            pattern = pattern.replace(re.escape(f"{{{name}}}"), f"(?P={name})")
        return f"{pattern}(?i:{re.escape(self.suffix) if self.suffix else _ANY_SUFFIX})"


def _problem(key: str, path: str, fields: Collection[str]) -> str:
    """What is wrong with a template; empty if nothing is."""
    found = _FIELD.findall(path)
    shown = quoted(path)
    if unknown := [name for name in found if name not in fields]:
        return f"{shown}: there is no field {{{unknown[0]}}}{did_you_mean(unknown[0], fields)}"
    guess = _USUAL[key]
    if set("{}") & set(_FIELD.sub("", path)):
        fault = "has a brace without its counterpart"
    elif not found:
        fault = "has no field, so it is one name for all"
        starred = path if "*" in path else f"*{path}"
        guess = starred.replace("*", "{stem}", 1) if path[:1] in ("_", "-", "*") else guess
    elif not stays_inside(path):
        fault = "leaves its folder"
    else:
        return ""
    return f"{shown} {fault}; write it as in {as_typed(key, guess)}"


def as_typed(key: str, template: str) -> str:
    """A template as it is typed in a shell."""
    return f"'data.layout.{key}={template}'"
