"""New masks from the corrected crops of a review; the old ones stay as they are."""

import logging
import shlex
from pathlib import Path

from aerialseg.config.program import typed
from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.data.labels.corrections import AppliedLabels, apply_corrections
from aerialseg.durations import counted

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
    logger.info(
        "%s corrected in %s, %s copied: %s; what was changed is in %s",
        counted(done.pixels, "pixel"),
        counted(done.changed, "mask"),
        counted(done.copied, "mask"),
        ", ".join(map(str, done.folders)),
        done.log,
    )
    if done.setting is not None:
        logger.info("to train on them, add %s", shlex.quote(f"data.layout.masks={done.setting}"))
    else:
        logger.info(
            "this layout has no data.layout.masks; the folders do: %s ...",
            typed("data=folders", f"data.root={done.root}", f"data.layout.masks={done.folders[0]}"),
        )
    return done
