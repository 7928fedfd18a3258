"""The mean of what several networks say about several views of an image."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

import numpy as np
import numpy.typing as npt
import torch

from aerialseg.data.images.resizing import resize_keep_aspect
from aerialseg.durations import counted
from aerialseg.errors import CheckpointError
from aerialseg.inference.image_views import SINGLE_VIEW, Views
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.tiles.tiling import tiling_as_trained
from aerialseg.kernels.upsampling import upsample
from aerialseg.storage.checkpoints import Description
from aerialseg.storage.seen_images import as_lists, seen_by_any


class AveragedPredictor(Predictor):
    """Segments images by the mean of class probabilities over networks and views.

    It is used as a :class:`Predictor`. Its logits are the logarithms of the mean probabilities, so
    that classes, confidence and uncertainty of them are those of the mean.

    Args:
        members: Networks of the same classes that read files alike, one or more. They may differ
            in anything else; each resizes images by its own rule.
        views: What each of them sees of an image.

    Attributes:
        members: As given.
        views: Likewise.
        description: That of the first member, but for the images that the members have seen: those
            that any was trained on count as trained on.

    Raises:
        CheckpointError: If the classes differ, in names or order, or files are read differently.
    """

    def __init__(self, members: Sequence[Predictor], views: Views = SINGLE_VIEW) -> None:
        # The constructor of a predictor opens a checkpoint; here there are networks already, and
        # no `network` of its own, so that nothing can take one member for all of them.
        first = members[0]
        for member in members[1:]:
            _check_alike(first, member)
        self.members, self.views = tuple(members), views
        self.checkpoint, self.classes = first.checkpoint, first.classes
        self.reading, self.device = first.reading, first.device
        self.image_min_size, self._chosen = first.image_min_size, first._chosen
        self.precision = first.precision
        self.description = _described(members)

    @torch.inference_mode()
    def logits_of(self, images: npt.NDArray[np.uint8]) -> torch.Tensor:
        """The logarithms of the mean probabilities for images of one size.

        Args:
            images: As :meth:`Predictor.logits_of` takes them.

        Returns:
            ``(N, C, h, w)`` float32 at the size of the largest output of a network.

        Raises:
            AerialsegError: As of :meth:`predict`.
        """
        size = (images.shape[1], images.shape[2])
        edges = [member.edge_of(size) or min(size) for member in self.members]
        with self._enough_memory(size):
            return self._mean_of(images, edges)

    @torch.inference_mode()
    def batch_logits(self, images: npt.NDArray[np.uint8]) -> torch.Tensor:
        """The logarithms of the mean probabilities for images as the first network sees them.

        The others see them larger or smaller by as much as things were in their training, and
        views of other scales are resized from these images, which may hold less than the originals.

        Args:
            images: ``(N, h, w, B)`` uint8, such as tiles, resized for the first member.

        Returns:
            ``(N, C, h', w')`` float32 at the size of the largest output of a network.

        Raises:
            AerialsegError: If it depends on the original how much members resize it differently.
        """
        edge = min(images.shape[1:3])
        factors = [_size_relative_to(self.members[0], member) for member in self.members]
        return self._mean_of(images, [edge * factor for factor in factors])

    def _mean_of(self, images: npt.NDArray[np.uint8], edges: Sequence[float]) -> torch.Tensor:
        """The mean over members and views; ``edges`` are the smaller edges that members see."""
        # Only a sum of each size is kept, and the order of members and views does not matter.
        sums: dict[tuple[int, ...], torch.Tensor] = {}
        for member, edge in zip(self.members, edges, strict=True):
            for scale in self.views.scales:
                to = max(1, round(edge * scale))
                seen = np.stack([resize_keep_aspect(image, to) for image in images])
                for mirror in self.views.mirrors:
                    logits = member.batch_logits(mirror.of_images(seen))
                    found = mirror.of_logits(logits.float().softmax(1))
                    size = tuple(found.shape[2:])
                    sums[size] = sums[size].add_(found) if size in sums else found
        heights, widths = zip(*sums, strict=True)
        largest = (max(heights), max(widths))
        total = torch.stack([upsample(each, largest) for each in sums.values()]).sum(0)
        mean = total / (len(self.members) * len(self.views))
        # The logarithm of 0 times a weight of 0, in upsampling, would be no number.
        return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()


def members_of(predictor: Predictor) -> tuple[Predictor, ...]:
    """The networks behind a predictor: its own, or those that are averaged."""
    return predictor.members if isinstance(predictor, AveragedPredictor) else (predictor,)


def protocol_of(predictor: Predictor) -> str:
    """How predictions come about, as a score says it: ``single scale``, ``2 checkpoints, ...``."""
    if not isinstance(predictor, AveragedPredictor):
        return str(SINGLE_VIEW)
    number, views = len(predictor.members), str(predictor.views)
    return views if number == 1 else f"{number} checkpoints, {views}"


def name_of(predictor: Predictor) -> str:
    """What messages call a predictor: the path of its checkpoint, or that there are several."""
    members = members_of(predictor)
    if len(members) == 1:
        return str(members[0].checkpoint)
    return f"the ensemble of {counted(len(members), 'checkpoint')}"


def _check_alike(first: Predictor, other: Predictor) -> None:
    """Raises CheckpointError if two networks cannot be averaged."""
    pairs = zip_longest(first.classes.names, other.classes.names, fillvalue="none")
    for index, (mine, yours) in enumerate(pairs):
        if mine != yours:
            raise CheckpointError(
                f"{other.checkpoint}: was trained on {counted(len(other.classes), 'class')}, "
                f"{first.checkpoint} on {len(first.classes)}; the first difference is class "
                f"{index}: '{yours}', there '{mine}'; checkpoints that are averaged need the same "
                "classes in the same order"
            )
    if other.reading != first.reading:
        raise CheckpointError(
            f"{other.checkpoint}: reads images in another way than {first.checkpoint}; give "
            "checkpoints that were trained on the same bands, values and orientations"
        )


def _described(members: Sequence[Predictor]) -> Description:
    """The description of the first, with the images that all have seen."""
    first, seen = members[0].description, [member.description.seen for member in members]
    known = [each for each in seen if each is not None]
    if len(known) < len(seen):
        return replace(first, trained_images=None, validated_images=None)
    both = seen_by_any(known)
    trained, validated = as_lists(both.trained), as_lists(both.validated)
    return replace(first, trained_images=trained, validated_images=validated)


def _size_relative_to(first: Predictor, member: Predictor) -> float:
    """How much larger a network sees the parts of an image than the first one sees them."""
    if first._chosen is not None:  # the size was typed, for all
        return 1.0
    mine, yours = (tiling_as_trained(each.description).scale for each in (first, member))
    return yours / mine
