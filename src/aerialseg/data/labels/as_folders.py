"""How the layout ``folders`` reads a data set whose own layout cannot choose other masks."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aerialseg.data.layouts.listing import Sample

_KEPT = ("image_min_size", "group_pattern", "mask_format", "mask_values", "ignore_values")
"""Keys of ``data`` by which the data set would be read in another way if they were left out."""


@dataclass(frozen=True)
class AsFolders:
    """What must be said to ``data=folders``, besides masks and classes.

    Attributes:
        images: The folder of the images below the root.
        splits: Id and split of every image that is in one.
        settings: Overrides of other keys, as they are typed.
    """

    images: str
    splits: tuple[tuple[str, str], ...]
    settings: tuple[str, ...]


def as_folders(root: Path, samples: Sequence[Sample], data: Mapping[str, Any]) -> AsFolders | None:
    """How the images are read as folders.

    Args:
        root: The data's root.
        samples: All of them.
        data: ``data`` of the config.

    Returns:
        None if they cannot be: if masks lie in the folder of the images, or have other names.
    """
    images = _common([each.image for each in samples])
    masks = [each.mask for each in samples if each.mask is not None]
    inside = any(path.is_relative_to(images) for path in masks)
    if inside or not images.is_relative_to(root) or images == root:
        return None
    common = _common(masks)
    ids = {each.image: _id(images, each.image) for each in samples}
    if any(each.mask and _id(common, each.mask) != ids[each.image] for each in samples):
        return None
    splits = tuple((ids[each.image], each.split) for each in samples if each.split is not None)
    settings = [f"data.{key}={_typed(data[key])}" for key in _KEPT if data.get(key) is not None]
    return AsFolders(images.relative_to(root).as_posix(), splits, tuple(settings))


def _common(paths: Sequence[Path]) -> Path:
    return Path(os.path.commonpath([path.parent for path in paths]))


def _id(folder: Path, path: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _typed(value: Any) -> str:  # noqa: ANN401 - a value of the config
    """A value as it is typed behind ``=``."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_typed(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_typed, value)) + "]"
    return str(value)
