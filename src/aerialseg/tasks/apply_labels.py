"""New masks from the corrected crops of a review; the old ones stay as they are."""

import logging
import shlex
from pathlib import Path

from aerialseg.config.program import typed
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.data.labels.corrections import AppliedLabels, apply_corrections
from aerialseg.durations import counted
from aerialseg.report.path_links import PathLink

logger = logging.getLogger(__name__)


@task()
def apply_labels(
    experiment: Experiment,
    *,
    review: str = "runs/default/inspect/review",
    masks: str | None = None,
) -> AppliedLabels:
    """Writes all masks of a reviewed data set into a new folder, with corrections.

    Nothing of the config is read but these options: the review knows its data.

    Args:
        experiment: The config.
        review: The folder that ``task=inspect checkpoint=PATH`` has written; its folder
            ``corrected`` holds crops of masks as they should be.
        masks: The new folder, as ``data.layout.masks`` will name it; ``None`` for the name of the
            old one with ``_corrected``.

    Raises:
        DataError: As :func:`~aerialseg.data.labels.corrections.apply_corrections`.
    """
    done = apply_corrections(Path(review), masks)
    if done.without_change:
        logger.warning(
            "%s: say what the masks say, and change nothing", ", ".join(done.without_change)
        )
    folders = ", ".join(["%s"] * len(done.folders))
    logger.info(
        f"%s corrected in %s, %s copied: {folders}; what was changed is in %s",
        counted(done.pixels, "pixel"),
        counted(done.changed, "mask"),
        counted(done.copied, "mask"),
        *map(PathLink, done.folders),
        PathLink(done.log),
    )
    logger.info("%s", _next_step(done))
    return done


def _next_step(done: AppliedLabels) -> str:
    """How to train on the new masks."""
    if done.setting is not None:
        return f"to train on them, add {shlex.quote(f'data.layout.masks={done.setting}')}"
    if done.as_folders is not None:
        command = typed("data=folders", *done.as_folders)
        return (
            "this layout has no data.layout.masks; to train on them with the same split, type "
            f"{command}"
        )
    return (
        "this layout has no data.layout.masks, and data=folders cannot read its images, which lie "
        "among the masks or have other names; to train on the new masks, put them in the place of "
        "the old ones, of which you keep a copy"
    )
