"""Extract the backbone of a checkpoint, in half precision, to start other runs from."""

import logging
from pathlib import Path

import torch
from torch import Tensor

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import task
from aerialseg.errors import CheckpointError
from aerialseg.report.path_links import PathLink
from aerialseg.storage.checkpoints import network_state, read_checkpoint, write_checkpoint

logger = logging.getLogger(__name__)

_PREFIX = "backbone."


@task(reads_checkpoint=True)
def extract_backbone(experiment: Experiment, *, output: str) -> Path:
    """Writes a checkpoint's backbone as a weight file that ``model.weights=FILE`` reads.

    Args:
        experiment: The config, of which only ``checkpoint`` is used.
        output: Where to write.

    Returns:
        The path of the file.

    Raises:
        CheckpointError: If the network has no part called ``backbone``, or a value is outside
            the range of half precision.
    """
    state = network_state(read_checkpoint(Path(experiment.only_checkpoint)))
    backbone = {name: _half(name, v) for name, v in state.items() if name.startswith(_PREFIX)}
    if not backbone:
        raise CheckpointError(
            f"{experiment.only_checkpoint}: its network has no part called 'backbone'"
        )
    write_checkpoint(Path(output), backbone)
    size = Path(output).stat().st_size / 1e6
    logger.info("%d tensors of the backbone, %.1f MB: %s", len(backbone), size, PathLink(output))
    return Path(output)


def _half(name: str, tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    half = tensor.to(torch.float16)
    if not bool(half.isfinite().all()):
        raise CheckpointError(f"{name}: holds values outside the range of half precision")
    return half
