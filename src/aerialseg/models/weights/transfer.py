"""Loads the checkpoint of one stage into the network of the next."""

from collections.abc import Mapping

from torch import Tensor, nn

from aerialseg.errors import CheckpointError

_AUX = "aux_classifier."


def continue_from(network: nn.Module, state: Mapping[str, Tensor], source: str) -> str:
    """Loads every tensor of a checkpoint into a network of the same kind.

    Only the auxiliary head may be missing on one side: the last stage drops it, and a branch from a
    stage without one initialises it randomly.

    Args:
        network: The network, changed in place.
        state: The checkpoint's tensors under the network's names.
        source: The name of the checkpoint in messages.

    Returns:
        A summary in one line.

    Raises:
        CheckpointError: If the class counts differ or the networks are not the same.
    """
    own = network.state_dict()
    _check_same_network(own, state, source)
    kept = {name: tensor for name, tensor in state.items() if name in own}
    network.load_state_dict(own | kept)
    fresh, dropped = len(own) - len(kept), len(state) - len(kept)
    notes = f"; the auxiliary head is randomly initialised ({fresh} tensors)" if fresh else ""
    notes += f"; its auxiliary head is dropped ({dropped} tensors)" if dropped else ""
    return f"weights: {len(kept)} of {len(own)} tensors from {source}{notes}"


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
