"""Where corrected masks go, so that ``data.layout.masks`` alone chooses them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath
from typing import Any

from aerialseg.errors import DataError

Target = tuple[str, str]
"""What stands before and behind the new folder in a path below the root."""


@dataclass(frozen=True)
class MaskFolders:
    """The places of new masks beside the old ones.

    Attributes:
        default: Name of the new folder, below the root or below each part of it.
        patterns: What ``data.layout.masks`` is behind the new folder: empty for the folder itself;
            patterns of the layout ``pairs``; None if the layout has no such setting.
        targets: For each mask, where its new file lies.
        refusal: Why no other masks can be chosen; empty if they can.
    """

    default: str
    patterns: tuple[str, ...] | None
    targets: tuple[Target, ...]
    refusal: str = ""


def mask_folders(root: Path, layout: Mapping[str, Any], masks: Sequence[Path]) -> MaskFolders:
    """Where the corrected masks of a data set go.

    Args:
        root: Its root.
        layout: ``data.layout`` of the config.
        masks: All masks.

    Raises:
        DataError: If a mask does not lie where the layout says.
    """
    said = layout.get("masks")
    patterns = [said] if isinstance(said, str) else list(said or ())
    if any("{" in each for each in patterns):
        targets = tuple(("", f"/{_below(root, path)}") for path in masks)
        return MaskFolders("masks_corrected", tuple(f"/{each}" for each in patterns), targets)
    if isinstance(said, str) and not Path(said).is_absolute():
        return _of_folders(root, normpath(said), normpath(str(layout.get("images", "."))), masks)
    common = os.path.commonpath([path.parent for path in masks])
    inner = tuple(("", f"/{_below(Path(common), path)}") for path in masks)
    return MaskFolders(f"{Path(common).name}_corrected", None, inner)


def _of_folders(root: Path, name: str, images: str, masks: Sequence[Path]) -> MaskFolders:
    """Of a folder of masks below the root, or below each folder of a split."""
    inside = images == "." or name == images or name.startswith(f"{images}/")
    refusal = (
        f"{root}: its masks lie in the folder of its images, where they would be taken for images "
        "once data.layout.masks is another folder; move them into a folder beside it, and inspect "
        "again"
    )
    default = "masks_corrected" if name == "." else f"{name}_corrected"
    targets = []
    for path in masks:
        below = _below(root, path)
        part, _, rest = below.partition("/")
        if name == ".":
            targets.append(("", f"/{below}"))
        elif below.startswith(f"{name}/"):
            targets.append(("", below.removeprefix(name)))
        elif rest.startswith(f"{name}/"):
            targets.append((f"{part}/", rest.removeprefix(name)))
        else:
            raise DataError(f"{path}: is not in a folder {name} of {root}")
    return MaskFolders(default, ("",), tuple(targets), refusal if inside else "")


def _below(folder: Path, path: Path) -> str:
    """The path of a file below a folder, with forward slashes."""
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        return Path(os.path.relpath(path, folder)).as_posix()
