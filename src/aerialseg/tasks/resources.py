"""Disk and memory: whether there is enough, and what to do where there is not."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from aerialseg.checkpoints import check_room, tensor_bytes
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.errors import TrainingError
from aerialseg.models.module import SegmentationModule
from aerialseg.runs import RunFolder


def check_disk(folder: RunFolder, module: SegmentationModule) -> None:
    """Makes sure before training that there is room for the best and the last checkpoint.

    Raises:
        CheckpointError: With what is needed and what is free.
    """
    check_room(folder.checkpoints, 2 * snapshot_bytes(module))


def snapshot_bytes(module: SegmentationModule) -> int:
    """What a checkpoint of a stage will take: the network and what its optimizer remembers."""
    learning = sum(p.nbytes for p in module.parameters() if p.requires_grad)
    return tensor_bytes(module.state_dict()) + learning * _tensors_per_parameter(module)


@contextmanager
def explained_memory(module: SegmentationModule, data: AerialSegDataModule) -> Iterator[None]:
    """Turns the device's running out of memory into what can be done about it.

    Raises:
        TrainingError: If it did.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        half = max(1, data.batch_size // 2)
        raise TrainingError(
            f"stage {module.description.stage}: the device is out of memory with "
            f"data.batch_size={data.batch_size} and data.image_min_size={data.image_min_size}; "
            f"set data.batch_size={half} with trainer.accumulate_grad_batches=2, "
            "a smaller data.image_min_size, or trainer.precision=16-mixed"
        ) from error


def _tensors_per_parameter(module: SegmentationModule) -> int:
    """How many tensors of a parameter's size the optimizer keeps for it: tried on one."""
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.zeros(2)
    optimizer = module.make_optimizer([{"params": [parameter]}])
    optimizer.step()
    kept = optimizer.state[parameter].values()
    return sum(torch.is_tensor(value) and value.shape == parameter.shape for value in kept)
