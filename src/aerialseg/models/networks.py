"""Builders of segmentation networks; a model file under ``conf/model`` names one of them.

Every network takes ``(N, 3, H, W)`` float pictures, normalised, and returns a dictionary with
``"out"``, the ``(N, C, h, w)`` logits at the network's own stride, and, where there is an auxiliary
head, ``"aux"`` likewise. Losses, metrics and inference bring them to the size they need: see
:mod:`aerialseg.kernels.upsampling`. Networks start at random: weights are a separate choice, made
in :mod:`aerialseg.models.weights.loading`.
"""

import difflib
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from aerialseg.errors import ConfigError


def deeplabv3_mobilenet_v3_large(num_classes: int, *, aux_head: bool = True) -> nn.Module:
    """DeepLabV3 on MobileNetV3-Large, as torchvision builds and names it.

    Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017;
    Howard et al., "Searching for MobileNetV3", ICCV 2019. In YAML::

        network:
          _target_: aerialseg.models.networks.deeplabv3_mobilenet_v3_large
          aux_head: true

    Args:
        num_classes: How many classes there are, the background included.
        aux_head: Whether a second, shallow head on the backbone's block 4 is built too.
    """
    from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large as build

    parts = build(weights=None, weights_backbone=None, num_classes=num_classes, aux_loss=aux_head)
    return BackboneAndHeads(parts.backbone, parts.classifier, parts.aux_classifier)


def deeplabv3_resnet50(num_classes: int, *, aux_head: bool = True) -> nn.Module:
    """DeepLabV3 on ResNet-50, as torchvision builds and names it.

    Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017. In YAML::

        network:
          _target_: aerialseg.models.networks.deeplabv3_resnet50
          aux_head: true

    Args:
        num_classes: How many classes there are, the background included.
        aux_head: Whether a second, shallow head on the backbone's layer3 is built too.
    """
    from torchvision.models.segmentation import deeplabv3_resnet50 as build

    parts = build(weights=None, weights_backbone=None, num_classes=num_classes, aux_loss=aux_head)
    return BackboneAndHeads(parts.backbone, parts.classifier, parts.aux_classifier)


def lraspp_mobilenet_v3_large(num_classes: int) -> nn.Module:
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


def segmentation_models_pytorch(
    num_classes: int, *, architecture: str, encoder_name: str
) -> nn.Module:
    """Any architecture of segmentation-models-pytorch on any of its encoders; no auxiliary head.

    Parameters keep that package's names, so weights move to it and back. In YAML::

        network:
          _target_: aerialseg.models.networks.segmentation_models_pytorch
          architecture: unet
          encoder_name: resnet18

    Args:
        num_classes: How many classes there are, the background included.
        architecture: A name its ``create_model`` takes: unet, fpn, deeplabv3plus, segformer, ...
        encoder_name: One of its encoders, or ``tu-`` and the name of a timm network.

    Raises:
        ConfigError: If the package is missing, a name is unknown or the two do not go together.
    """
    try:
        import segmentation_models_pytorch as smp
    except ImportError:
        raise ConfigError(
            "network: segmentation-models-pytorch is not installed; "
            'run `pip install -e ".[models]"` or pick another model'
        ) from None
    _check_no_place(encoder_name)
    _check_known("architecture", architecture, list(smp.MODEL_ARCHITECTURES_MAPPING))
    if not encoder_name.startswith("tu-"):
        _check_known("encoder_name", encoder_name, list(smp.encoders.get_encoder_names()))
    try:
        parts = smp.create_model(
            architecture, encoder_name, encoder_weights=None, classes=num_classes
        )
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"network: {architecture} cannot be built on the encoder {encoder_name}: {reason}"
        ) from error
    return EncoderDecoder(
        parts.encoder,
        parts.decoder,
        segmentation_head=parts.segmentation_head,
        stride=int(parts.encoder.output_stride),
        encoder_name=encoder_name,
    )


class BackboneAndHeads(nn.Module):
    """A backbone and one or two heads that each start from one of its feature maps.

    Parameters keep torchvision's names, so weights move to it and back.

    Args:
        backbone: Gives ``{"out": features}``, and ``"aux"`` where there is an auxiliary head.
        classifier: Turns the features ``out`` into logits, child after child.
        aux_classifier: The same for the features ``aux``.
    """

    def __init__(
        self, backbone: nn.Module, classifier: nn.Sequential, aux_classifier: nn.Sequential | None
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier

    @property
    def heads(self) -> dict[str, nn.Sequential]:
        """The heads by the name of the features they start from and of the logits they give."""
        aux = self.aux_classifier
        return {"out": self.classifier} if aux is None else {"out": self.classifier, "aux": aux}

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Logits by head, each ``(N, C, h, w)``; image ``(N, 3, H, W)`` float, normalised."""
        features = self.backbone(image)
        return {name: head(features[name]) for name, head in self.heads.items()}


class LiteRASPP(nn.Module):
    """A backbone and the Lite R-ASPP head, which joins two of its feature maps.

    Parameters keep torchvision's names, so weights move to it and back.

    Args:
        backbone: Gives the feature maps ``high`` and ``low`` by name.
        classifier: Turns them into logits.
    """

    def __init__(self, backbone: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """``{"out": logits}``, ``(N, C, h, w)``; image ``(N, 3, H, W)`` float, normalised."""
        return {"out": self.classifier(self.backbone(image))}


class EncoderDecoder(nn.Module):
    """An encoder, a decoder and a head that give the dictionary every network here gives.

    Args:
        encoder: Gives feature maps.
        decoder: Joins the feature maps into one.
        segmentation_head: Turns it into logits at the size of the encoder's input.
        stride: How many pixels of the input the coarsest feature map steps over.
        encoder_name: The encoder's name, under which its weights are found.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        segmentation_head: nn.Module,
        stride: int,
        encoder_name: str,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.segmentation_head = segmentation_head
        self.stride = stride
        self.encoder_name = encoder_name

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Logits of a picture of any size.

        Args:
            image: ``(N, 3, H, W)`` float, normalised.

        Returns:
            ``{"out": logits}``, the logits ``(N, C, H, W)``.
        """
        height, width = image.shape[-2:]
        # Most of these decoders only take multiples of the stride. Zero is the mean colour.
        padded = F.pad(image, (0, -width % self.stride, 0, -height % self.stride))
        features = self.encoder(padded)
        # A vision transformer gives its prefix tokens beside the feature maps.
        decoded = self.decoder(*features) if isinstance(features, tuple) else self.decoder(features)
        return {"out": self.segmentation_head(decoded)[..., :height, :width]}


def _check_no_place(encoder_name: str) -> None:
    if ":" in encoder_name:  # timm would ask a hub, or read a folder, even for random weights
        raise ConfigError(
            f"network: encoder_name '{encoder_name}' names a place to load from; wanted the bare "
            "name of an encoder; give its weights with model.weights=FILE"
        )


def _check_known(key: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{nearest[0]}'?" if nearest else f"known: {', '.join(known)}"
        raise ConfigError(f"network: segmentation-models-pytorch has no {key} '{name}'; {hint}")
