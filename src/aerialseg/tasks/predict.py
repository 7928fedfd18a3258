"""Masks and overlays for any images, from a checkpoint alone."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le

from aerialseg.classes import ClassTable
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.data.images.band_settings import ranges_of
from aerialseg.data.images.decoding import check_whole
from aerialseg.data.images.headers import MAX_MEGAPIXELS
from aerialseg.data.images.missing_data import missing_data, without_data
from aerialseg.data.images.reading import read_image, read_size
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.writing import write_image, write_mask
from aerialseg.durations import counted
from aerialseg.errors import ConfigError, DataError
from aerialseg.inference.class_uncertainty import class_uncertainty
from aerialseg.inference.ensemble import members_of, name_of, protocol_of
from aerialseg.inference.image_batches import stream_logits
from aerialseg.inference.image_reading import reading_as_trained
from aerialseg.inference.image_scale import memory_warning, scale_warning
from aerialseg.inference.image_views import AS_TRAINED, Flips, Scales, Views
from aerialseg.inference.inputs import find_images
from aerialseg.inference.predictor import Predictor
from aerialseg.report.path_links import PathLink
from aerialseg.report.progress_bars import with_progress
from aerialseg.storage.checkpoints import read_checkpoint, read_description
from aerialseg.training.build import build_predictor
from aerialseg.training.label_next import write_label_next
from aerialseg.viz.band_colours import as_rgb
from aerialseg.viz.colours import overlay

logger = logging.getLogger(__name__)

_SHOWN = 10  # problems printed at once


@task(
    reads_checkpoint=True,
    averages_checkpoints=True,
    reads_input="an image, a folder or a quoted glob",
)
def predict(
    experiment: Experiment,
    *,
    output_dir: str = "predictions",
    image_min_size: Annotated[int, Ge(1)] | None = None,
    overlay_opacity: Annotated[float, Ge(0), Le(1)] = 0.5,
    rank_for_labelling: bool = False,
    scales: Scales = AS_TRAINED,
    flips: Flips = "none",
) -> None:
    """Writes three images for each input: index mask, colour mask and overlay.

    ``NAME_index.png`` holds class ids, ``NAME_colour.png`` the same ids with the class colours as
    palette, ``NAME_overlay.png`` the image with the mask over it. Folders are kept. Images are
    turned by their EXIF orientation, as viewers do, unless the checkpoint was trained with
    ``data.exif_orientation=ignore``. Bands and values are those of training. Pixels without data,
    as transparent ones, are 255 and white.

    Args:
        experiment: The config, of which ``checkpoint``, ``input``, ``data.max_megapixels``,
            ``data.exif_orientation``, ``data.nodata`` and ``trainer`` are used.
        output_dir: Where to write.
        image_min_size: The smaller edge that images are resized to, in pixels; ``None`` for that of
            training. A warning names images that look twice as large or small as in training.
        overlay_opacity: Opacity of the mask in the overlay, 0 to 1.
        rank_for_labelling: Whether ``label_next.csv`` is written too: the images in the order in
            which labels are worth most, with the colour masks as a start to paint from.
        scales: As of ``task=evaluate``.
        flips: Likewise.

    Raises:
        ConfigError: If other ``data.image_min_size``, ``bands`` or ``value_range`` are typed.
        DataError: If there are no images, or if one cannot be read; headers and file ends are
            checked, and all problems listed, before the first mask is written.
    """
    images = find_images(str(experiment.input), output_dir=output_dir)
    reading = _reading(experiment)
    sizes = _checked_sizes(images, reading)
    views = Views(scales, flips)
    predictor = build_predictor(experiment, image_min_size=image_min_size, views=views)
    _check_members(experiment, predictor, sizes, image_min_size)
    output = Path(output_dir)
    uncertainty = _segment(images, predictor, reading, output, opacity=overlay_opacity)
    resizing = _resizing(predictor, is_typed=image_min_size is not None)
    how = f"{name_of(predictor)}, {resizing}, {protocol_of(predictor)}"
    line = "%s segmented with %s: index masks, colour masks and overlays in %s"
    logger.info(line, counted(len(images), "image"), how, PathLink(output_dir))
    if rank_for_labelling:
        caches, seen = Path(experiment.paths.cache_dir), predictor.description.seen
        write_label_next(images, uncertainty, reading, seen, cache_dir=caches, output_dir=output)


def _check_members(
    experiment: Experiment,
    predictor: Predictor,
    sizes: Mapping[Path, tuple[int, int]],
    image_min_size: int | None,
) -> None:
    """Checks what was typed against each network, and says if images look unlike in training."""
    for member in members_of(predictor):
        _check_typed(experiment, member)
        for warning in (scale_warning, memory_warning):
            if line := warning(sizes, member.description, image_min_size):
                logger.warning(line)


def _segment(
    images: Mapping[Path, str],
    predictor: Predictor,
    reading: Reading,
    output_dir: Path,
    *,
    opacity: float,
) -> npt.NDArray[np.float64]:
    """Writes the masks of all images; returns ``(N, C)``: how unsure the network is of each."""
    uncertainty = []
    paths = with_progress(list(images), "predict")
    for path, image, logits in stream_logits(
        predictor, ((path, read_image(path, reading)) for path in paths)
    ):
        name, missing = images[path], missing_data(path, reading)
        mask = without_data(predictor.labels(logits, image.shape[:2]), missing)
        blended = overlay(as_rgb(image), mask, predictor.classes, opacity=opacity)
        _write(output_dir / name, mask, predictor.classes, blended)
        uncertainty.append(class_uncertainty(logits, missing))
    return np.stack(uncertainty)


def _write(
    stem: Path, mask: npt.NDArray[np.uint8], classes: ClassTable, blended: npt.NDArray[np.uint8]
) -> None:
    """Writes the three images of one input; ``stem`` is their path without the endings."""
    write_mask(Path(f"{stem}_index.png"), mask)
    write_mask(Path(f"{stem}_colour.png"), mask, palette=classes.palette)
    write_image(Path(f"{stem}_overlay.png"), blended)


def _reading(experiment: Experiment) -> Reading:
    """How images are read: as for training, but for what the config says."""
    checkpoint = Path(experiment.checkpoints[0]).expanduser()
    description = read_description(read_checkpoint(checkpoint), checkpoint)
    data = cast("dict[str, Any]", experiment.data)
    return reading_as_trained(
        description,
        max_megapixels=data.get("max_megapixels", MAX_MEGAPIXELS),
        exif_orientation=data.get("exif_orientation"),
        nodata=data.get("nodata"),
    )


def _check_typed(experiment: Experiment, predictor: Predictor) -> None:
    """Raises ConfigError if another size, bands or values of training were typed."""
    typed, trained = experiment.data["image_min_size"], predictor.description.image_min_size
    if "data.image_min_size" in map(override_key, command_overrides()) and typed != trained:
        raise ConfigError(
            f"data.image_min_size: {typed} is not the size of training, {trained}, and predict "
            f"does not train; set task.image_min_size={typed}"
        )
    known, data = predictor.reading, cast("dict[str, Any]", experiment.data)
    bands, ranges = data.get("bands"), ranges_of(data.get("value_range"), len(known.bands or ()))
    for key, given, wanted in (
        ("data.bands", None if bands is None else tuple(bands), known.bands),
        ("data.value_range", ranges, known.ranges),
    ):
        if key in map(override_key, command_overrides()) and given != wanted:
            raise ConfigError(
                f"{key}: is not that of training, {wanted}, which predict uses; leave it out"
            )


def _resizing(predictor: Predictor, *, is_typed: bool) -> str:
    """The size that images were resized to, and what decided it; of each network if they differ."""
    ways = [_resizing_of(member, is_typed=is_typed) for member in members_of(predictor)]
    return " and ".join(dict.fromkeys(ways))


def _resizing_of(predictor: Predictor, *, is_typed: bool) -> str:
    """The same of one network."""
    edge, window = predictor.image_min_size, predictor.description.window
    source = "task.image_min_size" if is_typed else "as in training"
    if edge is not None and window is not None and not is_typed:
        return f"resized by {edge / min(window):.3g} as windows were in training"
    return f"not resized ({source})" if edge is None else f"resized to {edge} pixels ({source})"


def _checked_sizes(images: Iterable[Path], reading: Reading) -> dict[Path, tuple[int, int]]:
    """Height and width of each image; DataError if a header or the end of a file is damaged."""
    sizes: dict[Path, tuple[int, int]] = {}
    problems: list[str] = []
    for path in images:
        try:
            sizes[path] = read_size(path, reading)
            check_whole(path)
        except DataError as error:
            problems += error.problems
    if problems:
        more = [f"and {len(problems) - _SHOWN} more images"] if len(problems) > _SHOWN else []
        raise DataError(*problems[:_SHOWN], *more)
    return sizes
