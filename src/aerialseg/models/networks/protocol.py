"""The protocol of a network and two optional ones."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, cast, runtime_checkable

from torch import Tensor, nn

from aerialseg.errors import ConfigError
from aerialseg.models.weights.sources import WeightSource


class SegmentationNetwork(Protocol):
    """A network that can be trained in stages, stored in a checkpoint and used for prediction.

    Any ``nn.Module`` whose :meth:`forward` returns logits by head; it need not derive from this
    class. It is built by a class or function that takes ``num_classes`` and the keys beside
    ``_target_`` in the model file. These are stored in the checkpoint, so they must be plain data.
    For images of other bands than RGB, a builder with an argument ``in_channels`` is given their
    number; of other networks the first convolution is replaced
    (:mod:`aerialseg.models.networks.input_bands`).
    """

    def forward(self, image: Tensor) -> Mapping[str, Tensor]:
        """The logits of a batch.

        Args:
            image: ``(N, B, H, W)`` float, normalised; B is 3 unless ``data.bands`` names others.

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


def check_heads(network: nn.Module, returned: object) -> None:
    """Checks that a network returned a mapping with ``out``.

    Raises:
        ConfigError: If not; says what it returned.
    """
    if not (isinstance(returned, Mapping) and "out" in returned):
        raise ConfigError(
            f"model.network: {type(network).__name__} returns {_kind(returned)}; wanted "
            "logits by head, as in {'out': logits}"
        )


def check_logits(
    network: nn.Module, returned: object, num_classes: int, images: Sequence[int]
) -> None:
    """Checks that every head gives float logits with one channel for each class.

    Args:
        network: The network, for messages.
        returned: What it made of a batch.
        num_classes: How many classes the data has.
        images: The shape of the batch, ``(N, B, H, W)``.

    Raises:
        ConfigError: With one line for each head that does not.
    """
    check_heads(network, returned)
    problems = [
        f"model.network: {type(network).__name__} returns {described(logits)} as '{head}'; wanted "
        f"float logits of shape ({images[0]}, {num_classes}, h, w), a channel for each class, for "
        f"images of shape {tuple(images)}"
        for head, logits in cast("Mapping[str, object]", returned).items()
        if head in _HEADS and not _fits(logits, num_classes, images)
    ]
    if problems:
        raise ConfigError(*problems)


_HEADS = ("out", "aux")


def _fits(logits: object, num_classes: int, images: Sequence[int]) -> bool:
    """Whether these are logits for a batch, at its size or coarser."""
    if not (isinstance(logits, Tensor) and logits.is_floating_point() and logits.ndim == 4):
        return False
    count, channels, height, width = logits.shape
    is_coarser = 0 < height <= images[2] and 0 < width <= images[3]
    return is_coarser and (count, channels) == (images[0], num_classes)


def described(value: object) -> str:
    """What a part returned, for error messages: dtype and shape of a tensor, else its kind."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
    return _kind(value)


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        return f"a mapping with the keys {sorted(map(str, value))}"
    return f"a {type(value).__name__}"
