"""Predicts masks at the images' original size from a checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from aerialseg.classes import ClassTable
from aerialseg.data.images.resizing import resize_keep_aspect
from aerialseg.errors import CheckpointError, DataError
from aerialseg.kernels.folding import fold_batchnorm
from aerialseg.kernels.upsampling import most_likely
from aerialseg.models.networks.registry import ACCEPTED, find_builder
from aerialseg.models.normalisation import normalise
from aerialseg.storage.checkpoints import (
    Description,
    network_state,
    read_checkpoint,
    read_description,
)

_HALF = {
    "bf16": torch.bfloat16,
    "bf16-mixed": torch.bfloat16,
    "16": torch.float16,
    "16-mixed": torch.float16,
}


class Predictor:
    """Segments images of any size with the network of a checkpoint.

    Args:
        checkpoint: Path of a checkpoint of this project.
        device: A torch device, such as ``cpu`` or ``cuda``.
        precision: As in Lightning: ``32-true``, or ``bf16-mixed`` or ``16-mixed`` for speed, which
            changes the class of about one pixel in two hundred.

    Attributes:
        network: In eval mode, with BatchNorm folded into the convolutions.

    Raises:
        CheckpointError: If the checkpoint cannot be read, names a network that is not registered
            or does not fit it.
        ConfigError: If the installed package that the network comes from is broken.
    """

    def __init__(
        self, checkpoint: Path, *, device: str = "cpu", precision: str | int = "32-true"
    ) -> None:
        content = read_checkpoint(checkpoint)
        self.description = read_description(content, checkpoint)
        self.classes = _class_table(self.description, checkpoint)
        self.device = torch.device(device)
        network = _build(self.description, network_state(content), checkpoint).eval()
        fold_batchnorm(network)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)
        self._half = _HALF.get(str(precision))
        self._mean = torch.tensor(self.description.mean, device=self.device)
        self._std = torch.tensor(self.description.std, device=self.device)

    @torch.inference_mode()
    def predict(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Segments one image.

        The image is resized as in training. The logits are upsampled to the original size before
        the argmax, so that borders are smooth.

        Args:
            image: ``(H, W, 3)`` uint8 RGB.

        Returns:
            ``(H, W)`` uint8 class ids at the image's original size.
        """
        height, width = image.shape[:2]
        resized = resize_keep_aspect(image, self.description.image_min_size)
        batch = torch.from_numpy(np.ascontiguousarray(resized)).permute(2, 0, 1)[None]
        normalised = normalise(batch.to(self.device), self._mean, self._std)
        with torch.autocast(self.device.type, self._half, enabled=self._half is not None):
            logits = self.network(normalised)["out"]
        labels: npt.NDArray[np.uint8] = most_likely(logits, (height, width))[0].cpu().numpy()
        return labels


def native_device(accelerator: str = "auto") -> str:
    """The torch device for a value of ``trainer.accelerator``."""
    wants_gpu = accelerator in ("auto", "gpu", "cuda")
    return "cuda" if wants_gpu and torch.cuda.is_available() else "cpu"


def _class_table(description: Description, checkpoint: Path) -> ClassTable:
    try:
        return ClassTable.from_mapping(description.classes)
    except DataError as error:
        raise CheckpointError(
            *(f"{checkpoint}: its {problem}" for problem in error.problems)
        ) from None


def _build(description: Description, state: Mapping[str, Tensor], checkpoint: Path) -> nn.Module:
    """Rebuilds the network of a checkpoint and loads its weights."""
    arguments: dict[str, Any] = dict(description.network)
    target = str(arguments.pop("_target_", ""))
    builder = find_builder(target)
    # Untrusted files may only refer to registered builders, never to arbitrary functions.
    if builder is None:
        raise CheckpointError(f"{checkpoint}: names the network '{target}'; {ACCEPTED}")
    try:
        network = cast("nn.Module", builder(**arguments))
        network.load_state_dict(state)
    except Exception as error:  # builders raise many types for arguments they do not expect
        reason = " ".join(str(error).split())[:160]
        raise CheckpointError(
            f"{checkpoint}: does not fit the network it describes: {reason}; get it again, or use "
            "the release of aerialseg that wrote it"
        ) from error
    return network
