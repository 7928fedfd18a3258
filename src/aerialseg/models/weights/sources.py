"""What the name of published weights stands for: which file, where it is published, its hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aerialseg.errors import ConfigError, did_you_mean


@dataclass(frozen=True, slots=True)
class WeightSource:
    """A published file of weights.

    Attributes:
        file_name: What it is called on this machine.
        url: Where it is published.
        sha256: The first digits of its hash, or all 64; empty if not published.
        cached: Where another program has already put it, if anywhere.
    """

    file_name: str
    url: str
    sha256: str
    cached: Path | None = None


def find_source(name: str, published: Mapping[str, WeightSource]) -> WeightSource:
    """Looks a name up among the weights that are published for a network or its backbone.

    Args:
        name: What ``model.weights`` says.
        published: The weights there are, by name; see
            :func:`aerialseg.models.networks.protocol.published_weights`.

    Raises:
        ConfigError: If the name is unknown; says which ones there are.
    """
    if name not in published:
        known = did_you_mean(name, published) or "; none is published for this network"
        raise ConfigError(
            f"model.weights: '{name}' is not the name of published weights, nor 'none', "
            f"nor a file{known}"
        )
    return published[name]
