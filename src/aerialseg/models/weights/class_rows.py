"""Keeps the meaning of a network's outputs when the class table changes between two stages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from aerialseg.errors import CheckpointError, ConfigError, did_you_mean

_KEY = "stage.renamed_classes"


@dataclass(frozen=True)
class ClassChange:
    """Which class of a checkpoint each class of a network continues.

    Attributes:
        names: The network's classes, in the order of their ids.
        old_names: The checkpoint's.
        rows: For each of ``names`` its index in ``old_names``; ``None`` for a new class.
        tensors: Names of the network's tensors that have one row for each class.
    """

    names: Sequence[str]
    old_names: Sequence[str]
    rows: Sequence[int | None]
    tensors: Collection[str]

    def __str__(self) -> str:
        kept = [
            name if name == self.old_names[row] else f"{name} from {self.old_names[row]}"
            for name, row in zip(self.names, self.rows, strict=True)
            if row is not None
        ]
        new = [name for name, row in zip(self.names, self.rows, strict=True) if row is None]
        dropped = [old for index, old in enumerate(self.old_names) if index not in self.rows]
        parts = {"kept": kept, "new": new, "dropped": dropped}
        listed = "; ".join(f"{what}: {', '.join(found)}" for what, found in parts.items() if found)
        return f"its classes are matched by name ({listed})"


def match_classes(
    names: Sequence[str],
    old_names: Sequence[str],
    renamed: Mapping[str, str | None] | None,
    *,
    source: str,
) -> list[int | None]:
    """For each class the index of the class of a checkpoint that it continues, by name.

    Args:
        names: The classes of the data, in the order of their ids.
        old_names: The classes of the checkpoint.
        renamed: ``stage.renamed_classes``: the old name of a class, or ``None`` for a new one.
            A class that the checkpoint has under its present name needs none.
        source: The checkpoint, for messages.

    Returns:
        ``None`` for a class that the checkpoint does not have.

    Raises:
        ConfigError: If ``renamed`` names a class that there is not.
        CheckpointError: If a class has gone and another has come, which may be a new name.
    """
    renamed = renamed or {}
    problems = [
        f"{_KEY}: the data has no class '{name}'{did_you_mean(name, names)}"
        for name in renamed
        if name not in names
    ]
    problems += [
        f"{_KEY}: {source} has no class '{old}'{did_you_mean(old, old_names)}"
        for name, old in renamed.items()
        if old is not None and old not in old_names and name not in old_names
    ]
    if problems:
        raise ConfigError(*problems)
    # A chain passes the same words to every stage: after the first, the new name is known.
    sources = [name if name in old_names else renamed.get(name) for name in names]
    rows = [None if name is None else old_names.index(name) for name in sources]
    come = [
        name for name, row in zip(names, rows, strict=True) if row is None and name not in renamed
    ]
    gone = [old for index, old in enumerate(old_names) if index not in rows]
    if come and gone:
        raise CheckpointError(_perhaps_renamed(names, old_names, come, gone, source))
    return rows


def class_tensors(network: nn.Module, wider: nn.Module) -> frozenset[str]:
    """Names of the tensors that have one row for each class.

    Args:
        network: The network.
        wider: The same network for another number of classes.
    """
    shapes = {name: tensor.shape for name, tensor in wider.state_dict().items()}
    own = network.state_dict()
    return frozenset(name for name in own if name in shapes and own[name].shape != shapes[name])


def with_rows_by_class(
    own: Mapping[str, Tensor], state: Mapping[str, Tensor], change: ClassChange, source: str
) -> dict[str, Tensor]:
    """A checkpoint's tensors with the rows of its classes where the network has them.

    Args:
        own: The network's initial tensors; a new class keeps its row of them.
        state: The checkpoint's tensors.
        change: Which row goes where.
        source: The checkpoint, for the error.

    Raises:
        CheckpointError: If the network has no rows by class.
    """
    moved = dict(state)
    mapped = [name for name in change.tensors if name in own and name in state]
    for name in mapped:
        old, new = state[name], own[name].clone()
        if (len(old), len(new), old.shape[1:]) != (
            len(change.old_names),
            len(change.names),
            new.shape[1:],
        ):
            raise CheckpointError(_cannot_map(source, f"'{name}' has not one row for each class"))
        for row, old_row in enumerate(change.rows):
            if old_row is not None:
                new[row] = old[old_row]
        moved[name] = new
    if not mapped:
        raise CheckpointError(_cannot_map(source, "the network has no tensor with a row for each"))
    return moved


def _perhaps_renamed(
    names: Sequence[str],
    old_names: Sequence[str],
    come: Sequence[str],
    gone: Sequence[str],
    source: str,
) -> str:
    """Asks whether classes that have come are classes that have gone, in one line."""
    pairs = {}
    for name in come:
        index = names.index(name)
        same_place = old_names[index] if index < len(old_names) else ""
        pairs[name] = same_place if same_place in gone else gone[0]
    renamed = ", ".join(f"{name}: {old}" for name, old in pairs.items())
    new = ", ".join(f"{name}: null" for name in come)
    return (
        f"{source}: was trained on other classes: {', '.join(gone)} {_are(gone)} gone and "
        f"{', '.join(come)} {_are(come)} new; say which are old classes under new names, as in "
        f"{_KEY}='{{{renamed}}}', and which are really new: {_KEY}='{{{new}}}'"
    )


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _cannot_map(source: str, reason: str) -> str:
    return (
        f"{source}: was trained on other classes, or the same in another order, and {reason}, so "
        "they cannot be matched by name; use the class table it was trained on, or start a new "
        "chain with stage=head"
    )
