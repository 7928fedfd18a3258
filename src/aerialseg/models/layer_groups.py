"""Layer groups: the units in which a network is frozen or trained.

A model file lists its network's modules from the input side to the output side; a stage names one
of the groups, from which on it trains them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

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
