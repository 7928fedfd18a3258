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
"""What tells the name of a file from the name of published weights."""


@dataclass(frozen=True, slots=True)
class WeightsReport:
    """What a network starts from; ``str()`` says it in one line.

    Attributes:
        total: How many tensors the network has.
        loaded: How many of them came from the file.
        path: The file; ``None`` if everything starts at random.
        part: Empty if the file held a whole network, else which part of one.
        fresh: How many tensors start at random, by module.
        left_out: How many of the file's tensors found no use, by module.
    """

    total: int
    loaded: int = 0
    path: Path | None = None
    part: str = ""
    fresh: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.path is None:
            return f"weights: none; all {self.total} tensors start fresh"
        part = f" ({self.part})" if self.part else ""
        line = f"weights: {self.loaded} of {self.total} tensors from {self.path.name}{part}"
        if self.fresh:
            line += f"; {sum(self.fresh.values())} start fresh: {_listed(self.fresh)}"
        if self.left_out:
            line += f"; {sum(self.left_out.values())} left in the file: {_listed(self.left_out)}"
        return line


def load_weights(
    network: nn.Module,
    weights: str,
    *,
    final_layers: Sequence[str],
    weights_dir: Path,
) -> WeightsReport:
    """Starts a network from trained weights.

    Args:
        network: The network, changed in place.
        weights: ``none``; a name that the network publishes weights under;
            or a file: a checkpoint of this project, or anyone's state dict of the same network or
            of its backbone, classification networks included.
        final_layers: Names of the modules whose shape depends on the class count: the last layer
            group. They alone may differ from the file, and then start fresh.
        weights_dir: Where files of published weights lie or are put.

    Raises:
        ConfigError: If the name is unknown.
        CheckpointError: If a file is missing, out of reach, damaged, or of another network.
    """
    if weights == "none":
        return WeightsReport(total=len(network.state_dict()))
    if is_file_name(weights):
        path = Path(weights).expanduser()
    else:
        source = find_source(weights, published_weights(network))
        path = fetch(source, weights_dir=weights_dir)
    return fit(network, read_tensors(path), path=path, final_layers=final_layers)


def fit(
    network: nn.Module, tensors: Mapping[str, Tensor], *, path: Path, final_layers: Sequence[str]
) -> WeightsReport:
    """Copies a file's tensors into a network: all that belong there, or none.

    Half precision is cast up.

    Args:
        network: The network, changed in place.
        tensors: What the file holds.
        path: The file, for the report and the errors.
        final_layers: As for :func:`load_weights`.

    Raises:
        CheckpointError: If the file is of another network or does not fit; the network is then
            as it was.
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
        left_out=_count_by_module(found.left_out, found.left_out),
    )


def is_file_name(weights: str) -> bool:
    """Whether ``model.weights`` speaks of a file rather than of published weights."""
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
