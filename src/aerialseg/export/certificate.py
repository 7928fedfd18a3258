"""Measures whether an exported model says what its network says in torch."""

from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from aerialseg.data.images.resizing import resize_to
from aerialseg.errors import AerialsegError
from aerialseg.export.compared_images import ComparedImages
from aerialseg.inference.predictor import Predictor
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import mean_iou

Precision: TypeAlias = Literal["float32", "float16", "int8"]

SIZES = ((64, 64), (97, 131), (33, 200), (161, 95), (256, 192))
"""Heights and widths that are compared, most of them no multiple of a network's stride."""


@dataclass(frozen=True)
class Bounds:
    """What an exported model must keep to.

    Attributes:
        logit_difference: The largest difference of a logit, as a share of the largest logit, or of
            1 if that is larger; None where bits were given up.
        argmax_agreement: The least share of pixels with the same class.
        miou_difference: The most by which the mIoU may differ, in either direction.
    """

    logit_difference: float | None
    argmax_agreement: float
    miou_difference: float


BOUNDS: dict[Precision, Bounds] = {
    "float32": Bounds(1e-4, 0.999, 0.001),
    "float16": Bounds(None, 0.99, 0.005),
    "int8": Bounds(None, 0.95, 0.02),
}


@dataclass(frozen=True)
class Parity:
    """How far two runtimes agree on some images.

    Attributes:
        max_logit_difference: The largest, at the size of the network's output.
        largest_logit: Of the network in torch, by absolute value.
        argmax_agreement: The share of pixels, at the size of the image, with the same class.
    """

    max_logit_difference: float
    largest_logit: float
    argmax_agreement: float


@dataclass(frozen=True)
class Certificate:
    """What was measured.

    Attributes:
        precision: Of the exported model.
        bounds: What it had to keep to.
        sizes: By ``batch x height x width``, at the sizes of :data:`SIZES`.
        images: On the images.
        source: What images they are.
        labelled: Whether their labels are known; if not, the masks of torch stand for them.
        miou_torch: mIoU of the network in torch; 1 without labels.
        miou_exported: mIoU of the exported model.
    """

    precision: Precision
    bounds: Bounds
    sizes: dict[str, Parity]
    images: Parity
    source: str
    labelled: bool
    miou_torch: float
    miou_exported: float

    @property
    def miou_difference(self) -> float:
        """How much mIoU changes."""
        return abs(self.miou_torch - self.miou_exported)

    def failures(self) -> list[str]:
        """Which bounds are missed, in words."""
        bounds, found = self.bounds, []
        cases = {**self.sizes, self.source: self.images}
        for name, parity in cases.items():
            scale = max(1.0, parity.largest_logit)
            limit = bounds.logit_difference
            if limit is not None and not parity.max_logit_difference <= limit * scale:
                found.append(
                    f"logits differ by {parity.max_logit_difference:.3g} at {name}, wanted at most "
                    f"{limit * scale:.3g}"
                )
        # With fewer bits, labels say better than pixels whether anything was lost.
        by_labels = self.labelled and bounds.logit_difference is None
        agreement = self.images.argmax_agreement
        if not by_labels and not agreement >= bounds.argmax_agreement:
            found.append(
                f"{agreement:.2%} of the pixels of {self.source} have the same class, wanted "
                f"{bounds.argmax_agreement:.2%}"
            )
        if self.labelled and not self.miou_difference <= bounds.miou_difference:
            found.append(
                f"mIoU on {self.source} is {self.miou_exported:.4f} instead of "
                f"{self.miou_torch:.4f}, wanted within {bounds.miou_difference:g}"
            )
        return found

    def check(self, advice: str) -> None:
        """Raises AerialsegError if a bound is missed.

        Args:
            advice: What else to do.
        """
        if failures := self.failures():
            raise AerialsegError(
                f"export: the {self.precision} model misses its bound: {'; '.join(failures)}; "
                f"nothing was written; {advice}"
            )

    def to_mapping(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "miou_difference": self.miou_difference}


def certify(
    reference: Predictor,
    exported: Predictor,
    images: ComparedImages,
    *,
    precision: Precision,
    bounds: Bounds,
) -> Certificate:
    """Compares an exported model with its network.

    Args:
        reference: The network in torch, in float32 on the CPU.
        exported: The same with the exported model in its place.
        images: What both are shown, resized as in prediction; the first ones also at other sizes.
        precision: Of the exported model.
        bounds: What it has to keep to; that it does is not asked here.
    """
    sizes = {}
    first = [image for image, _ in islice(images, 2)]
    for number, size in enumerate(SIZES):
        shown = [resize_to(image, size, is_mask=False) for image in first[: 1 + number % 2]]
        batch = np.stack(shown)
        name = f"{len(batch)}x{size[0]}x{size[1]}"
        logits = [reference.batch_logits(batch), _exported_logits(exported, batch, name)]
        sizes[name] = _parity(logits, [_masks(reference, each, size) for each in logits])
    matrices = torch.zeros(2, len(reference.classes), len(reference.classes), dtype=torch.int64)
    found = []
    for image, labels in images:
        logits = [each.logits(image) for each in (reference, exported)]
        masks = [_masks(reference, each, image.shape[:2]) for each in logits]
        truth = masks[0] if labels is None else torch.from_numpy(labels)[None]
        matrices += torch.stack([confusion_matrix(mask, truth, len(matrices[0])) for mask in masks])
        found.append((_parity(logits, masks), masks[0].numel()))
    miou_torch, miou_exported = mean_iou(matrices).tolist()
    return Certificate(
        precision,
        bounds,
        sizes,
        _joined(found),
        images.source,
        images.are_labelled,
        miou_torch,
        miou_exported,
    )


def _exported_logits(exported: Predictor, batch: npt.NDArray[np.uint8], name: str) -> Tensor:
    """What an exported model returns for a batch, or one line that says that it does not."""
    try:
        return exported.batch_logits(batch)
    except Exception as error:  # each runtime has its own
        reason = " ".join(str(error).split())[:160]
        raise AerialsegError(
            f"export: the exported model cannot run images of {name}: {reason}; nothing was "
            "written; try the other task.format"
        ) from error


def _masks(predictor: Predictor, logits: Tensor, size: tuple[int, int]) -> Tensor:
    """``(N, H, W)`` class ids of ``(N, C, h, w)`` logits."""
    return torch.stack([torch.from_numpy(predictor.labels(each[None], size)) for each in logits])


def _parity(logits: list[Tensor], masks: list[Tensor]) -> Parity:
    """Of the logits and masks of torch, and those of the exported model."""
    ours, theirs = logits
    if ours.shape != theirs.shape:
        raise AerialsegError(
            f"export: the exported model returns logits of shape {tuple(theirs.shape)}, the "
            f"network in torch {tuple(ours.shape)}"
        )
    return Parity(
        float((ours - theirs).abs().max()),
        float(ours.abs().max()),
        float((masks[0] == masks[1]).double().mean()),
    )


def _joined(found: list[tuple[Parity, int]]) -> Parity:
    """The parity of several images, each with its number of pixels."""
    pixels = sum(count for _, count in found)
    return Parity(
        max(parity.max_logit_difference for parity, _ in found),
        max(parity.largest_logit for parity, _ in found),
        sum(parity.argmax_agreement * count for parity, count in found) / pixels,
    )
