"""Masks of any images and maps, from a checkpoint alone.

Of an image ``NAME_index.png`` holds class ids, ``NAME_colour.png`` the same with the class colours
as palette, ``NAME_overlay.png`` the image with the mask over it. A map, which is a TIFF that says
where on the ground it lies, or an image above ``data.max_megapixels``, becomes a map too:
``NAME_index.tif``, with a table of areas, ``NAME_areas.csv``. Pixels without data are 255.
"""

import logging
from collections.abc import Container, Sequence, Sized
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Gt, Le

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.data.images.band_settings import ranges_of
from aerialseg.data.images.headers import MAX_MEGAPIXELS
from aerialseg.data.images.reading_settings import Reading
from aerialseg.durations import counted
from aerialseg.errors import ConfigError
from aerialseg.inference.ensemble import members_of, name_of, protocol_of
from aerialseg.inference.image_batches import stream_logits
from aerialseg.inference.image_reading import reading_as_trained
from aerialseg.inference.image_scale import memory_warning, scale_warning
from aerialseg.inference.image_views import AS_TRAINED, Flips, Scales, Views
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.tiles.tiling import Tiling, tiling_as_trained
from aerialseg.report.path_links import PathLink
from aerialseg.report.progress_bars import with_progress
from aerialseg.training.build import build_predictor
from aerialseg.training.image_masks import ImageMasks
from aerialseg.training.label_next import write_label_next
from aerialseg.training.map_masks import MapOptions, segment_map
from aerialseg.training.prediction_inputs import PredictionInputs, find_inputs

logger = logging.getLogger(__name__)


@task(
    reads_checkpoint=True,
    takes_exported=True,
    averages_checkpoints=True,
    reads_input="an image, a folder or a quoted glob",
)
def predict(
    experiment: Experiment,
    *,
    output_dir: str = "predictions",
    image_min_size: Annotated[int, Ge(1)] | None = None,
    tile_size: Literal["auto"] | Annotated[int, Ge(64)] | None = "auto",
    overlap: Annotated[float, Ge(0), Le(0.5)] = 0.25,
    confidence: bool = False,
    disagreement: bool = False,
    polygons: Annotated[float, Gt(0)] | None = None,
    overlay_opacity: Annotated[float, Ge(0), Le(1)] = 0.5,
    rank_for_labelling: bool = False,
    scales: Scales = AS_TRAINED,
    flips: Flips = "none",
) -> None:
    """Writes masks of images and maps, which are read as those of training.

    Args:
        experiment: The config.
        output_dir: Where to write. Folders of the images are kept.
        image_min_size: Pixels of the smaller edge of resized images or tiles; ``None`` as trained.
        tile_size: ``auto`` predicts maps in tiles as large as images of training; a number maps and
            larger images, in tiles of so many pixels an edge; ``None`` predicts all as images.
        overlap: Share of a tile's edge that its neighbour has too.
        confidence: Whether maps have ``NAME_confidence.tif``: how sure the network is of a pixel.
        disagreement: Whether maps have ``NAME_disagreement.tif``: where shifted tiles say another
            class. Takes twice the time.
        polygons: Square metres of the smallest area in ``NAME_polygons.geojson`` of a map.
        overlay_opacity: Opacity of the mask in the overlay, 0 to 1.
        rank_for_labelling: Whether ``label_next.csv`` is written too: the images in the order in
            which labels are worth most. Maps are then images as others.
        scales: As of ``task=evaluate``.
        flips: Likewise.

    Raises:
        ConfigError: If ``data`` is typed otherwise than in training.
        DataError: As of :func:`~aerialseg.training.prediction_inputs.find_inputs`.
    """
    takes_maps = tile_size is not None and not rank_for_labelling
    predictor = _predictor(experiment, image_min_size, Views(scales, flips))
    inputs = _inputs(experiment, predictor, output_dir, takes_maps=takes_maps)
    edge = None if tile_size == "auto" else tile_size
    tiling = _tiling(predictor, edge, overlap, image_min_size)
    options = MapOptions(tiling, confidence, disagreement, polygons)
    tiled = inputs.larger(edge)
    _warn(inputs, tiled, predictor, image_min_size, options)
    uncertainty = _segment(inputs, tiled, predictor, options, opacity=overlay_opacity)
    _say(inputs, tiled, predictor, tiling, image_min_size)
    if rank_for_labelling:
        _rank(experiment, inputs, uncertainty, predictor)


def _inputs(
    experiment: Experiment, predictor: Predictor, output_dir: str, *, takes_maps: bool
) -> PredictionInputs:
    reading, source = _reading(experiment, predictor), str(experiment.input)
    return find_inputs(source, output_dir=output_dir, reading=reading, takes_maps=takes_maps)


def _predictor(experiment: Experiment, edge: int | None, views: Views) -> Predictor:
    """What predicts, which is checked against what was typed."""
    predictor = build_predictor(experiment, image_min_size=edge, views=views)
    for member in members_of(predictor):
        _check_typed(experiment, member)
    return predictor


def _tiling(
    predictor: Predictor, tile_size: int | None, overlap: float, edge: int | None
) -> Tiling:
    description = predictor.description
    return tiling_as_trained(description, tile_size=tile_size, overlap=overlap, image_min_size=edge)


def _segment(
    inputs: PredictionInputs,
    tiled: Container[Path],
    predictor: Predictor,
    options: MapOptions,
    *,
    opacity: float,
) -> list[npt.NDArray[np.float64]]:
    """Writes all masks; returns of each image how unsure the network is of each class."""
    masks = ImageMasks(predictor, inputs.reading, opacity)
    uncertainty: dict[Path, npt.NDArray[np.float64]] = {}
    whole = with_progress([path for path in inputs.images if path not in tiled], "predict")
    images = ((path, masks.image(path)) for path in whole)
    for path, image, logits in stream_logits(predictor, images):
        uncertainty[path] = masks.write(path, inputs.stem(path), image, logits)
    for path in with_progress([path for path in inputs.images if path in tiled], "predict tiles"):
        uncertainty[path] = masks.write_in_tiles(path, inputs.stem(path), options.tiling)
    for path in inputs.maps:
        segment_map(path, inputs.stem(path), predictor, inputs.reading, options)
    return [uncertainty[path] for path in inputs.images]


def _warn(
    inputs: PredictionInputs,
    tiled: Container[Path],
    predictor: Predictor,
    edge: int | None,
    options: MapOptions,
) -> None:
    """Warns of images of another size than in training, and of what is only made of maps."""
    sizes = {path: size for path, size in inputs.images.items() if path not in tiled}
    for member in members_of(predictor):
        for warning in (scale_warning, memory_warning):
            if sizes and (line := warning(sizes, member.description, edge)):
                logger.warning(line)
    _warn_of_idle(inputs, options)


def _warn_of_idle(inputs: PredictionInputs, options: MapOptions) -> None:
    """Warns if what is wanted of maps is typed and there are none."""
    wanted = {
        "task.confidence": options.confidence,
        "task.disagreement": options.disagreement,
        "task.polygons": options.polygons is not None,
    }
    names = [name for name, is_wanted in wanted.items() if is_wanted]
    if names and not inputs.maps:
        line = "%s: for maps only, and none of %s is one (docs/field.md)"
        logger.warning(line, ", ".join(names), counted(len(inputs.images), "image"))


def _say(
    inputs: PredictionInputs,
    tiled: Sized,
    predictor: Predictor,
    tiling: Tiling,
    edge: int | None,
) -> None:
    """Says what was made, and how images were shown to the network."""
    name, how, folder = name_of(predictor), protocol_of(predictor), PathLink(inputs.output_dir)
    images = "index masks, colour masks and overlays"
    resizing = _resizing(predictor, is_typed=edge is not None)
    line = "%s segmented with %s, %s, %s: %s in %s"
    if whole := len(inputs.images) - len(tiled):
        logger.info(line, counted(whole, "image"), name, resizing, how, images, folder)
    if tiled:
        logger.info(line, counted(len(tiled), "image"), name, tiling, how, images, folder)
    if inputs.maps:
        made = "maps of classes and their areas"
        logger.info(line, counted(len(inputs.maps), "map"), name, tiling, how, made, folder)


def _rank(
    experiment: Experiment,
    inputs: PredictionInputs,
    uncertainty: Sequence[npt.NDArray[np.float64]],
    predictor: Predictor,
) -> None:
    """Writes in which order labels of the images are worth most."""
    images = {path: inputs.names[path] for path in inputs.images}
    caches, seen = Path(experiment.paths.cache_dir), predictor.description.seen
    places = {"cache_dir": caches, "output_dir": inputs.output_dir}
    write_label_next(images, np.stack(uncertainty), inputs.reading, seen, **places)


def _reading(experiment: Experiment, predictor: Predictor) -> Reading:
    """How images are read: as for training, but for what the config says."""
    data = cast("dict[str, Any]", experiment.data)
    return reading_as_trained(
        predictor.description,
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
