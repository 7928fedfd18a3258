"""Index masks from the polygons of labelling tools: COCO, LabelMe or CVAT."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.config.program import typed
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.data.annotations.conversion import (
    Converted,
    EmptyImages,
    Unlabelled,
    Wishes,
    convert,
)
from aerialseg.data.annotations.painting import Order
from aerialseg.data.images.headers import MAX_MEGAPIXELS
from aerialseg.data.images.orientation import ExifOrientation
from aerialseg.durations import counted
from aerialseg.report.class_shares import show_class_shares
from aerialseg.report.path_links import PathLink
from aerialseg.report.progress_bars import with_progress

logger = logging.getLogger(__name__)


@task(reads_input="an annotation file of COCO, LabelMe or CVAT, or a folder of them")
def convert_annotations(
    experiment: Experiment,
    *,
    output_dir: str = "converted",
    images: str | None = None,
    classes: str | None = None,
    renamed_labels: Mapping[str, str | None] | None = None,
    unlabelled: Unlabelled = "background",
    empty_images: EmptyImages = "leave_out",
    order: Order = "auto",
    copy_images: bool = False,
) -> Converted:
    """Writes a folder for ``data=folders`` from the annotations that ``input`` names.

    Args:
        experiment: The config, of which ``input``, ``data.exif_orientation`` and
            ``data.max_megapixels`` are used.
        output_dir: The new folder, which gets ``images``, ``masks`` and ``classes.yaml``.
        images: The folder of the images; ``None`` to look where the annotations are, and in
            ``images`` there and beside it.
        classes: A ``classes.yaml`` whose ids and colours to use, such as that of an earlier
            conversion; ``None`` to make one from the labels.
        renamed_labels: By label, the class that it means, so that several labels can be one class;
            ``None`` ignores the pixels of a label.
        unlabelled: Whether pixels under no shape are the class ``background`` or ignored.
        empty_images: Whether images without shapes are left out, since they may not be labelled
            yet, or are all ``background``.
        order: Which of two overlapping shapes is seen. ``area``: the smaller; ``file``: the later
            one; ``auto``: by the format, area for COCO, ``z_order`` for CVAT, file for LabelMe.
        copy_images: Whether images are copied; else they get a second name (a hard link), which
            takes no room, and are copied only to another disk.

    Raises:
        ConfigError: If options contradict each other.
        DataError: If the annotations cannot be used as they are.
    """
    wishes = Wishes(
        images=None if images is None else Path(images),
        classes=None if classes is None else ClassTable.read(classes),
        renamed_labels=renamed_labels or {},
        unlabelled=unlabelled,
        empty_images=empty_images,
        order=order,
        exif_orientation=cast("ExifOrientation | None", experiment.data.get("exif_orientation")),
        copy_images=copy_images,
        max_megapixels=cast("float", experiment.data.get("max_megapixels", MAX_MEGAPIXELS)),
    )
    done = convert(Path(str(experiment.input)), Path(output_dir), wishes, progress=_progress)
    _say(done, output_dir)
    return done


def _progress(numbers: Sequence[int]) -> Iterable[int]:
    return with_progress(numbers, "convert")


def _say(done: Converted, output_dir: str) -> None:
    """The classes, what was found and decided, and the command to type next."""
    show_class_shares(done.table.classes, done.counts, done.pixels)
    for line in done.findings.lines():
        logger.warning(line)
    if done.table.unused:
        logger.warning(
            "classes that no shape has, kept for their ids: %s", ", ".join(done.table.unused)
        )
    if done.contested:
        logger.info(
            "%.2f%% of the pixels are under shapes of several classes; task.order decides which is "
            "seen",
            100 * done.contested / done.pixels,
        )
    share = 100 * done.unlabelled / done.pixels
    if done.table.unlabelled != IGNORE_INDEX:
        name = done.table.classes.names[done.table.unlabelled]
        text = f"are class '{name}'; task.unlabelled=ignore would leave them out of training"
    else:
        text = "are ignored (255); task.unlabelled=background would make them a class"
    logger.info("%.2f%% of the pixels are under no shape and %s", share, text)
    number = len(done.counts)
    kept = (
        "linked" if not done.copied else "copied" if done.copied == number else "linked or copied"
    )
    logger.info(
        "%s (%s) with %s: masks, classes.yaml and %s images in %s",
        counted(number, "image"),
        done.format,
        counted(done.shapes, "shape"),
        kept,
        PathLink(output_dir),
    )
    turned = done.exif_orientation
    more = [f"data.exif_orientation={turned}"] if turned else []
    if done.counts.sum() < done.pixels:
        more.append("data.ignore_values=[255]")
    command = typed("task=check", "data=folders", f"data.root={output_dir}", *more)
    logger.info("next: %s", command)
