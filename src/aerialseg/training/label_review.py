"""A folder to review the labels that trained networks contradict."""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from aerialseg.classes import IGNORE_INDEX
from aerialseg.config.program import typed
from aerialseg.config.schema import Experiment
from aerialseg.data.checks.in_parallel import Progress
from aerialseg.data.checks.inspection import Inspection
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.images.windows import Box
from aerialseg.data.labels.as_folders import as_folders
from aerialseg.data.labels.disagreements import default_border, pixels_of
from aerialseg.data.labels.mask_folders import mask_folders
from aerialseg.data.labels.review_record import FORMAT, ReviewedRegion, ReviewRecord
from aerialseg.data.labels.stored_masks import read_stored_mask
from aerialseg.data.layouts.listing import Sample
from aerialseg.durations import counted
from aerialseg.report.path_links import PathLink
from aerialseg.report.review_folder import PAGE, RegionCrops, check_review_folder, write_review
from aerialseg.storage.atomic_files import hash_file
from aerialseg.storage.names import as_folder_name
from aerialseg.training.label_judges import (
    LabelJudges,
    check_one_data_set,
    open_judges,
    own_class_of,
)
from aerialseg.training.label_ranking import (
    DoubtfulRegion,
    JudgedImage,
    JudgedImages,
    LabelRanking,
    ReviewLimits,
    rank_labels,
)

logger = logging.getLogger(__name__)

REVIEW = "review"


def review_labels(
    experiment: Experiment,
    data: AerialSegDataModule,
    inspection: Inspection,
    limits: ReviewLimits,
    *,
    progress: Progress,
) -> Path | None:
    """Ranks where confident predictions contradict masks, and writes a folder to review them.

    Args:
        experiment: The config, with ``checkpoint``.
        data: What was inspected.
        inspection: Images with faults are left out.
        limits: What is reviewed.
        progress: Shows how far it is.

    Returns:
        The review folder; None if no image can be used.

    Raises:
        CheckpointError: If a checkpoint does not fit the data.
        ConfigError: If the data are several sets, or their classes are merged.
        DataError: If the folder holds corrections, or a mask cannot be read.
    """
    check_one_data_set(data)
    folder = Path(experiment.paths.output_dir) / REVIEW
    check_review_folder(folder)
    own_class = own_class_of(data.reading.class_map)
    judges = open_judges(experiment, data)
    images = JudgedImages(data, judges, inspection.images)
    if not images.samples:
        logger.warning("labels: no image with a mask can be used, so none is reviewed")
        return None
    ranking = rank_labels(images, limits, progress=progress)
    samples = [each.sample for each in inspection.images]
    settings = cast("dict[str, Any]", experiment.data)
    record = _record(data, settings, judges, samples, _regions(data, images, ranking))

    def crops() -> Iterator[RegionCrops]:
        return _crops(images, ranking.regions, record, own_class, limits.border, progress)

    lines = [data.place, *_lines(ranking)]
    command = typed("task=apply_labels", f"task.review={folder}")
    write_review(folder, record, crops, classes=data.classes, subtitle=lines, command=command)
    for line in _lines(ranking):
        logger.info("labels: %s", line)
    logger.info("labels to review, most doubtful first: %s", PathLink(folder / PAGE))
    return folder


def _lines(ranking: LabelRanking) -> list[str]:
    """How many regions there are in what kind of images, in a line each."""
    words = {
        "no": "that no judging network was trained on",
        "unknown": "that may have been trained on",
        "yes": "that were trained on with these masks, which are weaker evidence",
    }
    shown = [each.trained_on for each in ranking.regions]
    return [
        f"{counted(ranking.found[kind], 'region')} in {counted(ranking.images[kind], 'image')} "
        f"{words[kind]}; {shown.count(kind)} shown"
        for kind in ("no", "unknown", "yes")
        if ranking.images[kind]
    ]


def _regions(
    data: AerialSegDataModule, images: JudgedImages, ranking: LabelRanking
) -> list[ReviewedRegion]:
    """What the record says of each region."""
    digits = len(str(len(ranking.regions)))
    names = data.classes.names
    regions = []
    sizes: dict[int, tuple[int, int]] = {}
    for rank, each in enumerate(ranking.regions, start=1):
        sample, found = images.samples[each.index], each.found
        if each.index not in sizes:
            sizes[each.index] = images.size(each.index)
        path = _mask_of(sample)
        regions.append(
            ReviewedRegion(
                rank=rank,
                name=as_folder_name(f"{rank:0{digits}}_{sample.id.replace('/', '_')}"),
                image=sample.id,
                mask=_below(data.root, path),
                mask_sha256=hash_file(path),
                mask_class=names[found.mask_class],
                predicted_class=names[found.predicted_class],
                score=found.score,
                given=found.given,
                confidence=found.confidence,
                pixels=found.pixels,
                region=found.box,
                crop=found.crop(sizes[each.index]),
                trained_on=each.trained_on,
                judged_by=each.judged_by,
            )
        )
    return regions


def _record(
    data: AerialSegDataModule,
    settings: dict[str, Any],
    judges: LabelJudges,
    samples: Sequence[Sample],
    regions: Sequence[ReviewedRegion],
) -> ReviewRecord:
    """What is needed to apply corrections."""
    encoding = data.reading.given_encoding
    values, ignored = encoding.mask_values, encoding.ignore_values
    root = data.root
    masks = [each.mask for each in samples if each.mask is not None]
    folders = mask_folders(root, settings["layout"], masks)
    return ReviewRecord(
        format=FORMAT,
        root=str(root.absolute()),
        classes=encoding.classes.to_mapping(),
        mask_format=encoding.mask_format,
        mask_values=None if values is None else tuple(values.items()),
        ignore_values=None
        if ignored is None
        else tuple(v if isinstance(v, int) else tuple(v) for v in ignored),
        applies_orientation=data.reading.applies_orientation,
        max_megapixels=data.reading.max_megapixels,
        folders=folders,
        as_folders=as_folders(root, samples, settings) if folders.patterns is None else None,
        masks=tuple(_below(root, path) for path in masks),
        checkpoints=judges.digests,
        regions=tuple(regions),
    )


def _crops(
    images: JudgedImages,
    ranked: Sequence[DoubtfulRegion],
    record: ReviewRecord,
    own_class: npt.NDArray[np.uint8],
    border: int | None,
    progress: Progress,
) -> Iterator[RegionCrops]:
    """The crops of all regions, image by image."""
    by_image: dict[int, list[int]] = {}
    for number, each in enumerate(ranked):
        by_image.setdefault(each.index, []).append(number)
    for index in progress(sorted(by_image), "crops"):
        judged, path = images.judged(index), _mask_of(images.samples[index])
        stored = read_stored_mask(path, record.reading)
        width = default_border(stored.size) if border is None else border
        for number in by_image[index]:
            inside = pixels_of(judged.judgement, ranked[number].found, border=width)
            region = record.regions[number]
            cut = stored.cut(region.crop)
            mask, predicted, within = _cut(judged, inside, region.crop)
            ids = np.where(mask == IGNORE_INDEX, IGNORE_INDEX, own_class[predicted])
            alone = np.where(within, ids, IGNORE_INDEX).astype(np.uint8)
            encoding = record.reading.given_encoding
            yield RegionCrops(
                region=region,
                image=judged.image,
                mask=mask,
                predicted=predicted,
                inside=within,
                stored=cut,
                stored_predicted=cut.with_ids(ids.astype(np.uint8), encoding),
                stored_suggested=cut.with_ids(alone, encoding),
            )


def _cut(
    judged: JudgedImage, inside: npt.NDArray[np.bool_], box: Box
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Mask, prediction and region in a crop."""
    judgement = judged.judgement
    mask, predicted, within = (
        np.ascontiguousarray(box.of(array))
        for array in (judgement.mask, judgement.predicted, inside.view(np.uint8))
    )
    return mask, predicted, within.astype(np.bool_)


def _mask_of(sample: Sample) -> Path:
    assert sample.mask is not None  # others are not judged
    return sample.mask


def _below(root: Path, path: Path) -> str:
    """A path below the root, with forward slashes."""
    return Path(os.path.relpath(path, root)).as_posix()
