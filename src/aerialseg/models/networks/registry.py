"""The networks that may be built by name: ours, and those registered by installed packages."""

import inspect
from collections.abc import Callable
from typing import TypeAlias, cast

from aerialseg import plugins
from aerialseg.errors import ConfigError
from aerialseg.models.networks.deeplabv3 import deeplabv3_mobilenet_v3_large, deeplabv3_resnet50
from aerialseg.models.networks.encoder_decoder import segmentation_models_pytorch
from aerialseg.models.networks.lraspp import lraspp_mobilenet_v3_large
from aerialseg.models.networks.protocol import SegmentationNetwork

Builder: TypeAlias = Callable[..., SegmentationNetwork]

PACKAGE = "aerialseg.models.networks"
ACCEPTED = (
    f"only builders of {PACKAGE} are accepted, and those that installed packages register as "
    f"{plugins.NETWORKS}"
)
"""The rule in words, for error messages."""

_BUILDERS: tuple[Builder, ...] = (
    deeplabv3_mobilenet_v3_large,
    deeplabv3_resnet50,
    lraspp_mobilenet_v3_large,
    segmentation_models_pytorch,
)
# YAML may refer to a builder by the package or by its module.
_OURS = {
    f"{prefix}.{builder.__name__}": builder
    for builder in _BUILDERS
    for prefix in (PACKAGE, builder.__module__)
}


def find_builder(target: str) -> Builder | None:
    """The registered class or function of a dotted path; ``None`` if it is not registered.

    Unregistered paths are not imported, so untrusted paths are safe.

    Raises:
        ConfigError: If the package that registers it is broken, or registers something that is
            not callable.
    """
    found = _OURS.get(target) or plugins.load(target, plugins.NETWORKS)
    if found is None:
        return None
    if not (inspect.isclass(found) or inspect.isroutine(found)):
        raise ConfigError(f"'{target}' is registered as a network but is not a class or function")
    return cast("Builder", found)
