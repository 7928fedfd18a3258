"""Lite R-ASPP: a light head on two feature maps of the backbone."""

from torch import Tensor, nn

from aerialseg.models.networks.torchvision_weights import torchvision_weights
from aerialseg.models.weights.sources import WeightSource


def lraspp_mobilenet_v3_large(num_classes: int) -> "LiteRASPP":
    """Lite R-ASPP on MobileNetV3-Large, as torchvision builds and names it; no auxiliary head.

    Howard et al., "Searching for MobileNetV3", ICCV 2019. In YAML::

        network:
          _target_: aerialseg.models.networks.lraspp_mobilenet_v3_large

    Args:
        num_classes: How many classes there are, the background included.
    """
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large as build

    parts = build(weights=None, weights_backbone=None, num_classes=num_classes)
    return LiteRASPP(parts.backbone, parts.classifier)


class LiteRASPP(nn.Module):
    """A backbone and the Lite R-ASPP head, which merges two of its feature maps.

    Parameters have torchvision's names, so weights can be exchanged with it.

    Args:
        backbone: Returns the feature maps ``high`` and ``low`` by name.
        classifier: Computes logits from them.
    """

    def __init__(self, backbone: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """``{"out": logits}``, ``(N, C, h, w)``; image ``(N, 3, H, W)`` float, normalised."""
        return {"out": self.classifier(self.backbone(image))}

    def published_weights(self) -> dict[str, WeightSource]:
        """The weights that torchvision publishes for this network and its backbone, by name."""
        return torchvision_weights("lraspp_mobilenet_v3_large")
