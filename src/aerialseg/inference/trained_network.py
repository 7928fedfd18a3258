"""The network and the class table that a checkpoint describes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from aerialseg.classes import ClassTable
from aerialseg.errors import CheckpointError, DataError
from aerialseg.models.networks.input_bands import build_for_bands
from aerialseg.models.networks.registry import ACCEPTED, find_builder
from aerialseg.storage.checkpoints import Description


def class_table_of(description: Description, checkpoint: Path) -> ClassTable:
    """The class table of a checkpoint.

    Raises:
        CheckpointError: If it is none.
    """
    try:
        return ClassTable.from_mapping(description.classes)
    except DataError as error:
        raise CheckpointError(
            *(f"{checkpoint}: its {problem}" for problem in error.problems)
        ) from None


def rebuilt(description: Description, state: Mapping[str, Tensor], checkpoint: Path) -> nn.Module:
    """The network of a checkpoint with its weights, in train mode, on the CPU.

    Args:
        description: Of the checkpoint.
        state: The network's tensors.
        checkpoint: Its path, for messages.

    Raises:
        CheckpointError: If it is not registered, or does not fit the tensors.
        ConfigError: If the installed package that it comes from is broken.
    """
    arguments: dict[str, Any] = dict(description.network)
    target = str(arguments.pop("_target_", ""))
    builder = find_builder(target)
    # Untrusted files may only refer to registered builders, never to arbitrary functions.
    if builder is None:
        raise CheckpointError(f"{checkpoint}: names the network '{target}'; {ACCEPTED}")
    try:
        network = build_for_bands(builder, arguments, description.channels)
        network.load_state_dict(state)
    except Exception as error:  # builders raise many types for arguments they do not expect
        reason = " ".join(str(error).split())[:160]
        raise CheckpointError(
            f"{checkpoint}: does not fit the network it describes: {reason}; get it again, or use "
            "the release of aerialseg that wrote it"
        ) from error
    return network
