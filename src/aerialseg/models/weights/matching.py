"""Matches the tensors of a weight file with those of a network.

Everything must fit except final layers with another class count, parts that are missing in the file
altogether, and the head of a classification network.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn

from aerialseg.errors import CheckpointError
from aerialseg.models.networks.input_bands import RGB, input_weight, widened

# Prefixes that data parallelism and other trainers add to every name.
_WRAPPERS = ("module.", "model.")
_CLASSIFICATION_HEADS = ("classifier", "fc", "head", "last_linear")


@dataclass(slots=True)
class Match:
    """The result of matching a file with a network.

    Attributes:
        loaded: The tensors to load, by the network's names.
        fresh: Names of tensors of the network that may be missing and are.
        unused: Names of tensors of the file that may be ignored and are.
        widened: Input channels that the first convolution was widened to; 0 if it was not.
    """

    loaded: dict[str, Tensor] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    widened: int = 0


def match(
    network: nn.Module, tensors: Mapping[str, Tensor], *, path: Path, final_layers: Sequence[str]
) -> Match:
    """Matches each tensor of a file with one of the network; changes nothing.

    Args:
        network: The network.
        tensors: The tensors of the file.
        path: The file, for the errors.
        final_layers: Names of the modules whose shape depends on the class count.

    Raises:
        CheckpointError: If the file is of another network, or anything in it does not fit.
    """
    state = network.state_dict()
    body = body_of(network)
    given = _name_as(state, tensors, body)
    found = Match()
    shape: list[str] = []
    unknown: list[str] = []
    missing: list[str] = []
    parts = {name.partition(".")[0] for name in given}
    for name, tensor in given.items():
        if name not in state and _is_unused(name, network, body):
            found.unused.append(name.removeprefix(f"{body}."))
        elif name not in state:
            unknown.append(name)
        elif tensor.shape == state[name].shape:
            found.loaded[name] = tensor
        elif name == input_weight(network) and _is_of_rgb(tensor, state[name]):
            found.loaded[name] = widened(tensor, state[name].shape[1])
            found.widened = state[name].shape[1]
        elif _is_in(name, final_layers) and tensor.shape[1:] == state[name].shape[1:]:
            found.fresh.append(name)
        else:
            shape.append(f"{name} {tuple(tensor.shape)} instead of {tuple(state[name].shape)}")
    for name in state:
        if name not in given and not _is_old_batchnorm(name, given):
            may_miss = _is_in(name, final_layers) or name.partition(".")[0] not in parts
            (found.fresh if may_miss else missing).append(name)
    wanted = [name for name in state if name.startswith(body)]
    _check_same_network(path, tensors, wanted, found.loaded)
    _raise_problems(path, {"wrong shape": shape, "unknown": unknown, "missing": missing})
    return found


def body_of(network: nn.Module) -> str:
    """The name of the backbone, which classification networks share; empty if there is none."""
    return next((name for name in ("backbone", "encoder") if hasattr(network, name)), "")


def _name_as(
    state: Mapping[str, Tensor], tensors: Mapping[str, Tensor], body: str
) -> dict[str, Tensor]:
    """The file's tensors under the network's names, by the guess that fits most of them."""

    def fitting(names: dict[str, str]) -> int:
        return sum(
            new in state and state[new].shape == tensors[own].shape for own, new in names.items()
        )

    best = max(_guesses(list(tensors), body), key=fitting)
    return {new: tensors[own] for own, new in best.items()}


def _guesses(names: Sequence[str], body: str) -> Iterator[dict[str, str]]:
    """Candidate mappings from names in the file to names in the network."""
    ours = [name for name in names if name.startswith("network.")]
    unwrapped = [{name: name.removeprefix("network.") for name in ours or names}]
    for wrapper in _WRAPPERS:
        if all(name.startswith(wrapper) for name in names):
            unwrapped.append({name: name.removeprefix(wrapper) for name in names})
    for guess in unwrapped:
        yield guess
        if body:
            yield {own: f"{body}.{name}" for own, name in guess.items()}
            # torchvision's MobileNets have the backbone's modules under `features`.
            yield {own: f"{body}.{name.removeprefix('features.')}" for own, name in guess.items()}


def _is_of_rgb(tensor: Tensor, own: Tensor) -> bool:
    """Whether two weights of convolutions differ in the channels only, and one is of RGB."""
    shape = list(own.shape)
    shape[1] = RGB
    return list(tensor.shape) == shape


def _is_in(name: str, modules: Sequence[str]) -> bool:
    return any(name.startswith(f"{module}.") for module in modules)


def _is_unused(name: str, network: nn.Module, body: str) -> bool:
    top, _, rest = name.partition(".")
    if top == body:
        return rest.partition(".")[0] in _CLASSIFICATION_HEADS
    # An optional part that this network was built without.
    return getattr(network, top, network) is None


def _is_old_batchnorm(name: str, given: Mapping[str, object]) -> bool:
    # Files from before PyTorch 0.4.1 have no batch counter, and it is not needed.
    module, _, kind = name.rpartition(".")
    return kind == "num_batches_tracked" and f"{module}.running_mean" in given


def _check_same_network(
    path: Path, tensors: Mapping[str, Tensor], wanted: Sequence[str], loaded: Mapping[str, Tensor]
) -> None:
    """Raises CheckpointError if less than half of the wanted tensors were found."""
    fitting = sum(name in loaded for name in wanted)
    if fitting < len(wanted) / 2:
        part = wanted[0].partition(".")[0]
        raise CheckpointError(
            f"{path}: is of another network: it has {fitting} of the {len(wanted)} tensors of "
            f"'{part}'; its first is '{next(iter(tensors))}', wanted '{wanted[0]}'"
        )


def _raise_problems(path: Path, problems: Mapping[str, Sequence[str]]) -> None:
    lines = [
        f"{path}: does not fit: {problem}: {', '.join(names[:3])}{_more(names)}"
        for problem, names in problems.items()
        if names
    ]
    if lines:
        raise CheckpointError(*lines)


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 3} more" if len(names) > 3 else ""
