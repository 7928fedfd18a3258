"""Published weights: file name, URL and hash by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aerialseg.errors import ConfigError, did_you_mean


@dataclass(frozen=True, slots=True)
class WeightSource:
    """A published weight file.

    Attributes:
        file_name: Its local file name.
        url: Its download URL.
        sha256: The first digits of its hash, or all 64; empty if unknown.
        cached: Its path in the cache of another program, if it is there.
        part: The part of the network that it holds, such as ``backbone``; empty if all of it.
    """

    file_name: str
    url: str
    sha256: str
    cached: Path | None = None
    part: str = ""


def find_source(name: str, published: Mapping[str, WeightSource]) -> WeightSource:
    """Finds published weights of a network or its backbone by name.

    Args:
        name: The value of ``model.weights``.
        published: The published weights by name; see
            :func:`aerialseg.models.networks.protocol.published_weights`.

    Raises:
        ConfigError: If the name is unknown; lists the known ones.
    """
    if name not in published:
        known = did_you_mean(name, published) or "; none is published for this network"
        raise ConfigError(
            f"model.weights: '{name}' is not the name of published weights, nor 'none', "
            f"nor a file{known}"
        )
    return published[name]
