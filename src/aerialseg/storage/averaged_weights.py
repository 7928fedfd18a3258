"""Checkpoints with two sets of weights: those that training has come to, and their average.

One set is the network of the checkpoint, and its scores are those of the description. The other
lies beside it, so that training can go on from either file::

    state_dict          all tensors of the network
    aerialseg           the description; averaged_weights says which set the network has
    ema
      updates           how many optimizer steps the average has seen
      weights           the tensors of the other set, by their names in state_dict
      scores            the validation scores of the other set
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from aerialseg.errors import CheckpointError

_KEY = "ema"
_SCORES = "val/"


def put_beside(
    checkpoint: dict[str, Any],
    weights: Mapping[str, Tensor],
    scores: Mapping[str, float],
    updates: int,
) -> None:
    """Puts a second set of weights into a checkpoint that is about to be written.

    Args:
        checkpoint: The checkpoint.
        weights: The tensors in which it differs, by their names in the ``state_dict``.
        scores: Its validation scores, such as ``val/dice``.
        updates: How many optimizer steps the average has seen.
    """
    checkpoint[_KEY] = {"updates": updates, "weights": dict(weights), "scores": dict(scores)}


def beside(checkpoint: Mapping[str, Any]) -> dict[str, Any] | None:
    """What :func:`put_beside` has put there, by argument; ``None`` if nothing."""
    return checkpoint.get(_KEY)


def exchanged(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint in which the two sets of weights, and their scores, have changed places.

    Tensors are shared with the given one. Exchanged twice it is as before.
    """
    state, description, other = (checkpoint[key] for key in ("state_dict", "aerialseg", _KEY))
    metrics = description["metrics"]
    own_scores = {name: value for name, value in metrics.items() if name.startswith(_SCORES)}
    kept = {name: value for name, value in metrics.items() if name not in own_scores}
    return {
        **checkpoint,
        "state_dict": {**state, **other["weights"]},
        "aerialseg": {
            **description,
            "metrics": {**kept, **other["scores"]},
            "averaged_weights": not description["averaged_weights"],
        },
        _KEY: {
            "updates": other["updates"],
            "weights": {name: state[name] for name in other["weights"]},
            "scores": own_scores,
        },
    }


def to_train_on(checkpoint: dict[str, Any], path: Path) -> dict[str, Any]:
    """A checkpoint with the weights that training has come to, from which it can go on.

    Raises:
        CheckpointError: If it has the average only.
    """
    if not checkpoint["aerialseg"].get("averaged_weights"):
        return checkpoint
    if beside(checkpoint) is None:
        raise CheckpointError(
            f"{path}: holds averaged weights without those that training has come to, so that it "
            "cannot go on from here; existing=overwrite trains anew"
        )
    return exchanged(checkpoint)
