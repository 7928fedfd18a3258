"""What the names of trained weights stand for: which file, where it is published, its hash."""

import difflib
import inspect
import re
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from aerialseg.errors import ConfigError
from aerialseg.models.networks import EncoderDecoder

# torchvision writes only the first digits into its file names.
_FULL_SHA256 = {
    "deeplabv3_mobilenet_v3_large-fc3c493d.pth": (
        "fc3c493d68e89cc31ef488c803d5d7dd2f3190fb570598faa49fef69be8e5e70"
    ),
}


@dataclass(frozen=True, slots=True)
class WeightSource:
    """A published file of weights.

    Attributes:
        file_name: What it is called on this machine.
        url: Where it is published.
        sha256: The first digits of its hash, or all 64; empty if not published.
        cached: Where another program has already put it, if anywhere.
    """

    file_name: str
    url: str
    sha256: str
    cached: Path | None = None


def find_source(name: str, network: nn.Module, *, architecture: str) -> WeightSource:
    """Looks a name up among the weights that are published for a network or its backbone.

    Args:
        name: For a torchvision network one of its weights, as ``COCO_WITH_VOC_LABELS_V1``, or of
            its backbone's, as ``MobileNet_V3_Large_Weights.IMAGENET1K_V2``. For a network of
            segmentation-models-pytorch one of its encoder's, as ``imagenet``.
        network: The network.
        architecture: The name of the function that built it.

    Raises:
        ConfigError: If the name is unknown; says which ones there are.
    """
    if isinstance(network, EncoderDecoder):
        sources = _encoder_sources(network.encoder_name)
    else:
        sources = _torchvision_sources(architecture)
    if name not in sources:
        raise ConfigError(
            f"model.weights: '{name}' is not the name of published weights "
            f"({_known(name, list(sources))}), nor 'none', nor a file"
        )
    return sources[name]


def _known(name: str, names: list[str]) -> str:
    if not names:
        return "none is published for this network"
    nearest = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
    return f"known: {', '.join(names)}{hint}"


def _torchvision_sources(architecture: str) -> dict[str, WeightSource]:
    from torchvision.models import get_model_builder, get_model_weights

    try:
        builder = get_model_builder(architecture)
    except ValueError:  # a network of the user's own
        return {}
    parameters = inspect.signature(builder).parameters
    whole = {weights.name: weights.url for weights in get_model_weights(architecture)}
    backbone = type(parameters["weights_backbone"].default)
    urls = whole | {f"{backbone.__name__}.{weights.name}": weights.url for weights in backbone}
    return {name: _torchvision_source(url) for name, url in urls.items()}


def _torchvision_source(url: str) -> WeightSource:
    file_name = url.rpartition("/")[2]
    digits = re.search(r"-([0-9a-f]{8,64})\.", file_name)
    sha256 = _FULL_SHA256.get(file_name, digits[1] if digits else "")
    return WeightSource(file_name, url, sha256)


def _encoder_sources(encoder_name: str) -> dict[str, WeightSource]:
    from huggingface_hub import hf_hub_url, try_to_load_from_cache
    from segmentation_models_pytorch.encoders import encoders

    sources = {}
    # timm's encoders (tu-...) are not in this table: for them it takes a file.
    settings = encoders.get(encoder_name, {"pretrained_settings": {}})["pretrained_settings"]
    for name, place in settings.items():
        where = (place["repo_id"], "model.safetensors")
        cached = try_to_load_from_cache(*where, revision=place["revision"])
        sources[name] = WeightSource(
            file_name=f"{place['repo_id'].rpartition('/')[2]}.safetensors",
            url=hf_hub_url(*where, revision=place["revision"]),
            sha256="",
            cached=Path(cached) if isinstance(cached, str) else None,
        )
    return sources
