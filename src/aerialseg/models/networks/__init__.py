"""Builders of segmentation networks; a model file under ``conf/model`` names one of them.

Every network is a :class:`~aerialseg.models.networks.protocol.SegmentationNetwork`. Builders
return random weights: :mod:`aerialseg.models.weights.loading` loads trained ones. Other packages
add networks by entry points: see :mod:`aerialseg.plugins`.
"""

from aerialseg.models.networks.deeplabv3 import deeplabv3_mobilenet_v3_large, deeplabv3_resnet50
from aerialseg.models.networks.encoder_decoder import segmentation_models_pytorch
from aerialseg.models.networks.lraspp import lraspp_mobilenet_v3_large

__all__ = [
    "deeplabv3_mobilenet_v3_large",
    "deeplabv3_resnet50",
    "lraspp_mobilenet_v3_large",
    "segmentation_models_pytorch",
]
