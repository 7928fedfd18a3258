"""The frozen part of a network, cut off so that it need run only once per image."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from aerialseg.models.networks.protocol import SplitsAtBackbone


class FrozenPrefix:
    """Splits a network where a stage's frozen part ends: at the backbone's end or in the heads.

    Args:
        network: The network.
        frozen: The modules that the stage freezes; they are in eval mode.

    Raises:
        ValueError: If the network is not of this kind or its backbone is not wholly frozen;
            :func:`has_frozen_prefix` tells.
    """

    def __init__(self, network: nn.Module, frozen: Collection[nn.Module]) -> None:
        if not isinstance(network, SplitsAtBackbone) or not has_frozen_prefix(network, frozen):
            raise ValueError(f"{type(network).__name__} has no backbone that is wholly frozen")
        self._backbone, heads = network.backbone_and_heads()
        self._before: dict[str, list[nn.Module]] = {}
        self._after: dict[str, list[nn.Module]] = {}
        for name, head in heads.items():
            layers = list(head)
            still = _with_descendants(frozen)
            end = next((i for i, layer in enumerate(layers) if layer not in still), len(layers))
            self._before[name], self._after[name] = layers[:end], layers[end:]

    @torch.inference_mode()
    def features(self, images: Tensor) -> dict[str, Tensor]:
        """What comes out of the frozen part.

        Args:
            images: ``(N, 3, H, W)`` float, normalised.

        Returns:
            By head, ``(N, K, h, w)`` of the images' type.
        """
        maps = self._backbone(images)
        return {name: _through(layers, maps[name]) for name, layers in self._before.items()}

    def logits(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """What the part that learns makes of it: ``(N, C, h, w)`` logits by head."""
        return {name: _through(layers, features[name]) for name, layers in self._after.items()}

    def tensors(self) -> list[Tensor]:
        """Every parameter and buffer that decides the features, in a fixed order."""
        modules = [self._backbone, *(layer for layers in self._before.values() for layer in layers)]
        return [tensor for module in modules for tensor in module.state_dict().values()]

    @property
    def depth(self) -> dict[str, int]:
        """By head, how many of its layers are frozen."""
        return {name: len(layers) for name, layers in self._before.items()}


def has_frozen_prefix(network: nn.Module, frozen: Collection[nn.Module]) -> bool:
    """Whether a network is made of a backbone and heads, and all of the backbone is frozen."""
    if not isinstance(network, SplitsAtBackbone):
        return False
    backbone, _ = network.backbone_and_heads()
    return _is_within(backbone, _with_descendants(frozen))


def _is_within(module: nn.Module, modules: Collection[nn.Module]) -> bool:
    """Whether a module is one of some modules, or wholly made of them."""
    if module in modules:
        return True
    own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    children = list(module.children())
    return bool(children) and not own and all(_is_within(child, modules) for child in children)


def _with_descendants(modules: Collection[nn.Module]) -> set[nn.Module]:
    return {inner for module in modules for inner in module.modules()}


def _through(layers: list[nn.Module], value: Tensor) -> Tensor:
    for layer in layers:
        value = layer(value)
    return value
