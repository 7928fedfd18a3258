"""Predicts masks at the images' original size from a checkpoint, or from an exported model."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from annotated_types import Ge

from aerialseg.classes import ClassTable
from aerialseg.data.images.resizing import resize_keep_aspect
from aerialseg.errors import AerialsegError, CheckpointError
from aerialseg.inference.image_reading import reading_as_trained
from aerialseg.inference.image_scale import network_edge
from aerialseg.inference.opened_network import Network, open_network
from aerialseg.inference.trained_network import class_table_of
from aerialseg.kernels.upsampling import most_likely, upsample
from aerialseg.models.normalisation import normalise
from aerialseg.values.checked_calls import checked

Precision: TypeAlias = Literal["32-true", "32", 32, "bf16-mixed", "bf16", "16-mixed", "16", 16]
"""Names of Lightning: float32, or mixed with bfloat16 or float16."""

_HALF = {
    "bf16": torch.bfloat16,
    "bf16-mixed": torch.bfloat16,
    "16": torch.float16,
    "16-mixed": torch.float16,
}


_NO_MEMORY = "DefaultCPUAllocator: can't allocate memory"
"""What torch says on the CPU, where it has no class of its own for this."""


class Predictor:
    """Segments images of any size with the network of a checkpoint.

    Args:
        checkpoint: Path of a checkpoint of this project, or of a model (``.onnx``) that
            ``task=export`` wrote, which runs in ONNX Runtime.
        device: A torch device, such as ``cpu`` or ``cuda``. An exported model runs on the CPU.
        precision: As in Lightning: ``32-true``, or ``bf16-mixed`` or ``16-mixed`` for speed, which
            changes the class of about one pixel in two hundred. An exported model has its own.
        image_min_size: The smaller edge that images are resized to, in pixels; ``None`` for that of
            training. Of a network that was trained on windows of large images, that is the edge of
            a window; larger images are resized by as much.
        cache_dir: Where it is kept that an exported model was right about its probes on this
            machine; None checks them each time.

    Attributes:
        checkpoint: Its path.
        image_min_size: The smaller edge that images are resized to, in pixels; ``None`` if they
            are not.
        classes: What it was trained on.
        reading: How files are read as for training: bands, values and orientation.
        precision: As it was given.
        network: From normalised images to ``{"out": logits}``, in torch with BatchNorm folded into
            the convolutions, or in ONNX Runtime.

    Raises:
        CheckpointError: If the checkpoint cannot be read, names a network that is not registered
            or does not fit it; if an exported model was altered, or gives other masks for its
            probes than where it was exported.
        ConfigError: If a package that it needs is missing, or the one that the network comes from
            is broken.
        ValueError: If an argument is not of its kind, or ``precision`` is none of these.
    """

    @checked
    def __init__(
        self,
        checkpoint: str | Path,
        *,
        device: str = "cpu",
        precision: Precision = "32-true",
        image_min_size: Annotated[int, Ge(1)] | None = None,
        cache_dir: Path | None = None,
    ) -> None:
        checkpoint = Path(checkpoint).expanduser()
        opened = open_network(checkpoint, device=device, cache_dir=cache_dir)
        self.checkpoint = checkpoint
        self.description = opened.description
        self.image_min_size = image_min_size or self.description.image_min_size
        self._chosen = image_min_size
        self.classes = class_table_of(self.description, checkpoint)
        self.reading = reading_as_trained(self.description)
        self.device, self.network = opened.device, opened.network
        self.precision = precision
        self._half = _HALF.get(str(precision))
        self._mean = torch.tensor(self.description.mean, device=self.device)
        self._std = torch.tensor(self.description.std, device=self.device)

    def with_network(self, network: Network) -> "Predictor":
        """The same predictor with its network in another runtime.

        Args:
            network: From normalised images to ``{"out": logits}``, on the predictor's device.
        """
        other = copy.copy(self)
        other.network = network
        return other

    def predict(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Segments one image.

        The image is resized as :meth:`edge_of` says. The logits are upsampled to the original
        size before the argmax, so that borders are smooth.

        Args:
            image: ``(H, W, 3)`` uint8 RGB, at least one pixel; ``(H, W, B)`` uint8 of a
                checkpoint that was trained on other bands, mapped to 0..255 as for training, which
                ``read_image(path, predictor.reading)`` of ``aerialseg.data.images.reading`` does.

        Returns:
            ``(H, W)`` uint8 class ids at the image's original size.

        Raises:
            AerialsegError: If it does not fit into memory.
            ValueError: If it is anything else.
        """
        return self.labels(self.logits(image), (image.shape[0], image.shape[1]))

    def predict_with_confidence(
        self, image: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Segments one image and says how sure the network is of each pixel.

        Args:
            image: As :meth:`predict` takes it.

        Returns:
            The class ids of :meth:`predict`, and ``(H, W)`` uint8, 0 to 255: the largest of the
            class probabilities, computed at the size of the network's output and upsampled.

        Raises:
            AerialsegError: As of :meth:`predict`.
            ValueError: Likewise.
        """
        logits, size = self.logits(image), (image.shape[0], image.shape[1])
        labels = self.labels(logits, size)
        with self._enough_memory(size):
            return labels, _confidence(logits, size)

    @torch.inference_mode()
    def logits(self, image: npt.NDArray[np.uint8]) -> torch.Tensor:
        """What the network returns for one image, resized as :meth:`edge_of` says.

        Args:
            image: As :meth:`predict` takes it.

        Returns:
            ``(1, C, h, w)`` float on the predictor's device, at the size of the network's output.

        Raises:
            AerialsegError: As of :meth:`predict`.
            ValueError: Likewise.
        """
        _check_image(image, self.description.channels)
        return self.logits_of(image[None])

    @torch.inference_mode()
    def logits_of(self, images: npt.NDArray[np.uint8]) -> torch.Tensor:
        """What the network returns for images of one size, resized as :meth:`edge_of` says.

        Args:
            images: ``(N, H, W, B)`` uint8, each as :meth:`predict` takes it.

        Returns:
            ``(N, C, h, w)`` float as of :meth:`logits`.

        Raises:
            AerialsegError: As of :meth:`predict`, of all images together.
        """
        size = (images.shape[1], images.shape[2])
        edge = self.edge_of(size)
        resized = np.stack([resize_keep_aspect(image, edge) for image in images])
        with self._enough_memory(size):
            return self.batch_logits(resized)

    @torch.inference_mode()
    def batch_logits(self, images: npt.NDArray[np.uint8]) -> torch.Tensor:
        """What the network returns for images as they are, without resizing.

        Args:
            images: ``(N, h, w, B)`` uint8, each as :meth:`predict` takes it.

        Returns:
            ``(N, C, h', w')`` float on the predictor's device, at the size of the network's output.
        """
        batch = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
        normalised = normalise(batch.to(self.device), self._mean, self._std)
        with torch.autocast(self.device.type, self._half, enabled=self._half is not None):
            return self.network(normalised)["out"]

    def labels(self, logits: torch.Tensor, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """The most likely class of each pixel, of what :meth:`logits` returned.

        Args:
            logits: ``(1, C, h, w)`` float.
            size: Height and width of the image, to which they are upsampled.

        Returns:
            ``(H, W)`` uint8 class ids.

        Raises:
            AerialsegError: As of :meth:`predict`.
        """
        with self._enough_memory(size):
            found: npt.NDArray[np.uint8] = most_likely(logits, size)[0].cpu().numpy()
        return found

    @contextmanager
    def _enough_memory(self, size: tuple[int, int]) -> Iterator[None]:
        """Says in one line if an image does not fit into memory."""
        try:
            yield
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or _NO_MEMORY in str(error):
                height, width = size
                raise AerialsegError(
                    f"an image of {width}x{height} pixels needs more memory than the device "
                    f"({self.device}) has; cut it into tiles"
                ) from error
            raise

    def edge_of(self, size: tuple[int, int]) -> int | None:
        """The smaller edge that an image of this height and width is resized to, in pixels.

        Returns:
            ``None`` if it is not resized.
        """
        return network_edge(size, self.description, self._chosen)

    def check_classes(self, classes: ClassTable) -> None:
        """Checks that data have the classes that the network was trained on.

        Raises:
            CheckpointError: If the number or a name differs; says which is the first.
        """
        pairs = zip_longest(self.classes.names, classes.names)
        for index, (trained, found) in enumerate(pairs):
            if trained != found:
                raise CheckpointError(
                    f"{self.checkpoint}: was trained on {len(self.classes)} classes, the data has "
                    f"{len(classes)}; the first difference is class {index}: {_quoted(trained)} "
                    f"in the checkpoint, {_quoted(found)} in the data; choose the data it was "
                    "trained on with data=NAME or experiment=NAME, or merge and rename classes "
                    "with data.map_classes"
                )


def native_device(accelerator: str = "auto") -> str:
    """The torch device for a value of ``trainer.accelerator``."""
    wants_gpu = accelerator in ("auto", "gpu", "cuda")
    return "cuda" if wants_gpu and torch.cuda.is_available() else "cpu"


@torch.inference_mode()
def _confidence(logits: torch.Tensor, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The largest class probability of each pixel, 0 to 255, of ``(1, C, H, W)`` logits."""
    largest = logits.float().softmax(1).amax(1, keepdim=True)
    upsampled = upsample(largest, size)[0, 0]
    confidence: npt.NDArray[np.uint8] = (upsampled * 255).round().byte().cpu().numpy()
    return confidence


def _check_image(image: object, channels: int) -> None:
    """Refuses what is no image of bytes: it would give a mask that only looks right."""
    got = f"a {type(image).__name__}"
    if isinstance(image, np.ndarray):
        is_image = image.ndim == 3 and image.shape[2] == channels and image.size > 0
        if is_image and image.dtype == np.uint8:
            return
        got = f"a {image.dtype} array of shape {image.shape}"
    if channels != 3:
        raise ValueError(
            f"image: got {got}; wanted a uint8 array of shape (H, W, {channels}), the bands that "
            "the checkpoint was trained on; read a file by aerialseg.data.images.reading."
            "read_image(path, predictor.reading)"
        )
    raise ValueError(
        f"image: got {got}; wanted a uint8 array of shape (H, W, 3), RGB from 0 to 255; read a "
        "file by np.asarray(PIL.Image.open(path).convert('RGB')), turn floats from 0 to 1 into "
        "(image * 255).round().astype(np.uint8)"
    )


def _quoted(name: str | None) -> str:
    return "none" if name is None else f"'{name}'"
