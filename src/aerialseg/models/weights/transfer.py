"""Loads the checkpoint of one stage into the network of the next."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from aerialseg.errors import CheckpointError
from aerialseg.models.weights.class_rows import ClassChange, with_rows_by_class

_AUX = "aux_classifier."


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a network took over from a checkpoint; ``str()`` gives one line.

    Attributes:
        source: The name of the checkpoint.
        total: Number of tensors of the network.
        fresh_tensors: Names of those that the checkpoint does not have, randomly initialised.
        dropped: Number of tensors of the checkpoint that the network does not have.
        change: How the classes differ; ``None`` if they are the same in the same order.
    """

    source: str
    total: int
    fresh_tensors: tuple[str, ...] = ()
    dropped: int = 0
    change: ClassChange | None = None

    def __str__(self) -> str:
        fresh = len(self.fresh_tensors)
        line = f"weights: {self.total - fresh} of {self.total} tensors from {self.source}"
        if fresh:
            line += f"; the auxiliary head is randomly initialised ({fresh} tensors)"
        if self.dropped:
            line += f"; its auxiliary head is dropped ({self.dropped} tensors)"
        return line if self.change is None else f"{line}; {self.change}"


def continue_from(
    network: nn.Module,
    state: Mapping[str, Tensor],
    source: str,
    *,
    change: ClassChange | None = None,
) -> Transfer:
    """Loads every tensor of a checkpoint into a network of the same kind.

    Only the auxiliary head may be missing on one side: the last stage drops it, and a branch from a
    stage without one initialises it randomly.

    Args:
        network: The network, changed in place.
        state: The checkpoint's tensors under the network's names.
        source: The name of the checkpoint in messages.
        change: How the classes differ; ``None`` if they are the same in the same order.

    Raises:
        CheckpointError: If the class counts differ without a ``change``, or the networks are not
            the same.
    """
    own = network.state_dict()
    if change is not None:
        state = with_rows_by_class(own, state, change, source)
    _check_same_network(own, state, source)
    kept = {name: tensor for name, tensor in state.items() if name in own}
    network.load_state_dict(own | kept)
    fresh = tuple(name for name in own if name not in kept)
    return Transfer(source, len(own), fresh, dropped=len(state) - len(kept), change=change)


def _check_same_network(
    own: Mapping[str, Tensor], state: Mapping[str, Tensor], source: str
) -> None:
    """Raises CheckpointError if class counts or networks differ."""
    foreign = [name for name in state if name not in own and not name.startswith(_AUX)]
    absent = [name for name in own if name not in state and not name.startswith(_AUX)]
    reshaped = [n for n in own if n in state and own[n].shape != state[n].shape]
    wider = [name for name in reshaped if own[name].shape[1:] == state[name].shape[1:]]
    if reshaped and wider == reshaped and not (foreign or absent):
        raise CheckpointError(
            f"{source}: was trained for {state[wider[0]].shape[0]} classes, the data has "
            f"{own[wider[0]].shape[0]}; choose the data it was trained on, or start a new chain "
            "with stage=head"
        )
    if foreign or absent or reshaped:
        raise CheckpointError(
            f"{source}: holds another network: {len(foreign)} of its tensors are unknown, "
            f"{len(absent)} are missing and {len(reshaped)} have another shape, first "
            f"'{(foreign + absent + reshaped)[0]}'; choose the model it was trained with"
        )
