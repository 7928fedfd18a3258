"""The protocol of a network and two optional ones."""

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from aerialseg.models.weights.sources import WeightSource


class SegmentationNetwork(Protocol):
    """A network that can be trained in stages, stored in a checkpoint and used for prediction.

    Any ``nn.Module`` whose :meth:`forward` returns logits by head; it need not derive from this
    class. It is built by a class or function that takes ``num_classes`` and the keys beside
    ``_target_`` in the model file. These are stored in the checkpoint, so they must be plain data.
    """

    def forward(self, image: Tensor) -> Mapping[str, Tensor]:
        """The logits of a batch.

        Args:
            image: ``(N, 3, H, W)`` float, normalised.

        Returns:
            ``"out"``, ``(N, C, h, w)`` logits at the network's stride, and ``"aux"`` likewise if
            there is an auxiliary head. Losses, metrics and inference upsample them as needed: see
            :mod:`aerialseg.kernels.upsampling`.
        """

    def get_submodule(self, target: str) -> nn.Module:
        """The module with a dotted name, as in ``nn.Module``.

        ``model.layer_groups`` names modules this way. Together the groups must contain
        every parameter and buffer exactly once.
        """

    def named_children(self) -> Iterator[tuple[str, nn.Module]]:
        """The direct children, input side first, as in ``nn.Module``.

        The entry ``backbone.*`` of ``model.layer_groups`` means one group for each of them.
        """


@runtime_checkable
class PublishesWeights(Protocol):
    """A network with published trained weights."""

    def published_weights(self) -> Mapping[str, WeightSource]:
        """The published files by the names that ``model.weights`` accepts."""


@runtime_checkable
class SplitsAtBackbone(Protocol):
    """A network of a backbone and heads, whose frozen part can be run once per image.

    Its forward must be ``{name: head(backbone(image)[name]) for name, head in heads.items()}``.
    """

    def backbone_and_heads(self) -> tuple[nn.Module, Mapping[str, nn.Sequential]]:
        """The backbone, and the heads by the name of their input features."""


def published_weights(network: nn.Module) -> Mapping[str, WeightSource]:
    """The published weights of a network by name; empty if there are none."""
    return network.published_weights() if isinstance(network, PublishesWeights) else {}
