"""Writes a data set of index masks from annotations, completely or not at all."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import yaml

from aerialseg.classes import IGNORE_INDEX, ClassTable
from aerialseg.data.annotations.drawn_sizes import drawn_sizes
from aerialseg.data.annotations.findings import Findings
from aerialseg.data.annotations.image_files import locate_images, names_of
from aerialseg.data.annotations.label_table import LabelTable, label_table
from aerialseg.data.annotations.painting import Order, paint_shapes
from aerialseg.data.annotations.recognise import read_annotations
from aerialseg.data.annotations.shapes import AnnotatedImage, Annotations, Format
from aerialseg.data.images.orientation import ExifOrientation
from aerialseg.data.images.writing import encode_mask
from aerialseg.data.layouts.listing import count
from aerialseg.errors import ConfigError, DataError
from aerialseg.storage.atomic_files import building

Unlabelled: TypeAlias = Literal["background", "ignore"]
EmptyImages: TypeAlias = Literal["leave_out", "background"]
Progress: TypeAlias = Callable[[Sequence[int]], Iterable[int]]

_EMPTY = "images without shapes, left out; task.empty_images=background keeps them"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked of a conversion.

    Attributes:
        images: The folder of the images; None to look around the annotations.
        classes: A class table to use; None to make one from the labels.
        renamed_labels: By label, the class that it means; None ignores its pixels.
        unlabelled: Whether pixels under no shape are the class ``background`` or ignored.
        empty_images: Whether images without shapes are left out or are all background.
        order: Which of two overlapping shapes is seen.
        exif_orientation: Whether shapes were drawn on images as viewers turn them; None to go by
            their sizes.
        copy_images: Whether images are copied rather than linked.
        max_megapixels: Most millions of pixels of an image.

    Raises:
        ConfigError: If images without shapes would have no pixel with a class.
    """

    images: Path | None
    classes: ClassTable | None
    renamed_labels: Mapping[str, str | None]
    unlabelled: Unlabelled
    empty_images: EmptyImages
    order: Order
    exif_orientation: ExifOrientation | None
    copy_images: bool
    max_megapixels: float

    def __post_init__(self) -> None:
        if self.unlabelled == "ignore" and self.empty_images == "background":
            raise ConfigError(
                "task.empty_images=background: with task.unlabelled=ignore such images have no "
                "pixel to learn from; leave one of the two out"
            )


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion has written.

    Attributes:
        format: The format of the annotations.
        table: The classes.
        counts: ``(images, classes)`` int64: the pixels of each class in each mask.
        pixels: Of all masks.
        unlabelled: Pixels under no shape.
        contested: Pixels under shapes of different classes.
        shapes: How many shapes were drawn.
        exif_orientation: How the masks lie on images with an EXIF orientation, if there are some.
        copied: How many images were copied, and not linked.
        findings: What was left out or looked odd.
    """

    format: Format
    table: LabelTable
    counts: npt.NDArray[np.int64]
    pixels: int
    unlabelled: int
    contested: int
    shapes: int
    exif_orientation: ExifOrientation | None
    copied: int
    findings: Findings


@dataclass(frozen=True, slots=True)
class _Plan:
    """Everything that is known before the first mask is drawn."""

    annotations: Annotations
    table: LabelTable
    images: Sequence[AnnotatedImage]
    paths: Sequence[Path]
    names: Sequence[str]
    sizes: Sequence[tuple[int, int]]
    exif_orientation: ExifOrientation | None


def convert(source: Path, output: Path, wishes: Wishes, *, progress: Progress = iter) -> Converted:
    """Reads annotations and writes a folder in the layout ``folders``.

    The folder gets ``images``, ``masks`` with a PNG of class ids for each, and ``classes.yaml``.
    Everything is checked before the first mask is drawn, and the folder appears complete or not at
    all.

    Args:
        source: An annotation file, or a folder of them.
        output: The folder to write, which must not hold anything yet.
        wishes: What is asked for.
        progress: Wraps the numbers of the images, to show how far it is.

    Raises:
        ConfigError: If a wish names a label that is not there.
        DataError: If the annotations cannot be used as they are, or the folder cannot be written.
    """
    _check_output(source, output)
    findings = Findings()
    plan = _plan(source, wishes, findings)
    try:
        with building(output) as folder:
            converted = _write(folder, plan, wishes, findings, progress)
            _check_output(source, output)  # another process may have written it meanwhile
            with suppress(FileNotFoundError):
                output.rmdir()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise DataError(
            f"task.output_dir: {output} cannot be written: {reason}; choose another folder"
        ) from error
    return converted


def _check_output(source: Path, output: Path) -> None:
    """Checks that a conversion would not change or hide anything that is there."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise DataError(
            f"task.output_dir: {output} is there already; choose a new folder, or remove it first"
        )
    folder = source if source.is_dir() else None
    if folder is not None and output.resolve().is_relative_to(folder.resolve()):
        raise DataError(
            f"task.output_dir: {output} lies in {folder}, so the next conversion would find its "
            "images there too; choose a folder beside it"
        )


def _plan(source: Path, wishes: Wishes, findings: Findings) -> _Plan:
    """Reads and checks everything but the pixels of images."""
    annotations = read_annotations(source, any_order=wishes.classes is not None)
    findings.take(annotations.findings)
    table = label_table(
        annotations,
        with_background=wishes.unlabelled == "background",
        renamed=wishes.renamed_labels,
        given=wishes.classes,
        findings=findings,
    )
    if wishes.images is not None and not wishes.images.is_dir():
        raise DataError(f"task.images: {wishes.images} is not a folder; give that of the images")
    paths = locate_images(annotations, source, wishes.images, findings)
    kept, kept_paths = [], []
    for image, path in zip(annotations.images, paths, strict=True):
        if image.shapes or wishes.empty_images == "background":
            kept.append(image)
            kept_paths.append(path)
        else:
            findings.add(_EMPTY, image.name)
    if not kept:
        raise DataError(
            f"{count([image.name for image in annotations.images], 'image')} and no shapes on any; "
            "label some first"
        )
    sizes, orientation = drawn_sizes(
        kept,
        kept_paths,
        wishes.exif_orientation,
        max_megapixels=wishes.max_megapixels,
        findings=findings,
    )
    return _Plan(annotations, table, kept, kept_paths, names_of(kept_paths), sizes, orientation)


def _write(
    folder: Path, plan: _Plan, wishes: Wishes, findings: Findings, progress: Progress
) -> Converted:
    """Draws the masks, and links or copies the images, into a new folder."""
    table = plan.table
    counts = np.zeros((len(plan.images), len(table.classes)), dtype=np.int64)
    unlabelled = contested = copied = 0
    for index in progress(range(len(plan.images))):
        painted = paint_shapes(
            plan.images[index],
            plan.sizes[index],
            table.ids,
            unlabelled=table.unlabelled,
            order=wishes.order,
            format=plan.annotations.format,
            findings=findings,
        )
        unlabelled += painted.unlabelled
        contested += painted.contested
        found = np.bincount(painted.mask.ravel(), minlength=IGNORE_INDEX + 1)
        counts[index] = found[: len(table.classes)]
        name = PurePosixPath(plan.names[index])
        target = folder / "masks" / name.with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(encode_mask(painted.mask, palette=table.classes.palette))
        copied += _place(plan.paths[index], folder / "images" / name, as_copy=wishes.copy_images)
    text = yaml.safe_dump(
        table.classes.to_mapping(),
        default_flow_style=None,
        sort_keys=False,
        allow_unicode=True,
        width=1000,
    )
    (folder / "classes.yaml").write_bytes(text.encode())
    return Converted(
        format=plan.annotations.format,
        table=table,
        counts=counts,
        pixels=sum(height * width for height, width in plan.sizes),
        unlabelled=unlabelled,
        contested=contested,
        shapes=sum(len(image.shapes) for image in plan.images),
        exif_orientation=plan.exif_orientation,
        copied=copied,
        findings=findings,
    )


def _place(source: Path, target: Path, *, as_copy: bool) -> bool:
    """Gives an image a second name, which takes no room, or copies it; whether it was copied."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not as_copy:
        with suppress(OSError):  # on another disk, or on one that has no links
            os.link(source.resolve(), target)
            return False
    shutil.copyfile(source, target)
    return True
