"""Exports a network, and writes it only if it says what the network says in torch."""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from aerialseg.data.images.resizing import resize_keep_aspect
from aerialseg.export.certificate import Bounds, Certificate, Precision, certify
from aerialseg.export.compared_images import ComparedImages, Image, generated_scenes
from aerialseg.export.quantised import Quantised, Quantiser
from aerialseg.export.traced_network import onnx_model, save_program, torch_program
from aerialseg.inference.model_metadata import ModelMetadata
from aerialseg.inference.onnx_network import INPUT, OnnxNetwork
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.probes import Probe
from aerialseg.models.normalisation import normalise
from aerialseg.storage.atomic_files import hash_file, replacing, write_bytes
from aerialseg.storage.checkpoints import check_room
from aerialseg.storage.model_seal import sealed

PROBE_SIZES = ((97, 131), (64, 96))
"""Heights and widths of the probes; the first is no multiple of a network's stride."""

MOST_FOR_RANGES = 16
"""The most images that int8 takes its ranges from."""

_GUARD = (
    "take task.precision=float32, or a wider bound: task.max_miou_difference, task.min_agreement"
)


@dataclass(frozen=True)
class Exported:
    """A model that was written.

    Attributes:
        path: Where.
        certificate: What was measured.
        tried: How int8 was tried, in words, with the certificate of each; the last was written.
    """

    path: Path
    certificate: Certificate
    tried: Sequence[tuple[str, Certificate]] = ()


@dataclass(frozen=True)
class Comparison:
    """What an export is measured on.

    Attributes:
        images: What the model and the network in torch are shown.
        bounds: What the model must keep to.
        calibration: The images that int8 takes its ranges from; None for ``images``.
        probes_from: The images that probes are cut from; None for generated scenes.
    """

    images: ComparedImages
    bounds: Bounds
    calibration: ComparedImages | None = None
    probes_from: ComparedImages | None = None


def export_onnx(
    predictor: Predictor, path: Path, comparison: Comparison, *, precision: Precision
) -> Exported:
    """Writes one ONNX file with all that prediction needs, and its certificate.

    Args:
        predictor: The network in torch, in float32 on the CPU.
        path: Of the file, which is replaced when the model has kept to its bounds.
        comparison: What it is measured on.
        precision: Of the model.

    Raises:
        AerialsegError: If the network cannot be exported, misses a bound, or there is no room.
        ConfigError: If a package of the extra ``export`` is missing.
    """
    network, channels = cast("nn.Module", predictor.network), predictor.description.channels
    model = onnx_model(network, channels, half=precision == "float16")
    serialised, tried = model.SerializeToString(), []
    if precision == "int8":
        search = _Search(predictor, comparison)
        serialised, tried = search.run(model).model, search.certificates
        _, certificate = tried[-1]
    else:
        certificate = _certified(predictor, serialised, comparison, precision)
    certificate.check("use the checkpoint" if precision == "float32" else _GUARD)
    exported = predictor.with_network(OnnxNetwork(serialised))
    metadata = _metadata(predictor, exported, certificate, comparison, tried)
    data = sealed(_with_properties(serialised, metadata.to_properties()))
    check_room(path, len(data))
    write_bytes(path, data)
    return Exported(path, certificate, tried)


def export_program(predictor: Predictor, path: Path, comparison: Comparison) -> Exported:
    """Writes a ``torch.export`` program in float32, and its certificate.

    Args:
        predictor: The network in torch, in float32 on the CPU.
        path: Of the file, which is replaced when the program has kept to its bounds.
        comparison: What it is measured on.

    Raises:
        AerialsegError: If the network cannot be exported, misses a bound, or there is no room.
    """
    network = cast("nn.Module", predictor.network)
    program = torch_program(network, predictor.description.channels)
    module = cast("Callable[[torch.Tensor], torch.Tensor]", program.module())
    exported = predictor.with_network(lambda given: {"out": module(given)})
    images, bounds = comparison.images, comparison.bounds
    certificate = certify(predictor, exported, images, precision="float32", bounds=bounds)
    certificate.check("use the checkpoint")
    metadata = _metadata(predictor, exported, certificate, comparison, ())
    check_room(path, sum(tensor.nbytes for tensor in program.state_dict.values()))
    with replacing(path) as temporary:
        # torch asks for this ending.
        named = temporary.with_name(f"{temporary.name}.pt2")
        try:
            save_program(program, named, metadata.to_properties())
            named.replace(temporary)
        finally:
            named.unlink(missing_ok=True)
    return Exported(path, certificate)


class _Search:
    """Looks for the int8 model that keeps to its bounds with the fewest nodes in float.

    Args:
        predictor: The network in torch.
        comparison: What it is measured on.
    """

    def __init__(self, predictor: Predictor, comparison: Comparison) -> None:
        self._predictor = predictor
        self._comparison = comparison
        self.certificates: list[tuple[str, Certificate]] = []

    def run(self, model: Any) -> Quantised:  # noqa: ANN401 - onnx has no types
        """The best of per tensor and per channel, or else one with nodes in float; the last tried.

        Args:
            model: In float32.
        """
        images = self._comparison.calibration or self._comparison.images
        calibration = images.evenly(MOST_FOR_RANGES)
        quantiser = Quantiser(model, INPUT, [fed(self._predictor, i) for i, _ in calibration])
        plain = [quantiser.quantise(per_channel=each) for each in (False, True)]
        best = max(plain, key=lambda each: _goodness(self._try(each)))
        if self.certificates[-1][0] != best.way:
            self.certificates.reverse()
        if not self.certificates[-1][1].failures():
            return best
        for careful in quantiser.more_careful(self._agreement):
            best = careful
            if not self._try(careful).failures():
                break
        return best

    def _try(self, quantised: Quantised) -> Certificate:
        certificate = _certified(self._predictor, quantised.model, self._comparison, "int8")
        self.certificates.append((quantised.way, certificate))
        return certificate

    def _agreement(self, quantised: Quantised) -> float:
        few = replace(self._comparison, images=self._comparison.images.evenly(4))
        found = _certified(self._predictor, quantised.model, few, "int8")
        return found.images.argmax_agreement


def _goodness(certificate: Certificate) -> float:
    """By labels where there are some, else by the share of equal pixels."""
    if certificate.labelled:
        return certificate.miou_exported
    return certificate.images.argmax_agreement


def fed(predictor: Predictor, image: Image) -> npt.NDArray[np.float32]:
    """What the network is fed for an image: ``(1, B, h, w)`` float32, resized and normalised."""
    resized = resize_keep_aspect(image, predictor.edge_of((image.shape[0], image.shape[1])))
    description = predictor.description
    batch = torch.from_numpy(np.ascontiguousarray(resized)).permute(2, 0, 1)[None]
    normalised = normalise(batch, torch.tensor(description.mean), torch.tensor(description.std))
    found: npt.NDArray[np.float32] = normalised.contiguous().numpy()
    return found


def _certified(
    predictor: Predictor, serialised: bytes, comparison: Comparison, precision: Precision
) -> Certificate:
    """The certificate of a model's bytes."""
    exported = predictor.with_network(OnnxNetwork(serialised))
    images, bounds = comparison.images, comparison.bounds
    return certify(predictor, exported, images, precision=precision, bounds=bounds)


def _metadata(
    predictor: Predictor,
    exported: Predictor,
    certificate: Certificate,
    comparison: Comparison,
    tried: Sequence[tuple[str, Certificate]],
) -> ModelMetadata:
    """What is written into the file beside the graph."""
    probes = []
    for index, size in enumerate(PROBE_SIZES):
        shown = comparison.probes_from or generated_scenes(predictor.description.channels)
        image = cut(shown.load(index % shown.count)[0], size)
        mask = exported.labels(exported.batch_logits(image[None]), size)
        probes.append(Probe(image, mask))
    facts: dict[str, Any] = {
        **certificate.to_mapping(),
        "checkpoint_sha256": hash_file(predictor.checkpoint),
        "machine": platform.machine(),
        "versions": {name: _version(name) for name in ("aerialseg", "torch", "onnxruntime")},
    }
    if tried:
        facts["quantisation"] = tried[-1][0]
        facts["tried"] = [
            {
                "way": way,
                "argmax_agreement": each.images.argmax_agreement,
                "miou_difference": each.miou_difference,
            }
            for way, each in tried
        ]
    return ModelMetadata(predictor.description, facts, probes)


def cut(image: Image, size: tuple[int, int]) -> Image:
    """A middle piece of an image at half its size, or at the size of which it fits."""
    edge = max(min(image.shape[:2]) // 2, *size)
    shrunk = resize_keep_aspect(image, edge)
    top, left = ((have - want) // 2 for have, want in zip(shrunk.shape[:2], size, strict=True))
    return np.ascontiguousarray(shrunk[top : top + size[0], left : left + size[1]])


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:  # torch.export needs no onnxruntime
        return None


def _with_properties(serialised: bytes, properties: dict[str, str]) -> bytes:
    """The model with these texts as its metadata."""
    import onnx

    model = onnx.load_model_from_string(serialised)
    onnx.helper.set_model_props(model, properties)
    model.producer_name, model.producer_version = "aerialseg", version("aerialseg")
    found: bytes = model.SerializeToString()
    return found
