"""Masks and overlays for any pictures, from the checkpoint alone."""

import glob
import logging
import os
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from omegaconf import DictConfig
from rich.progress import track

from aerialseg.data.images import read_image, write_image, write_mask
from aerialseg.errors import DataError
from aerialseg.tasks.build import build_predictor
from aerialseg.viz.colours import overlay

logger = logging.getLogger(__name__)

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def predict(
    cfg: DictConfig,
    *,
    output_dir: str = "predictions",
    overlay_opacity: Annotated[float, Ge(0), Le(1)] = 0.5,
) -> None:
    """Writes three pictures for each input: index mask, colour mask and overlay.

    ``NAME_index.png`` holds class ids, ``NAME_colour.png`` the same ids with the class table as
    its palette, ``NAME_overlay.png`` the picture with the mask laid over it. A folder's structure
    is kept.

    Args:
        cfg: The composed config, of which ``checkpoint`` and ``input`` matter.
        output_dir: Where to write.
        overlay_opacity: How much of the overlay is mask, 0 to 1.
    """
    pictures = find_pictures(cfg.input)
    predictor = build_predictor(cfg)
    for path, name in track(pictures.items(), description="predict", disable=len(pictures) < 5):
        image = read_image(path)
        mask = predictor.predict(image)
        stem = str(Path(output_dir) / name)
        write_mask(Path(f"{stem}_index.png"), mask)
        write_mask(Path(f"{stem}_colour.png"), mask, palette=predictor.classes.palette)
        laid_over = overlay(image, mask, predictor.classes, opacity=overlay_opacity)
        write_image(Path(f"{stem}_overlay.png"), laid_over)
    logger.info(
        "%d pictures segmented with %s: index masks, colour masks and overlays in %s",
        len(pictures),
        cfg.checkpoint,
        output_dir,
    )


def find_pictures(source: str) -> dict[Path, str]:
    """The pictures that an ``input`` means, each with the name its masks will have.

    Args:
        source: A picture, a folder that is searched through, or a glob.

    Raises:
        DataError: If there are none, or two would get the same name.
    """
    root = Path(source).expanduser()
    if root.is_dir():
        inside = (path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
        found = sorted(path for path in inside if path.is_file())
        base = root
    else:
        # Path.glob would need the pattern split from its fixed part; an existing file is none.
        matches = glob.glob(str(root), recursive=True) if not root.is_file() else [str(root)]  # noqa: PTH207
        found = sorted(Path(match) for match in matches if Path(match).is_file())
        base = Path(os.path.commonpath([path.parent for path in found])) if found else root
    if not found:
        kinds = ", ".join(sorted(SUFFIXES))
        raise DataError(f"input: {source} is no picture, and no folder or glob of any ({kinds})")
    names = {path: str(path.relative_to(base).with_suffix("")) for path in found}
    writers: dict[str, Path] = {}
    for path, name in names.items():
        other = writers.setdefault(name, path)
        if other != path:
            raise DataError(
                f"input: {other} and {path} would both write {name}_index.png; rename one of them"
            )
    return names
