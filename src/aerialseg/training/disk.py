"""Checks that the disk has room for the checkpoints of a stage."""

import torch
from torch import nn

from aerialseg.models.module import SegmentationModule
from aerialseg.models.moving_average import averaged_tensors
from aerialseg.storage.checkpoints import check_room, tensor_bytes
from aerialseg.storage.run_folders import RunFolder


def check_disk(
    folder: RunFolder, module: SegmentationModule, *, with_average: bool = False
) -> None:
    """Checks before training that there is room for the best and the last checkpoint.

    Args:
        folder: The folder of the run.
        module: The module to train.
        with_average: Whether checkpoints hold an average beside the weights.

    Raises:
        CheckpointError: If there is not; gives the needed and the free space.
    """
    check_room(folder.checkpoints, 2 * snapshot_bytes(module, with_average=with_average))


def snapshot_bytes(module: SegmentationModule, *, with_average: bool = False) -> int:
    """The size of a checkpoint of a stage: network, optimizer state and the average if any."""
    learning = sum(p.nbytes for p in module.parameters() if p.requires_grad)
    average = averaged_tensors(module.network, module.plan) if with_average else {}
    kept = tensor_bytes(module.state_dict()) + tensor_bytes(average)
    return kept + learning * _tensors_per_parameter(module)


def _tensors_per_parameter(module: SegmentationModule) -> int:
    """How many state tensors the optimizer keeps per parameter, found by one step on a dummy."""
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.zeros(2)
    optimizer = module.optimization.make_optimizer([{"params": [parameter]}])
    optimizer.step()
    kept = optimizer.state[parameter].values()
    return sum(torch.is_tensor(value) and value.shape == parameter.shape for value in kept)
