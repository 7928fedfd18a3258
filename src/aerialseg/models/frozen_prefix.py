"""The frozen part of a network, split off so that it runs only once per image."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from aerialseg.models.networks.protocol import SplitsAtBackbone


class FrozenPrefix:
    """Splits a network where a stage's frozen part ends: after the backbone or inside the heads.

    Args:
        network: The network.
        frozen: The modules that the stage freezes; they are in eval mode.

    Raises:
        ValueError: If the network cannot be split or its backbone is not completely frozen; check
            with :func:`has_frozen_prefix`.
    """

    def __init__(self, network: nn.Module, frozen: Collection[nn.Module]) -> None:
        if not isinstance(network, SplitsAtBackbone) or not has_frozen_prefix(network, frozen):
            raise ValueError(f"{type(network).__name__} has no completely frozen backbone")
        self._backbone, heads = network.backbone_and_heads()
        self._before: dict[str, list[nn.Module]] = {}
        self._after: dict[str, list[nn.Module]] = {}
        for name, head in heads.items():
            layers = list(head)
            known = _with_descendants(frozen)
            end = next((i for i, layer in enumerate(layers) if layer not in known), len(layers))
            self._before[name], self._after[name] = layers[:end], layers[end:]

    @torch.inference_mode()
    def features(self, images: Tensor) -> dict[str, Tensor]:
        """The output of the frozen part.

        Args:
            images: ``(N, 3, H, W)`` float, normalised.

        Returns:
            By head, ``(N, K, h, w)`` with the images' dtype.
        """
        maps = self._backbone(images)
        return {name: _apply(layers, maps[name]) for name, layers in self._before.items()}

    def logits(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """The output of the trained part: ``(N, C, h, w)`` logits by head."""
        return {name: _apply(layers, features[name]) for name, layers in self._after.items()}

    def tensors(self) -> list[Tensor]:
        """Every parameter and buffer that the features depend on, in a fixed order."""
        modules = [self._backbone, *(layer for layers in self._before.values() for layer in layers)]
        return [tensor for module in modules for tensor in module.state_dict().values()]

    @property
    def depth(self) -> dict[str, int]:
        """By head, how many of its layers are frozen."""
        return {name: len(layers) for name, layers in self._before.items()}


def has_frozen_prefix(network: nn.Module, frozen: Collection[nn.Module]) -> bool:
    """Whether a network consists of a backbone and heads and the backbone is frozen."""
    if not isinstance(network, SplitsAtBackbone):
        return False
    backbone, _ = network.backbone_and_heads()
    return _is_within(backbone, _with_descendants(frozen))


def _is_within(module: nn.Module, modules: Collection[nn.Module]) -> bool:
    """Whether a module is one of ``modules`` or consists only of them."""
    if module in modules:
        return True
    own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    children = list(module.children())
    return bool(children) and not own and all(_is_within(child, modules) for child in children)


def _with_descendants(modules: Collection[nn.Module]) -> set[nn.Module]:
    return {inner for module in modules for inner in module.modules()}


def _apply(layers: list[nn.Module], value: Tensor) -> Tensor:
    for layer in layers:
        value = layer(value)
    return value
