"""Opens what prediction reads, a checkpoint of training or an exported ONNX model, as one thing."""

import logging
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from aerialseg.data.cache.store import entry_folder, find_entry, keep_entry
from aerialseg.data.notices import say_once
from aerialseg.errors import CheckpointError
from aerialseg.inference.model_metadata import ModelMetadata
from aerialseg.inference.onnx_network import OnnxNetwork, onnxruntime
from aerialseg.inference.trained_network import class_table_of, rebuilt
from aerialseg.kernels.folding import fold_batchnorm
from aerialseg.kernels.upsampling import most_likely
from aerialseg.models.normalisation import normalise
from aerialseg.storage.checkpoints import (
    Description,
    network_state,
    read_checkpoint,
    read_description,
)
from aerialseg.storage.model_seal import SUFFIX, check_seal

logger = logging.getLogger(__name__)

Network: TypeAlias = Callable[[Tensor], Mapping[str, Tensor]]
"""From normalised images ``(N, B, H, W)`` to ``{"out": logits}``: in torch, or another runtime."""

PROBE_AGREEMENT = {"float32": 0.995, "float16": 0.98, "int8": 0.95}
"""The share of a probe's pixels that must have the class of the exporting machine, by precision.

Processors add in another order, so that pixels between two classes may change sides; kernels for
fewer bits differ more. What another runtime or a wrong layout gets wrong is far below.
"""

_KIND = "checked_models"


@dataclass(frozen=True, eq=False)
class OpenedNetwork:
    """A network that is ready to run.

    Attributes:
        description: What it was trained on, and how images reach it.
        network: In eval mode.
        device: Where it runs.
    """

    description: Description
    network: Network
    device: torch.device


def open_network(path: Path, *, device: str, cache_dir: Path | None = None) -> OpenedNetwork:
    """The network of a checkpoint, or an exported model, which its name's ending tells apart.

    Args:
        path: Of the file.
        device: A torch device; an exported model runs on the CPU.
        cache_dir: Where it is kept that the probes of an exported model were right on this machine;
            None checks them each time.

    Raises:
        CheckpointError: If it cannot be read, was altered, or is wrong about its probes.
        ConfigError: If a package that it needs is missing or broken.
    """
    if path.suffix.lower() == SUFFIX:
        return _open_model(path, device, cache_dir)
    content = read_checkpoint(path)
    description = read_description(content, path)
    class_table_of(description, path)  # quicker than building a network, so it is asked first
    network = rebuilt(description, network_state(content), path).eval()
    fold_batchnorm(network)
    place = torch.device(device)
    return OpenedNetwork(
        description, network.to(place).to(memory_format=torch.channels_last), place
    )


def _open_model(path: Path, device: str, cache_dir: Path | None) -> OpenedNetwork:
    """Opens an exported model after its seal and, at first on a machine, its probes are checked."""
    runtime = onnxruntime()
    digest = check_seal(path)
    network = OnnxNetwork(path)
    metadata = network.metadata(path)
    if device != "cpu":
        say_once(logger, logging.INFO, f"{path}: runs in ONNX Runtime, on the CPU")
    machine = (platform.node(), platform.machine(), runtime.__version__)
    folder = None if cache_dir is None else entry_folder(cache_dir, _KIND, digest, machine)
    if folder is None or find_entry(folder, again="the probes are checked") is None:
        _check_probes(path, metadata, network)
        if folder is not None:
            keep_entry(folder, lambda writer: {"probes": len(metadata.probes)})
    return OpenedNetwork(metadata.description, network, torch.device("cpu"))


@torch.inference_mode()
def _check_probes(path: Path, metadata: ModelMetadata, network: OnnxNetwork) -> None:
    """Raises CheckpointError if the model gives other masks here than where it was exported."""
    description = metadata.description
    wanted = PROBE_AGREEMENT.get(str(metadata.certificate.get("precision")), 1.0)
    mean, std = torch.tensor(description.mean), torch.tensor(description.std)
    for number, probe in enumerate(metadata.probes, start=1):
        batch = torch.from_numpy(probe.image.copy()).permute(2, 0, 1)[None]
        logits = network(normalise(batch, mean, std))["out"]
        found = most_likely(logits, probe.mask.shape)[0].numpy()
        agreement = float((found == probe.mask).mean())
        if agreement < wanted:
            raise CheckpointError(
                f"{path}: gives another mask on this machine than where it was exported: "
                f"{agreement:.1%} of the pixels of probe {number} of {len(metadata.probes)} agree, "
                f"wanted {wanted:.1%}; update onnxruntime, or predict with the checkpoint it was "
                "exported from"
            )
