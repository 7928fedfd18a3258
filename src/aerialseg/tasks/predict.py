"""Masks and overlays for any images, from a checkpoint alone."""

import glob
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, cast

from annotated_types import Ge, Le
from rich.progress import track

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.data.images.decoding import check_whole
from aerialseg.data.images.headers import MAX_MEGAPIXELS
from aerialseg.data.images.reading import read_image, read_size
from aerialseg.data.images.writing import write_image, write_mask
from aerialseg.errors import DataError
from aerialseg.training.build import build_predictor
from aerialseg.viz.colours import overlay

logger = logging.getLogger(__name__)

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

_SHOWN = 10  # problems printed at once


@task(reads_checkpoint=True, reads_input=True)
def predict(
    experiment: Experiment,
    *,
    output_dir: str = "predictions",
    overlay_opacity: Annotated[float, Ge(0), Le(1)] = 0.5,
) -> None:
    """Writes three images for each input: index mask, colour mask and overlay.

    ``NAME_index.png`` holds class ids, ``NAME_colour.png`` the same ids with the class colours
    as palette, ``NAME_overlay.png`` the image with the mask laid over it. A folder's structure
    is kept.

    Args:
        experiment: The config, of which ``checkpoint``, ``input``, ``data.max_megapixels`` and
            ``trainer`` are used.
        output_dir: Where to write.
        overlay_opacity: Opacity of the mask in the overlay, 0 to 1.

    Raises:
        DataError: If there are no images, or if one cannot be read; headers and file ends are
            checked, and all problems listed, before the first mask is written.
    """
    max_megapixels = cast("float", experiment.data.get("max_megapixels", MAX_MEGAPIXELS))
    images = find_images(str(experiment.input))
    _check(images, max_megapixels)
    predictor = build_predictor(experiment)
    for path, name in track(images.items(), description="predict", disable=len(images) < 5):
        image = read_image(path, max_megapixels=max_megapixels)
        mask = predictor.predict(image)
        stem = str(Path(output_dir) / name)
        write_mask(Path(f"{stem}_index.png"), mask)
        write_mask(Path(f"{stem}_colour.png"), mask, palette=predictor.classes.palette)
        blended = overlay(image, mask, predictor.classes, opacity=overlay_opacity)
        write_image(Path(f"{stem}_overlay.png"), blended)
    logger.info(
        "%d images segmented with %s: index masks, colour masks and overlays in %s",
        len(images),
        experiment.checkpoint,
        output_dir,
    )


def find_images(source: str) -> dict[Path, str]:
    """The images that ``input`` refers to, each with the name of its masks.

    Args:
        source: An image, a folder that is searched recursively, or a glob.

    Raises:
        DataError: If there are none, or two have the same mask name.
    """
    root = Path(source).expanduser()
    if root.is_dir():
        inside = (path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
        # File managers leave hidden files whose names end like those of images.
        found = sorted(p for p in inside if p.is_file() and not p.name.startswith("."))
        base = root
    else:
        # Path.glob would need the pattern split from its fixed part.
        matches = glob.glob(str(root), recursive=True) if not root.is_file() else [str(root)]  # noqa: PTH207
        unique = {_resolved(Path(match)): Path(match) for match in matches if Path(match).is_file()}
        found = sorted(unique.values())
        base = Path(os.path.commonpath([_resolved(path.parent) for path in found] or [root]))
    if not found:
        kinds = ", ".join(sorted(SUFFIXES))
        raise DataError(f"input: {source} is not an image, a folder or a glob of images ({kinds})")
    # With '..' left in, a name could point outside the output folder.
    names = {
        path: _resolved(path).relative_to(_resolved(base)).with_suffix("").as_posix()
        for path in found
    }
    writers: dict[str, Path] = {}
    for path, name in names.items():
        other = writers.setdefault(name, path)
        if other != path:
            raise DataError(
                f"input: {other} and {path} would both write {name}_index.png; rename one of them"
            )
    return names


def _resolved(path: Path) -> Path:
    """The absolute path without ``..``."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps '..'


def _check(images: Iterable[Path], max_megapixels: float) -> None:
    """Raises DataError if the header or the end of an image file is damaged."""
    problems: list[str] = []
    for path in images:
        try:
            read_size(path, max_megapixels=max_megapixels)
            check_whole(path)
        except DataError as error:
            problems += error.problems
    if problems:
        more = [f"and {len(problems) - _SHOWN} more images"] if len(problems) > _SHOWN else []
        raise DataError(*problems[:_SHOWN], *more)
