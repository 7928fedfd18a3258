"""Networks for images of another number of bands than three."""

import inspect
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from aerialseg.errors import ConfigError

RGB = 3
_KEY = "in_channels"
_MARK = "_input_convolution"


def build_for_bands(
    builder: Callable[..., Any],
    arguments: Mapping[str, Any],
    bands: int,
    *,
    parameters: Collection[str] | None = None,
) -> nn.Module:
    """Builds a network for images of so many bands.

    A builder that takes ``in_channels`` is asked for it. The network of any other is made for RGB,
    and its first convolution is replaced by one with more or fewer input channels.

    Args:
        builder: Of the network.
        arguments: Its arguments by name.
        bands: The channels of the images, 1 or more.
        parameters: Names of the builder's arguments; None to look.

    Raises:
        ConfigError: If the network cannot be made for them.
    """
    if bands == RGB:
        return cast("nn.Module", builder(**arguments))
    if _KEY in (inspect.signature(builder).parameters if parameters is None else parameters):
        return cast("nn.Module", builder(**{**arguments, _KEY: bands}))
    network = cast("nn.Module", builder(**arguments))
    _widen(network, bands)
    return network


def widened(weight: Tensor, bands: int) -> Tensor:
    """The weight of a convolution on RGB, for images of ``bands`` bands.

    The first three bands keep the weights of red, green and blue, and each other one gets their
    mean; with fewer than three bands each gets the mean. All are scaled by three over the number
    of bands, so that the sum over the bands, and with it the activations that trained layers
    expect, keep their magnitude. timm (``adapt_input_conv``) and segmentation-models-pytorch
    (``patch_first_conv``) scale likewise, but repeat red, green and blue for what is new; which of
    them an infrared band resembles most nobody knows.

    Args:
        weight: ``(O, 3, h, w)``.
        bands: 1 or more.

    Returns:
        ``(O, bands, h, w)``; the weight itself for three bands.
    """
    if bands == RGB:
        return weight
    mean = weight.mean(dim=1, keepdim=True)
    parts = [weight] * (bands > RGB) + [mean] * (bands - RGB if bands > RGB else bands)
    return torch.cat(parts, dim=1) * (RGB / bands)


def input_weight(network: nn.Module) -> str | None:
    """The name of the weight that was made for other bands than RGB; None if there is none."""
    name: str | None = getattr(network, _MARK, None)
    return None if name is None else f"{name}.weight"


def _widen(network: nn.Module, bands: int) -> None:
    """Replaces the only convolution on three channels by one on ``bands`` with random weights."""
    found = [
        (name, part)
        for name, part in network.named_modules()
        if isinstance(part, nn.Conv2d) and part.in_channels == RGB and part.groups == 1
    ]
    if len(found) != 1:
        raise ConfigError(
            f"model.network: {type(network).__name__} has {len(found)} convolutions on three "
            f"channels, so which one reads the image is not known and it cannot be made for the "
            f"{bands} bands of data.bands; let its builder take '{_KEY}', or choose another model"
        )
    name, old = found[0]
    new = nn.Conv2d(
        bands,
        old.out_channels,
        cast("tuple[int, int]", old.kernel_size),
        stride=cast("tuple[int, int]", old.stride),
        padding=cast("Any", old.padding),
        dilation=cast("tuple[int, int]", old.dilation),
        bias=old.bias is not None,
        padding_mode=cast("Any", old.padding_mode),
    )
    with torch.no_grad():
        # As spread as the network's own initial weights, for the same sum over more bands.
        new.weight.normal_(0, float(old.weight.std()) * math.sqrt(RGB / bands))
        if new.bias is not None and old.bias is not None:
            new.bias.copy_(old.bias)
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, new)
    setattr(network, _MARK, name)
