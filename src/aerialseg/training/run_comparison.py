"""The comparison of two runs, on images that both may be scored on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml

from aerialseg.config.compared_runs import experiments_of
from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts.listing import Sample, count
from aerialseg.data.sources.cutting import image_id
from aerialseg.durations import counted
from aerialseg.errors import CheckpointError, ConfigError, DataError
from aerialseg.inference.predictor import Predictor
from aerialseg.report.comparison import SIDES, Comparison
from aerialseg.report.config_differences import config_differences
from aerialseg.report.logged_curves import curves_of_stages
from aerialseg.report.named_stages import NamedStage, find_stage
from aerialseg.report.score_differences import PairedMatrices
from aerialseg.storage.common_images import CommonImages, common_images
from aerialseg.storage.run_folders import RunFolder
from aerialseg.storage.seen_images import SeenImages
from aerialseg.training.build import load_predictor
from aerialseg.training.comparison_files import write_comparison
from aerialseg.training.paired_images import PairedImage, paired_images
from aerialseg.training.scored_dataset import (
    ScoredDataset,
    data_as_trained,
    served_at_original_size,
)
from aerialseg.training.scored_images import ScoredImages


def compare_runs(experiment: Experiment, runs: Sequence[str], *, sheet_rows: int) -> Comparison:
    """Compares two stages and writes ``differences.png``, ``compare.html`` and ``compare.json``.

    Args:
        experiment: The config.
        runs: Two names, as :func:`~aerialseg.report.named_stages.find_stage` takes them.
        sheet_rows: How many images the sheet shows.

    Returns:
        What was found.

    Raises:
        ConfigError: If a run is not there or not finished.
        CheckpointError: If the classes of the two are not the same, or a checkpoint does not say
            which images it has seen.
        DataError: If there is no image that both may be scored on.
    """
    a, b = (find_stage(Path(experiment.paths.runs_dir), name) for name in runs)
    stages = a, b
    sides, common = _opened(experiment, stages)
    images, others = paired_images(*sides, title="compare")
    notes = _notes(common, others, sides)
    if not images:
        raise DataError(
            f"{sides[0].data.place}: {a.name} and {b.name} have no image in common on which both "
            f"may be scored; {'; '.join(notes)}"
        )
    groups, grouped_by = _groups(sides, images)
    matrices = PairedMatrices(
        groups=groups,
        whole=torch.stack([image.whole for image in images], dim=1),
        near_borders=torch.stack([image.near_borders for image in images], dim=1),
    )
    classes = sides[0].data.classes
    comparison = Comparison(
        stages=stages,
        notes=notes,
        place=sides[0].data.place,
        groups=len(set(groups)),
        grouped_by=grouped_by,
        scores=matrices.scores(),
        classes=matrices.of_classes(classes.names),
        images=[image.difference for image in images],
        settings=config_differences(*(_config_of(stage.folder) for stage in stages)),
        curves=_curves(stages),
    )
    write_comparison(
        Path(experiment.paths.output_dir), comparison, images, classes, sheet_rows=sheet_rows
    )
    return comparison


def _opened(
    experiment: Experiment, stages: tuple[NamedStage, NamedStage]
) -> tuple[tuple[ScoredDataset, ScoredDataset], CommonImages]:
    """Both networks, each with its own data, and the images that both may be scored on."""
    chosen = experiments_of(experiment, stages)
    predictors = [load_predictor(each) for each in chosen]
    _check_classes(predictors)
    data = [data_as_trained(*each) for each in zip(chosen, predictors, strict=True)]
    here = [_by_digest(each) for each in data]
    common = common_images(*map(_seen_by, predictors), in_a=here[0], in_b=here[1])
    if not common.scored:
        names = " and ".join(stage.name for stage in stages)
        raise DataError(
            f"{data[0].place}: there is no image on which both {names} may be scored; "
            f"{'; '.join(common.in_words())}; train one of them on the split of the other"
        )
    a, b = (
        served_at_original_size(
            predictor, each, ScoredImages(tuple(found[key] for key in common.scored), 0)
        )
        for predictor, each, found in zip(predictors, data, here, strict=True)
    )
    return (a, b), common


def _check_classes(predictors: Sequence[Predictor]) -> None:
    """Raises CheckpointError if the two have not the same classes, in whatever order."""
    first, second = (set(each.classes.names) for each in predictors)
    if first != second:
        parts = [
            f"{counted(len(alone), 'class')} of {side} only: {', '.join(sorted(alone))}"
            for side, alone in zip(SIDES, (first - second, second - first), strict=True)
            if alone
        ]
        raise CheckpointError(
            f"{predictors[0].checkpoint} (a) and {predictors[1].checkpoint} (b) were trained on "
            f"different classes, so their scores cannot be compared; {'; '.join(parts)}"
        )


def _seen_by(predictor: Predictor) -> SeenImages:
    """What a network has seen."""
    seen = predictor.description.seen
    if seen is None:
        raise CheckpointError(
            f"{predictor.checkpoint}: does not say which images it was trained on, as checkpoints "
            "of today do, so it cannot be compared fairly; task=evaluate scores it alone"
        )
    return seen


def _by_digest(data: AerialSegDataModule) -> dict[str, Sample]:
    """The labelled images by the digest of their files; the first of several with one content."""
    digests = data.checked.digests()
    return {digests[sample.id]: sample for sample in reversed(data.checked.labelled())}


def _notes(
    common: CommonImages, others: Sequence[str], sides: tuple[ScoredDataset, ScoredDataset]
) -> list[str]:
    """Which images were left out, a line each."""
    notes = common.in_words()
    if others:
        notes.append(
            f"left out: {count(others, 'image')} whose labels differ between the data of a "
            f"({sides[0].data.place}) and of b ({sides[1].data.place})"
        )
    return notes


def _groups(
    sides: tuple[ScoredDataset, ScoredDataset], images: Sequence[PairedImage]
) -> tuple[list[str], str]:
    """The group of each image by the data of a, or of b if those are larger, and what makes it."""
    kept = {image_id(image.sample) for image in images}
    found = []
    for side in sides:
        rows = zip(sides[0].images.samples, side.images.samples, strict=True)
        samples = [own for first, own in rows if image_id(first) in kept]
        sources = side.data.sources
        found.append((sources.groups_of(samples), " and ".join(sources.grouped_by)))
    return min(found, key=lambda each: len(set(each[0])))


def _config_of(folder: RunFolder) -> Mapping[str, Any]:
    """The resolved config of a run, as it was written then."""
    path = folder.path / "config.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        content = None
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: is missing or damaged; the configs cannot be compared")
    return content


def _curves(stages: Sequence[NamedStage]) -> pd.DataFrame:
    """The curves of both, with the column ``run``."""
    parts = []
    for side, stage in zip(SIDES, stages, strict=True):
        pairs = zip(stage.jobs, stage.folders, strict=True)
        curves = curves_of_stages([(job.name, folder.path) for job, folder in pairs])
        parts += [curves.assign(run=side)] if len(curves) else []
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
