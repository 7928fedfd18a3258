"""The weights that torchvision publishes for its segmentation networks and their backbones."""

import inspect
import re

from aerialseg.models.weights.sources import WeightSource

# torchvision's file names contain only the first digits.
_FULL_SHA256 = {
    "deeplabv3_mobilenet_v3_large-fc3c493d.pth": (
        "fc3c493d68e89cc31ef488c803d5d7dd2f3190fb570598faa49fef69be8e5e70"
    ),
}


def torchvision_weights(architecture: str) -> dict[str, WeightSource]:
    """The published weights of a segmentation network and of its backbone.

    Args:
        architecture: The name of torchvision's builder.

    Returns:
        By torchvision's names: ``COCO_WITH_VOC_LABELS_V1`` for the whole network,
        ``MobileNet_V3_Large_Weights.IMAGENET1K_V2`` for its backbone.
    """
    from torchvision.models import get_model_builder, get_model_weights

    parameters = inspect.signature(get_model_builder(architecture)).parameters
    whole = {weights.name: weights.url for weights in get_model_weights(architecture)}
    backbone = type(parameters["weights_backbone"].default)
    parts = {f"{backbone.__name__}.{weights.name}": weights.url for weights in backbone}
    return {
        **{name: _source(url) for name, url in whole.items()},
        **{name: _source(url, part="backbone") for name, url in parts.items()},
    }


def _source(url: str, part: str = "") -> WeightSource:
    file_name = url.rpartition("/")[2]
    digits = re.search(r"-([0-9a-f]{8,64})\.", file_name)
    sha256 = _FULL_SHA256.get(file_name, digits[1] if digits else "")
    return WeightSource(file_name, url, sha256, part=part)
