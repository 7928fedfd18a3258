"""Encoder-decoder networks of segmentation-models-pytorch: U-Net, FPN, SegFormer and others."""

from collections.abc import Iterable
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from aerialseg.errors import ConfigError, did_you_mean
from aerialseg.models.weights.sources import WeightSource

_SHOWN = 12  # names listed in an error


def segmentation_models_pytorch(
    num_classes: int, *, architecture: str, encoder_name: str
) -> "EncoderDecoder":
    """Any architecture of segmentation-models-pytorch on any of its encoders; no auxiliary head.

    Parameters have that package's names, so weights can be exchanged with it. In YAML::

        network:
          _target_: aerialseg.models.networks.segmentation_models_pytorch
          architecture: unet
          encoder_name: resnet18

    Args:
        num_classes: How many classes there are, the background included.
        architecture: A name that ``create_model`` accepts: unet, fpn, deeplabv3plus, segformer, ...
        encoder_name: One of its encoders, or ``tu-`` and the name of a timm network.

    Raises:
        ConfigError: If the package is missing, a name is unknown or the two cannot be combined.
    """
    try:
        import segmentation_models_pytorch as smp
    except ImportError:
        raise ConfigError(
            "network: segmentation-models-pytorch is not installed; "
            'run `pip install -e ".[models]"` or pick another model'
        ) from None
    _check_is_bare_name(encoder_name)
    _check_known("architecture", architecture, smp.MODEL_ARCHITECTURES_MAPPING)
    if not encoder_name.startswith("tu-"):
        _check_known("encoder_name", encoder_name, smp.encoders.get_encoder_names())
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


class EncoderDecoder(nn.Module):
    """An encoder, a decoder and a head; returns ``{"out": logits}``.

    Args:
        encoder: Returns feature maps.
        decoder: Merges the feature maps into one.
        segmentation_head: Computes logits at the size of the encoder's input.
        stride: The stride of the coarsest feature map.
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
        """Logits of an image of any size.

        Args:
            image: ``(N, 3, H, W)`` float, normalised.

        Returns:
            ``{"out": logits}``, the logits ``(N, C, H, W)``.
        """
        height, width = image.shape[-2:]
        # Most of these decoders need multiples of the stride. Zero is the mean colour.
        padded = F.pad(image, (0, -width % self.stride, 0, -height % self.stride))
        features = self.encoder(padded)
        # A vision transformer returns its prefix tokens beside the feature maps.
        decoded = self.decoder(*features) if isinstance(features, tuple) else self.decoder(features)
        return {"out": self.segmentation_head(decoded)[..., :height, :width]}

    def published_weights(self) -> dict[str, WeightSource]:
        """The weights that the package publishes for the encoder, by name, such as ``imagenet``."""
        from segmentation_models_pytorch.encoders import encoders

        # timm's encoders (tu-...) are not in this table; their weights come from a file.
        settings = encoders.get(self.encoder_name, {"pretrained_settings": {}})
        places = settings["pretrained_settings"].items()
        return {name: _hub_source(place["repo_id"], place["revision"]) for name, place in places}


def _hub_source(repository: str, revision: str) -> WeightSource:
    """A file on the Hugging Face Hub, or in its local cache."""
    from huggingface_hub import hf_hub_url, try_to_load_from_cache

    cached = try_to_load_from_cache(repository, "model.safetensors", revision=revision)
    return WeightSource(
        file_name=f"{repository.rpartition('/')[2]}.safetensors",
        url=hf_hub_url(repository, "model.safetensors", revision=revision),
        sha256="",
        cached=Path(cached) if isinstance(cached, str) else None,
        part="encoder",
    )


def _check_is_bare_name(encoder_name: str) -> None:
    if ":" in encoder_name:  # timm would query a hub, or read a folder, even for random weights
        raise ConfigError(
            f"network: encoder_name '{encoder_name}' is a location to load from; wanted the bare "
            "name of an encoder; give its weights with model.weights=FILE"
        )


def _check_known(key: str, name: str, known: Iterable[str]) -> None:
    """Raises ConfigError unless ``name`` is one of ``known``."""
    names = list(known)
    if name not in names:
        first = ", ".join(names[:_SHOWN])
        hint = did_you_mean(name, names) or f"; known: {first} and {len(names) - _SHOWN} more"
        raise ConfigError(f"network: segmentation-models-pytorch has no {key} '{name}'{hint}")
