"""What a checkpoint has seen of the images that it is scored on."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from rich.progress import track

from aerialseg.data.checks.seen_places import missing, seen_places
from aerialseg.data.notices import say_once
from aerialseg.inference.ensemble import name_of
from aerialseg.report.leakage import Leakage
from aerialseg.training.required_inspection import inspection_command
from aerialseg.training.scored_dataset import ScoredDataset
from aerialseg.training.scored_images import ScoredSplit

logger = logging.getLogger(__name__)


def leakage_of(scored: ScoredDataset, split: ScoredSplit) -> Leakage | None:
    """The leakage among the images of an evaluation, from what an inspection has measured.

    Nothing is measured here, which may take longer than the evaluation. One line says where it is
    not known, and how to learn it.

    Args:
        scored: What is scored.
        split: Of the images.

    Returns:
        None if there is none, if it is not known, and for ``train``, whose images all were
        trained on.
    """
    seen, data = scored.predictor.description.seen, scored.data
    if seen is None or split == "train":  # what is not known of old checkpoints was said
        return None
    trained, contents = sum(map(len, seen.trained.values())), data.checked
    absent = missing(seen.trained, contents)
    if absent:
        what = f"{'none' if absent == trained else trained - absent} of {trained} images"
        say_once(
            logger,
            logging.INFO,
            f"{data.place}: holds {what} that {name_of(scored.predictor)} was trained on; "
            "whether scored images show places of the others is not known",
        )
    if absent == trained:
        return None
    places = seen_places(data.sources, seen, cache_dir=data.cache_dir, progress=_progress)
    if places is None:
        say_once(
            logger,
            logging.INFO,
            f"{data.place}: was not inspected as it is now, so it is not known whether scored "
            f"images show places that were trained on; run {inspection_command()} and score again",
        )
        return None
    ids = [sample.id for sample in scored.images.samples]
    leaking = {key: places[key] for key in ids if key in places}
    if not leaking:
        return None
    found = Leakage(ids, leaking, absent)
    logger.warning("%s", found.sentence("scored image"))
    return found


def _progress(items: Sequence[Any], description: str) -> Iterable[Any]:
    return track(items, description, disable=len(items) <= 1)
