"""Bands and values of images are those that a checkpoint was trained on."""

import logging

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.images.band_settings import Ranges
from aerialseg.data.notices import say_once
from aerialseg.errors import CheckpointError
from aerialseg.inference.image_reading import ranges_of_training
from aerialseg.storage.checkpoints import Description

logger = logging.getLogger(__name__)


def read_as_trained(
    data: AerialSegDataModule, description: Description, source: str, *, advice: str = ""
) -> None:
    """Lets data be read as those that a checkpoint was trained on; percentiles become its values.

    Args:
        data: The data.
        description: Of the checkpoint.
        source: The checkpoint, for messages.
        advice: What else may be done, for messages.

    Raises:
        CheckpointError: If ``data.bands`` or ``data.value_range`` say something else.
    """
    if difference := _difference(data, description):
        raise CheckpointError(f"{source}: {difference}{advice}")
    if data.reading.nodata != description.nodata:
        value, before = _value(data.reading.nodata), _value(description.nodata)
        logger.warning("data.nodata: is %s, and was %s where %s was trained", value, before, source)
    ranges = ranges_of_training(description)
    if data.reading.percentiles is not None and ranges is not None:
        data.ranges.take(ranges)


def check_served_as_trained(
    data: AerialSegDataModule, description: Description, source: str
) -> None:
    """Checks that images are served as those that a checkpoint was trained on.

    Unlike :func:`read_as_trained` it changes nothing: percentiles must have become its values.

    Args:
        data: The data.
        description: Of the checkpoint.
        source: The checkpoint, for messages.

    Raises:
        CheckpointError: If bands or values differ.
    """
    ranges = ranges_of_training(description)
    difference = _difference(data, description)
    if not difference and data.served.ranges != ranges:
        difference = _other_values(ranges)
    if difference:
        raise CheckpointError(f"{source}: {difference}")


def read_as_start(
    data: AerialSegDataModule, description: Description | None, source: str, *, is_stage: bool
) -> None:
    """Lets data be read as what a stage starts from: must be for a stage, should be for weights.

    Args:
        data: The data.
        description: Of what the stage starts from; None if that is no checkpoint of ours.
        source: Its path, for messages.
        is_stage: Whether it is the checkpoint of a stage that is continued, not ``model.weights``.

    Raises:
        CheckpointError: If a stage would be continued on other bands or values.
    """
    if description is None:
        return
    if is_stage:
        read_as_trained(data, description, source, advice=", or start a new chain with stage=head")
    else:
        warn_if_read_otherwise(data, description, source)


def warn_if_read_otherwise(
    data: AerialSegDataModule, description: Description, source: str
) -> None:
    """Says if ``model.weights`` is a checkpoint that was trained on other bands or values.

    It is no error: bands of the same colours may have other numbers in other files. Nothing is said
    of a checkpoint of 8-bit RGB, which starts any bands as published weights do.

    Args:
        data: The data.
        description: Of the checkpoint.
        source: The checkpoint, for messages.
    """
    if description.bands is not None and (difference := _difference(data, description)):
        kept = "unless both mean the same; training starts from it all the same"
        say_once(logger, logging.WARNING, f"model.weights: {source}: {difference}, {kept}")


def _difference(data: AerialSegDataModule, description: Description) -> str:
    """How bands and values differ from those of a checkpoint; empty if they do not."""
    bands = data.reading.bands
    trained = None if description.bands is None else tuple(description.bands)
    if bands != trained:
        return (
            f"was trained on {_named(trained)}, but the data give {_named(bands)}; set "
            f"data.bands={_typed(trained)}"
        )
    if bands is not None and description.file_kind is not None:
        kind, then = data.checked.file_kind(data.reading), description.file_kind
        if (kind.bands, kind.dtype) != (then["bands"], then["dtype"]):
            return (
                f"was trained on files with {then['bands']} bands of {then['dtype']}, those of the "
                f"data have {kind}, so bands and values mean something else; give other data with "
                "data.root=PATH"
            )
    ranges, percentiles = ranges_of_training(description), data.reading.percentiles
    if data.reading.ranges != ranges and (percentiles is None or ranges is None):
        return _other_values(ranges)
    return ""


def _other_values(ranges: Ranges | None) -> str:
    shown = [list(pair) for pair in ranges or ()] or "null"
    return f"was trained with values by another data.value_range; set 'data.value_range={shown}'"


def _value(nodata: float | None) -> str:
    return "null" if nodata is None else f"{nodata:g}"


def _named(bands: tuple[int, ...] | None) -> str:
    if bands is None:
        return "8-bit RGB"
    return f"{'band' if len(bands) == 1 else 'bands'} {', '.join(map(str, bands))}"


def _typed(bands: tuple[int, ...] | None) -> str:
    return "null" if bands is None else f"[{','.join(map(str, bands))}]"
