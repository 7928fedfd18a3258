"""Starting a network from trained weights, and saying exactly what came from where."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn

from aerialseg.models.networks.protocol import published_weights
from aerialseg.models.weights.files import fetch, read_tensors
from aerialseg.models.weights.matching import body_of, match
from aerialseg.models.weights.sources import find_source

FILE_SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")
"""Suffixes that distinguish file names from names of published weights."""


@dataclass(frozen=True, slots=True)
class WeightsReport:
    """Where the initial weights of a network came from; ``str()`` gives one line.

    Attributes:
        total: Number of tensors of the network.
        loaded: Number of tensors loaded from the file.
        path: The file; ``None`` if all tensors are randomly initialised.
        part: The part of a network that the file holds; empty if it is whole.
        fresh: Number of randomly initialised tensors, by module.
        fresh_tensors: Their names.
        unused: Number of unused tensors of the file, by module.
        widened: Bands that the first convolution was made for instead of three; 0 if it was not.
    """

    total: int
    loaded: int = 0
    path: Path | None = None
    part: str = ""
    fresh: Mapping[str, int] = field(default_factory=dict)
    fresh_tensors: Sequence[str] = ()
    unused: Mapping[str, int] = field(default_factory=dict)
    widened: int = 0

    def __str__(self) -> str:
        if self.path is None:
            return f"weights: none; all {self.total} tensors are randomly initialised"
        part = f" ({self.part})" if self.part else ""
        line = f"weights: {self.loaded} of {self.total} tensors from {self.path.name}{part}"
        if self.fresh:
            line += f"; {sum(self.fresh.values())} randomly initialised: {_listed(self.fresh)}"
        if self.unused:
            line += f"; {sum(self.unused.values())} of the file unused: {_listed(self.unused)}"
        if self.widened:
            bands = "1 band" if self.widened == 1 else f"{self.widened} bands"
            line += f"; the first convolution, of RGB, made for {bands}"
        return line


def load_weights(
    network: nn.Module,
    weights: str,
    *,
    final_layers: Sequence[str],
    weights_dir: Path,
) -> WeightsReport:
    """Loads trained weights into a network.

    Args:
        network: The network, changed in place.
        weights: ``none``; the name of published weights; or a file: a checkpoint of this project,
            or a state dict of the same network or its backbone, including classification networks.
        final_layers: Names of the modules whose shape depends on the class count: the last layer
            group. Only they may differ from the file; they are then randomly initialised.
        weights_dir: The folder of published weight files, and for downloads.

    Raises:
        ConfigError: If the name is unknown.
        CheckpointError: If a file is missing, damaged, of another network or cannot be downloaded.
    """
    if weights == "none":
        names = tuple(network.state_dict())
        return WeightsReport(total=len(names), fresh_tensors=names)
    if is_file_name(weights):
        path = Path(weights)
    else:
        source = find_source(weights, published_weights(network))
        path = fetch(source, weights_dir=weights_dir)
    return fit(network, read_tensors(path), path=path, final_layers=final_layers)


def fit(
    network: nn.Module, tensors: Mapping[str, Tensor], *, path: Path, final_layers: Sequence[str]
) -> WeightsReport:
    """Copies a file's tensors into a network: all that fit, or none.

    Half precision is cast to the network's dtype.

    Args:
        network: The network, changed in place.
        tensors: The tensors of the file.
        path: The file, for the report and the errors.
        final_layers: As for :func:`load_weights`.

    Raises:
        CheckpointError: If the file is of another network or does not fit; the network is then
            unchanged.
    """
    found = match(network, tensors, path=path, final_layers=final_layers)
    network.load_state_dict({**network.state_dict(), **found.loaded})
    body = body_of(network)
    names = [*found.loaded, *found.fresh]
    return WeightsReport(
        total=len(names),
        loaded=len(found.loaded),
        path=path,
        part=body if all(name.startswith(f"{body}.") for name in found.loaded) else "",
        fresh=_count_by_module(found.fresh, names),
        fresh_tensors=tuple(found.fresh),
        unused=_count_by_module(found.unused, found.unused),
        widened=found.widened,
    )


def expected_fresh(
    network: nn.Module, weights: str, *, final_layers: Sequence[str]
) -> tuple[str, ...]:
    """Names of the tensors that :func:`load_weights` would leave random; downloads nothing.

    Args:
        network: The network, which stays as it is.
        weights: As for :func:`load_weights`.
        final_layers: As for :func:`load_weights`; published weights are taken for those of another
            class count.

    Raises:
        ConfigError: If the name is unknown.
        CheckpointError: If a file is missing, damaged or of another network.
    """
    names = tuple(network.state_dict())
    if weights == "none":
        return names
    if is_file_name(weights):
        path = Path(weights)
        return tuple(match(network, read_tensors(path), path=path, final_layers=final_layers).fresh)
    part = find_source(weights, published_weights(network)).part
    if part:
        return tuple(name for name in names if not name.startswith(f"{part}."))
    return tuple(name for name in names if name.startswith(tuple(f"{n}." for n in final_layers)))


def is_file_name(weights: str) -> bool:
    """Whether ``model.weights`` is a file rather than the name of published weights."""
    return "/" in weights or weights.endswith(FILE_SUFFIXES) or Path(weights).is_file()


def _count_by_module(names: Sequence[str], all_names: Collection[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        top = name.partition(".")[0]
        whole = all(other in names for other in all_names if other.partition(".")[0] == top)
        module = top if whole else name.rpartition(".")[0]
        counts[module] = counts.get(module, 0) + 1
    return counts


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items())
