"""Checks that the disk has room for the checkpoints of a stage."""

import torch
from torch import nn

from aerialseg.models.module import SegmentationModule
from aerialseg.storage.checkpoints import check_room, tensor_bytes
from aerialseg.storage.run_folders import RunFolder


def check_disk(folder: RunFolder, module: SegmentationModule) -> None:
    """Checks before training that there is room for the best and the last checkpoint.

    Raises:
        CheckpointError: If there is not; gives the needed and the free space.
    """
    check_room(folder.checkpoints, 2 * snapshot_bytes(module))


def snapshot_bytes(module: SegmentationModule) -> int:
    """The size of a checkpoint of a stage: network and optimizer state."""
    learning = sum(p.nbytes for p in module.parameters() if p.requires_grad)
    return tensor_bytes(module.state_dict()) + learning * _tensors_per_parameter(module)


def _tensors_per_parameter(module: SegmentationModule) -> int:
    """How many state tensors the optimizer keeps per parameter, found by one step on a dummy."""
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.zeros(2)
    optimizer = module.make_optimizer([{"params": [parameter]}])
    optimizer.step()
    kept = optimizer.state[parameter].values()
    return sum(torch.is_tensor(value) and value.shape == parameter.shape for value in kept)
