"""Which layer groups of a network a stage trains, and which it freezes.

Frozen means bit-identical after training: no gradients, and eval mode too, because otherwise
BatchNorm statistics would still be updated and dropout would still be active.

A module is *fresh* while its tensors are random: neither loaded from weights nor trained by an
earlier stage. Freezing it would make the layers above learn from noise, so it is trained wherever
the stage starts, unless ``stage.fresh`` is ``freeze``.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from aerialseg.models.layer_groups import LayerGroup, resolve_start


@dataclass(frozen=True, slots=True)
class LayerRow:
    """How a stage treats one layer group.

    Attributes:
        index: The group's index, 0 at the input side.
        name: Its modules.
        parameters: Its number of parameters.
        trained: Whether it is trained.
        only_as_fresh: Whether it is trained only because it is fresh.
        batchnorm: Whether its BatchNorm statistics are frozen or updated, or there are none.
    """

    index: int
    name: str
    parameters: int
    trained: bool
    only_as_fresh: bool
    batchnorm: Literal["none", "frozen", "learns"]


class FreezePlan:
    """Which layer groups a stage trains.

    Args:
        groups: The network's groups, input side first.
        start: The first group that the stage trains, as :func:`resolve_start` takes it.
        fresh: Names of tensors or modules that are random.
        train_fresh: Whether groups below ``start`` are trained too if they hold such a module.

    Attributes:
        groups: The network's groups.
        trained: Indices of the groups that are trained.
        only_as_fresh: Indices of those of them that are trained only because they are fresh.
        fresh: Indices of the groups that hold a fresh module, trained or not.
        fresh_below: The groups of them below ``start``.
        still_fresh: Names of the modules that are still fresh after the stage.

    Raises:
        ConfigError: As :func:`resolve_start`.
    """

    def __init__(
        self,
        groups: Sequence[LayerGroup],
        start: int | str,
        fresh: Collection[str] = (),
        *,
        train_fresh: bool = True,
    ) -> None:
        first = resolve_start(groups, start)
        by_group = [_fresh_modules(group, fresh) for group in groups]
        self.groups = tuple(groups)
        self.fresh = frozenset(index for index, names in enumerate(by_group) if names)
        self.fresh_below = tuple(groups[index] for index in sorted(self.fresh) if index < first)
        below = {index for index in _with_tensorless(groups, self.fresh) if index < first}
        self.only_as_fresh = frozenset(below if train_fresh else ())
        self.trained = self.only_as_fresh | frozenset(range(first, len(groups)))
        self.still_fresh = tuple(
            name
            for index, names in enumerate(by_group)
            if index not in self.trained
            for name in names
        )

    @property
    def frozen_groups(self) -> list[LayerGroup]:
        """The groups that are not trained."""
        return [group for index, group in enumerate(self.groups) if index not in self.trained]

    @property
    def frozen_modules(self) -> list[nn.Module]:
        """Their modules, which must always be in eval mode."""
        return [module for group in self.frozen_groups for module in group.modules]

    def apply(self) -> None:
        """Freezes the groups that are not trained and makes the others trainable.

        ``train()`` on a parent undoes the eval mode of the frozen modules: call ``eval()`` on
        :attr:`frozen_modules` afterwards.
        """
        for index, group in enumerate(self.groups):
            for parameter in group.parameters():
                parameter.requires_grad_(index in self.trained)
        for module in self.frozen_modules:
            module.eval()

    @property
    def notice(self) -> str:
        """What becomes of random layers below the first group, in a line; empty if none are."""
        names = [group.names[0] for group in self.fresh_below]
        if not names:
            return ""
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        if self.only_as_fresh:
            return f"{listed}: still random, so trained too, though below stage.fine_tune_start"
        return (
            f"stage.fresh=freeze: {listed} stay random, so that the layers above learn from noise; "
            "stage.fresh=learn trains them too"
        )

    def rows(self) -> list[LayerRow]:
        """How the stage treats each group."""
        return [
            LayerRow(
                index=index,
                name=group.name,
                parameters=sum(parameter.numel() for parameter in group.parameters()),
                trained=index in self.trained,
                only_as_fresh=index in self.only_as_fresh,
                batchnorm=_batchnorm(group, learns=index in self.trained),
            )
            for index, group in enumerate(self.groups)
        ]


def _fresh_modules(group: LayerGroup, fresh: Collection[str]) -> list[str]:
    """The modules of a group of which something is fresh."""
    return [
        name
        for name in group.names
        if any(other == name or other.startswith(f"{name}.") for other in fresh)
    ]


def _with_tensorless(groups: Sequence[LayerGroup], indices: Collection[int]) -> Iterator[int]:
    """Adds the groups without tensors that follow: the dropout behind a layer goes with it."""
    belongs = False
    for index, group in enumerate(groups):
        if any(True for _ in group.tensors()):
            belongs = index in indices
        if belongs:
            yield index


def _batchnorm(group: LayerGroup, *, learns: bool) -> Literal["none", "frozen", "learns"]:
    """What becomes of the running statistics of a group."""
    keeps_statistics = any(
        isinstance(inner, _NormBase) and inner.track_running_stats
        for module in group.modules
        for inner in module.modules()
    )
    if not keeps_statistics:
        return "none"
    return "learns" if learns else "frozen"
