"""Which images a checkpoint is evaluated on, and whether it was trained on them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts.listing import Sample, count
from aerialseg.durations import counted
from aerialseg.errors import CheckpointError, DataError
from aerialseg.storage.seen_images import Images, SeenImages, rows_of

logger = logging.getLogger(__name__)

ScoredSplit: TypeAlias = Literal["val", "train", "test", "all", "unseen"]


@dataclass(frozen=True)
class ScoredImages:
    """The images of an evaluation.

    Attributes:
        samples: With their masks.
        trained_on: How many of them the network was trained on; ``None`` if unknown.
    """

    samples: tuple[Sample, ...]
    trained_on: int | None


def scored_images(
    data: AerialSegDataModule, split: ScoredSplit, seen: SeenImages | None, checkpoint: str
) -> ScoredImages:
    """Chooses the images to score, and says in one line how many of them were trained on.

    Args:
        data: Need not be split.
        split: ``val`` and ``train`` are the run's own, found by the content of the files whatever
            is split or lies in the folder now; ``test`` is the data set's labelled test part;
            ``all`` are all labelled images; ``unseen`` are those that the run neither trained nor
            validated on.
        seen: What the checkpoint has seen; ``None`` if it does not say: ``val`` and ``train`` are
            then as the settings of the data split it.
        checkpoint: Its path, for messages.

    Raises:
        DataError: If there are no such images.
        CheckpointError: If ``unseen`` ones are asked of a checkpoint that does not say.
    """
    if seen is None:
        return _by_settings(data, split, checkpoint)
    labelled = _labelled(data, "all")
    chosen = _chosen(data, labelled, split, seen, checkpoint)
    digests = data.checked.digests()
    trained_on = sum(digests[sample.id] in seen.trained for sample in chosen)
    unknown = len(_unseen(data, labelled, seen))
    level = logging.WARNING if trained_on and split != "train" else logging.INFO
    logger.log(
        level,
        "task.split=%s: %s; %s in %s",
        split,
        _trained_part(trained_on, len(chosen), checkpoint),
        _seen_part(unknown, len(labelled)),
        data.place,
    )
    return ScoredImages(tuple(chosen), trained_on)


def _trained_part(trained_on: int, chosen: int, checkpoint: str) -> str:
    """How many of the chosen images a checkpoint was trained on, in words."""
    images = counted(chosen, "image")
    if chosen == 1:
        return f"{images}, which {checkpoint} was {'' if trained_on else 'not '}trained on"
    number = {0: "none", chosen: "all"}.get(trained_on, str(trained_on))
    return f"{images}, of which {checkpoint} was trained on {number}"


def _seen_part(unseen: int, labelled: int) -> str:
    """How many of the labelled images a checkpoint has never seen, in words."""
    images = counted(labelled, "labelled image")
    if not unseen:
        return f"it has seen {'the' if labelled == 1 else 'all'} {images}"
    part = str(unseen) if unseen < labelled else "any"
    return f"it has never seen {f'{part} of ' if labelled > 1 else ''}the {images}"


def _chosen(
    data: AerialSegDataModule,
    labelled: Sequence[Sample],
    split: ScoredSplit,
    seen: SeenImages,
    checkpoint: str,
) -> Sequence[Sample]:
    """The labelled images that a split means for a checkpoint that says what it has seen."""
    if split in ("all", "test"):
        return _labelled(data, split)
    if split != "unseen":
        wanted = seen.validated if split == "val" else seen.trained
        found = _found(data, labelled, wanted)
        _check_found(data, labelled, found, split=split, seen=seen, checkpoint=checkpoint)
        return found
    if unseen := _unseen(data, labelled, seen):
        return unseen
    raise DataError(
        f"{data.place}: {checkpoint} was trained or validated on each of its "
        f"{counted(len(labelled), 'labelled image')}; give other data with data.root=PATH"
    )


def _check_found(
    data: AerialSegDataModule,
    labelled: Sequence[Sample],
    found: Sequence[Sample],
    *,
    split: str,
    seen: SeenImages,
    checkpoint: str,
) -> None:
    """Raises DataError if none of a run's images is in the data; warns if some are not."""
    verb, wanted = ("validated", seen.validated) if split == "val" else ("trained", seen.trained)
    total = sum(map(len, wanted.values()))
    if not found:
        unseen = len(_unseen(data, labelled, seen))
        others = f"task.split=unseen the {unseen} that it has never seen"
        raise DataError(
            f"{data.place}: holds none of the {counted(total, 'image')} that {checkpoint} {verb} "
            f"on, by the content of their files; task.split=all scores "
            f"{counted(len(labelled), 'labelled image')}, "
            f"{others if unseen else 'all of which it has seen'}"
        )
    digests = data.checked.digests()
    here = {digests[sample.id] for sample in found}
    if gone := sorted(name for key, ids in wanted.items() if key not in here for name in ids):
        logger.warning(
            "%s: %s of %d that %s %s on are missing or have changed; the others are scored",
            data.place,
            count(gone, "image"),
            total,
            checkpoint,
            verb,
        )


def _by_settings(data: AerialSegDataModule, split: ScoredSplit, checkpoint: str) -> ScoredImages:
    """The images of a checkpoint that does not say what it has seen."""
    if split == "unseen":
        raise CheckpointError(
            f"{checkpoint}: does not say which images it has seen, as checkpoints of today do, so "
            "task.split=unseen cannot be found; task.split=all scores all labelled images"
        )
    logger.warning(
        "%s: does not say which images it was trained on, as checkpoints of today do; the %s "
        "images may be among them",
        checkpoint,
        split,
    )
    if split in ("all", "test"):
        return ScoredImages(_labelled(data, split), None)
    samples = data.contents.of("val" if split == "val" else "train")
    if not samples:
        raise DataError(f"{data.place}: the {split} split is empty; nothing to evaluate")
    return ScoredImages(samples, None)


def _labelled(data: AerialSegDataModule, split: str) -> tuple[Sample, ...]:
    """All labelled images, or those of the data set's test part."""
    labelled = data.checked.labelled()
    if not labelled:
        raise DataError(f"{data.place}: has no image with a mask; nothing to evaluate")
    if split == "all":
        return labelled
    if test := tuple(sample for sample in labelled if sample.split == "test"):
        return test
    images = sum(sample.split == "test" for sample in data.checked.samples)
    what = f"{counted(images, 'test image')} without masks" if images else "no test images"
    raise DataError(
        f"{data.place}: has {what}, so there is nothing to score; task.split=all scores all "
        "labelled images, task=submit and task=predict need no masks"
    )


def _found(
    data: AerialSegDataModule, samples: Sequence[Sample], wanted: Images
) -> tuple[Sample, ...]:
    digests = data.checked.digests()
    rows = rows_of([(sample.id, digests[sample.id]) for sample in samples], wanted)
    return tuple(samples[row] for row in rows)


def _unseen(
    data: AerialSegDataModule, samples: Sequence[Sample], seen: SeenImages
) -> tuple[Sample, ...]:
    """The samples whose images the run has neither trained nor validated on."""
    digests = data.checked.digests()
    return tuple(
        sample
        for sample in samples
        if digests[sample.id] not in seen.trained and digests[sample.id] not in seen.validated
    )
