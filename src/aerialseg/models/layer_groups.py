"""Layer groups: the units in which a network is unfrozen, and which of them a stage trains.

A model file lists its network's modules from the input side to the output side. A stage names
the first group that is trained. The groups below are frozen, which here means bit-identical after
training: no gradients, and eval mode too, because otherwise BatchNorm statistics would still be
updated and dropout would still be active.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from aerialseg.errors import ConfigError, did_you_mean


@dataclass(frozen=True, slots=True)
class LayerGroup:
    """Modules that are frozen or trained together.

    Attributes:
        names: The modules' names in the network.
        modules: The modules themselves.
    """

    names: tuple[str, ...]
    modules: tuple[nn.Module, ...]

    @property
    def name(self) -> str:
        """All names in one line."""
        return " + ".join(self.names)

    def parameters(self) -> Iterator[nn.Parameter]:
        """All parameters of the group."""
        for module in self.modules:
            yield from module.parameters()

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """All parameters and buffers of the group under their names in the network."""
        for name, module in zip(self.names, self.modules, strict=True):
            yield from module.named_parameters(prefix=name)
            yield from module.named_buffers(prefix=name)


@dataclass(frozen=True, slots=True)
class LayerRow:
    """How a stage treats one layer group.

    Attributes:
        index: The group's index, 0 at the input side.
        name: Its modules.
        parameters: Its number of parameters.
        trained: Whether it is trained.
        batchnorm: Whether its BatchNorm statistics are frozen or updated, or there are none.
    """

    index: int
    name: str
    parameters: int
    trained: bool
    batchnorm: Literal["none", "frozen", "learns"]


def layer_groups(network: nn.Module, spec: Sequence[str | Sequence[str]]) -> tuple[LayerGroup, ...]:
    """Finds the modules of a list of names, input side first.

    In YAML::

        layer_groups:
          - backbone.*                          # one group for each child, in order
          - classifier.0                        # one module
          - [classifier.4, aux_classifier.4]    # modules trained together

    Args:
        network: The network.
        spec: One entry per group, or for several if it ends with ``.*``. A name inside a part that
            this network was built without (``aux_classifier`` is None) is skipped.

    Raises:
        ConfigError: If a name is unknown, or a module is in no group or in two.
    """
    found = []
    for entry in spec:
        for names in _expand(network, entry):
            modules = tuple(_find(network, name) for name in names)
            found.append(LayerGroup(names, modules))
    _check_cover(network, found)
    return tuple(found)


def resolve_start(groups: Sequence[LayerGroup], start: int | str) -> int:
    """The index of the first group that is trained.

    Args:
        groups: All groups of the network.
        start: An index, where any above the last means the last; or a module's name, for the
            group that contains it, or the first group inside it.

    Raises:
        ConfigError: If the index is negative, the name unknown, or nothing would be trained.
    """
    index = _index_of(groups, start) if isinstance(start, str) else min(start, len(groups) - 1)
    if index < 0:
        raise ConfigError(
            f"fine_tune_start: got {start}; wanted an index from 0 to {len(groups) - 1} "
            "or a module's name"
        )
    if not any(True for group in groups[index:] for _ in group.parameters()):
        raise ConfigError(
            f"fine_tune_start: from '{groups[index].name}' on there are no parameters, "
            "so nothing would be trained; use a lower index"
        )
    return index


def freeze_below(groups: Sequence[LayerGroup], start: int | str) -> None:
    """Freezes the groups below ``start`` and makes the others trainable.

    ``train()`` on a parent undoes the eval mode of the frozen modules: call ``eval()`` on
    :func:`frozen_modules` afterwards.

    Raises:
        ConfigError: As :func:`resolve_start`.
    """
    first = resolve_start(groups, start)
    for index, group in enumerate(groups):
        for parameter in group.parameters():
            parameter.requires_grad_(index >= first)
    for module in frozen_modules(groups, start):
        module.eval()


def frozen_modules(groups: Sequence[LayerGroup], start: int | str) -> list[nn.Module]:
    """The modules below ``start``, which must always be in eval mode.

    Raises:
        ConfigError: As :func:`resolve_start`.
    """
    return [module for group in groups[: resolve_start(groups, start)] for module in group.modules]


def describe(groups: Sequence[LayerGroup], start: int | str) -> list[LayerRow]:
    """How a stage that starts at ``start`` treats each group.

    Raises:
        ConfigError: As :func:`resolve_start`.
    """
    first = resolve_start(groups, start)
    rows = []
    for index, group in enumerate(groups):
        count = sum(parameter.numel() for parameter in group.parameters())
        mode: Literal["none", "frozen", "learns"] = "learns" if index >= first else "frozen"
        batchnorm = mode if _keeps_statistics(group) else "none"
        rows.append(LayerRow(index, group.name, count, index >= first, batchnorm))
    return rows


def _expand(network: nn.Module, entry: str | Sequence[str]) -> list[tuple[str, ...]]:
    if isinstance(entry, str) and entry.endswith(".*"):
        parent = entry.removesuffix(".*")
        return [(f"{parent}.{name}",) for name, _ in _find(network, parent).named_children()]
    listed = (entry,) if isinstance(entry, str) else entry
    names = tuple(name for name in listed if not _is_absent(network, name))
    return [names] if names else []


def _is_absent(network: nn.Module, name: str) -> bool:
    missing = object()
    return getattr(network, name.partition(".")[0], missing) is None


def _find(network: nn.Module, name: str) -> nn.Module:
    try:
        return network.get_submodule(name)
    except AttributeError:
        known = [known for known, _ in network.named_modules() if known]
        raise ConfigError(f"layer_groups: no module '{name}'{did_you_mean(name, known)}") from None


def _index_of(groups: Sequence[LayerGroup], start: str) -> int:
    """The index of the first group that is inside a module or contains it."""
    for index, group in enumerate(groups):
        if any(_is_within(name, start) for name in group.names):
            return index
        for name, module in zip(group.names, group.modules, strict=True):
            if start in dict(module.named_modules(prefix=name)):
                return index
    known = [name for group in groups for name in group.names]
    raise ConfigError(f"fine_tune_start: no module '{start}'{did_you_mean(start, known)}")


def _is_within(name: str, outer: str) -> bool:
    return name == outer or name.startswith(f"{outer}.")


def _check_cover(network: nn.Module, groups: Sequence[LayerGroup]) -> None:
    """Raises ConfigError unless every module and tensor is in exactly one group."""
    names = [name for group in groups for name in group.names]
    # Modules without parameters count too: a dropout in no group would stay active when frozen.
    wanted = [name for name, module in network.named_modules() if not any(module.children())]
    wanted += [name for name, _ in network.named_parameters(remove_duplicate=False)]
    wanted += [name for name, _ in network.named_buffers(remove_duplicate=False)]
    covers = {inner: sum(_is_within(inner, name) for name in names) for inner in wanted}
    problems = []
    for problem, inners in (
        ("in no group", [inner for inner, count in covers.items() if count == 0]),
        ("in more than one group", [inner for inner, count in covers.items() if count > 1]),
    ):
        if inners:
            more = f" and {len(inners) - 3} more" if len(inners) > 3 else ""
            problems.append(f"layer_groups: {problem}: {', '.join(inners[:3])}{more}")
    if problems:
        raise ConfigError(*problems)


def _keeps_statistics(group: LayerGroup) -> bool:
    return any(
        isinstance(inner, _NormBase) and inner.track_running_stats
        for module in group.modules
        for inner in module.modules()
    )
