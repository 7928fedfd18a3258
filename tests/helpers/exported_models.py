"""Checkpoints of a small network that is registered for a test, and models exported from them."""

from pathlib import Path

import numpy as np
import onnx
import torch

from aerialseg.export.certificate import BOUNDS
from aerialseg.export.compared_images import ComparedImages, generated_scenes
from aerialseg.export.model_export import Comparison, export_onnx
from aerialseg.inference.predictor import Predictor
from aerialseg.storage.checkpoints import write_checkpoint
from aerialseg.storage.model_seal import sealed
from helpers.tiny_training import (
    SmallNetwork,
    checkpoint_of,
    describe_run,
    show_images,
    small_network,
)

TARGET = "small.network"


def register(patch):
    """Lets checkpoints name the small network, until ``patch`` is undone."""
    patch.setattr("aerialseg.inference.trained_network.find_builder", lambda _: SmallNetwork)


def sure_network():
    """A small network whose classes are far apart and all occur."""
    network = small_network()
    show_images(network)
    network.eval()
    with torch.no_grad():
        logits = network(scene_batch())["out"]
        network.classifier.weight /= logits.std() / 4
        network.classifier.bias /= logits.std() / 4
        network.classifier.bias -= network(scene_batch())["out"].mean((0, 2, 3))
    return network


def scene_batch():
    """``(2, 3, 288, 384)`` float32, normalised as the description says."""
    images = np.stack([generated_scenes(3).load(index)[0] for index in range(2)])
    scaled = (images / 255 - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.4]
    return torch.from_numpy(scaled.transpose(0, 3, 1, 2)).float()


def write_small(path: Path, network=None, **changes) -> Path:
    """Writes a checkpoint of the small network."""
    description = describe_run(network={"_target_": TARGET, "num_classes": 3}, **changes)
    write_checkpoint(path, checkpoint_of(network or sure_network(), description))
    return path


def export_small(checkpoint: Path, path: Path, images: ComparedImages | None = None, **changes):
    """Exports a checkpoint; ``changes`` are precision and parts of the comparison."""
    precision = changes.pop("precision", "float32")
    bounds = changes.pop("bounds", BOUNDS[precision])
    comparison = Comparison(images or generated_scenes(3).evenly(2), bounds, **changes)
    return export_onnx(Predictor(checkpoint), path, comparison, precision=precision)


def with_properties(path: Path, other: Path, **changes) -> Path:
    """A copy of a model with other metadata, sealed as if it had been exported so."""
    model = onnx.load(path)
    found = {entry.key: entry.value for entry in model.metadata_props}
    found.pop("aerialseg.sha256")
    onnx.helper.set_model_props(model, found | changes)
    other.write_bytes(sealed(model.SerializeToString()))
    return other
