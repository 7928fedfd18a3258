"""DeepLabV3: a dilated backbone, atrous spatial pyramid pooling and an optional auxiliary head."""

from typing import Any

from torch import Tensor, nn

from aerialseg.models.networks.torchvision_weights import torchvision_weights
from aerialseg.models.weights.sources import WeightSource


def deeplabv3_mobilenet_v3_large(num_classes: int, *, aux_head: bool = True) -> "BackboneAndHeads":
    """DeepLabV3 on MobileNetV3-Large, as torchvision builds and names it.

    Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017;
    Howard et al., "Searching for MobileNetV3", ICCV 2019. In YAML::

        network:
          _target_: aerialseg.models.networks.deeplabv3_mobilenet_v3_large
          aux_head: true

    Args:
        num_classes: How many classes there are, the background included.
        aux_head: Whether to add a shallow auxiliary head on the backbone's block 4.
    """
    from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large as build

    parts = build(weights=None, weights_backbone=None, num_classes=num_classes, aux_loss=aux_head)
    return _without_upsampling(parts, architecture="deeplabv3_mobilenet_v3_large")


def deeplabv3_resnet50(num_classes: int, *, aux_head: bool = True) -> "BackboneAndHeads":
    """DeepLabV3 on ResNet-50, as torchvision builds and names it.

    Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017. In YAML::

        network:
          _target_: aerialseg.models.networks.deeplabv3_resnet50
          aux_head: true

    Args:
        num_classes: How many classes there are, the background included.
        aux_head: Whether to add a shallow auxiliary head on the backbone's layer3.
    """
    from torchvision.models.segmentation import deeplabv3_resnet50 as build

    parts = build(weights=None, weights_backbone=None, num_classes=num_classes, aux_loss=aux_head)
    return _without_upsampling(parts, architecture="deeplabv3_resnet50")


class BackboneAndHeads(nn.Module):
    """A backbone and one or two heads, each on one of its feature maps.

    Parameters have torchvision's names, so weights can be exchanged with it.

    Args:
        backbone: Returns ``{"out": features}``, and ``"aux"`` if there is an auxiliary head.
        classifier: Turns the features ``out`` into logits, child after child.
        aux_classifier: The same for the features ``aux``.
        architecture: The name under which torchvision publishes weights.
    """

    def __init__(
        self,
        backbone: nn.Module,
        classifier: nn.Sequential,
        aux_classifier: nn.Sequential | None,
        *,
        architecture: str,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier
        self.architecture = architecture

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Logits by head, each ``(N, C, h, w)``; image ``(N, 3, H, W)`` float, normalised."""
        backbone, heads = self.backbone_and_heads()
        features = backbone(image)
        return {name: head(features[name]) for name, head in heads.items()}

    def backbone_and_heads(self) -> tuple[nn.Module, dict[str, nn.Sequential]]:
        """The backbone, and the heads by the name of their input features."""
        heads = {"out": self.classifier}
        if self.aux_classifier is not None:
            heads["aux"] = self.aux_classifier
        return self.backbone, heads

    def published_weights(self) -> dict[str, WeightSource]:
        """The weights that torchvision publishes for this network and its backbone, by name."""
        return torchvision_weights(self.architecture)


def _without_upsampling(parts: Any, *, architecture: str) -> BackboneAndHeads:  # noqa: ANN401 - torchvision's, untyped
    """The network without torchvision's final upsampling."""
    return BackboneAndHeads(
        parts.backbone, parts.classifier, parts.aux_classifier, architecture=architecture
    )
