"""What a network makes of each image: confusion matrices, and what a gallery shows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track
from torch import Tensor

from aerialseg.config.schema import Experiment
from aerialseg.data.sources.cutting import image_id
from aerialseg.metrics.boundary import band_only, band_width
from aerialseg.metrics.calibration import LEVELS, count_confidence
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.report.leakage import Leakage
from aerialseg.report.pages.gallery import (
    MOST_IMAGES,
    GalleryImage,
    layers_of,
    shown_images,
    shown_size,
)
from aerialseg.report.pages.links import image_link
from aerialseg.report.run_scores import ImageMatrices, scores_of
from aerialseg.report.sheet_rows import image_array
from aerialseg.training.scored_dataset import ScoredDataset, scored_dataset
from aerialseg.training.scored_leakage import leakage_of
from aerialseg.viz.band_colours import as_rgb


@dataclass(frozen=True, eq=False)
class _Result:
    """One image: its matrices, its counts of confidence, its band and perhaps its layers."""

    whole: Tensor
    near_borders: Tensor
    confidence: npt.NDArray[np.int64]
    band: int
    size: tuple[int, int]
    layers: dict[str, str]


class PredictedImages:
    """Predicts all images once, and what is shown of more than a page holds a second time.

    Args:
        scored: The network and the images.
        leakage: Among the images, if there is some.
        title: Of the progress bar.

    Attributes:
        scored: As given.
        leakage: Likewise.
    """

    def __init__(self, scored: ScoredDataset, leakage: Leakage | None, *, title: str) -> None:
        self.scored = scored
        self.leakage = leakage
        count = len(scored.dataset)
        show_all = count <= MOST_IMAGES
        indices = track(range(count), description=title)
        self._results = [self._result(index, with_layers=show_all) for index in indices]

    @property
    def whole(self) -> Tensor:
        """``(N, C, C)`` int64: the confusion matrix of each image that is served."""
        return torch.stack([result.whole for result in self._results])

    def matrices(self) -> ImageMatrices:
        """The confusion matrices of all images."""
        bands = [result.band for result in self._results]
        empty = np.zeros((LEVELS, 2), dtype=np.int64)
        images = [image_id(sample) for sample in self.scored.served]
        return ImageMatrices(
            images=images,
            groups=self.scored.data.sources.groups_of(self.scored.served),
            whole=self.whole,
            near_borders=torch.stack([result.near_borders for result in self._results]),
            confidence=sum((result.confidence for result in self._results), start=empty),
            band=(min(bands), max(bands)),
        )

    def gallery(self, folder: Path) -> list[GalleryImage]:
        """What is shown of the images, worst first.

        Args:
            folder: Of the page, from which links to the images lead.
        """
        chosen = shown_images(self.whole)
        return [self._shown(index, len(chosen), folder) for index in chosen]

    def _result(self, index: int, *, with_layers: bool, shown: int | None = None) -> _Result:
        """Predicts an image; its layers are as large as those of so many images may be."""
        dataset, classes = self.scored.dataset, self.scored.data.classes
        sample = dataset[index]
        image, truth = image_array(sample), sample["mask"].numpy()
        prediction, confidence = self.scored.predictor.predict_with_confidence(image)
        height, width = truth.shape
        band, size = band_width((height, width)), shown_size((height, width), shown or len(dataset))
        layers = (
            layers_of(as_rgb(image), truth, prediction, confidence, classes=classes, size=size)
            if with_layers
            else {}
        )
        predicted = torch.from_numpy(prediction)
        near = torch.from_numpy(band_only(truth, band))
        return _Result(
            whole=confusion_matrix(predicted, sample["mask"], len(classes)),
            near_borders=confusion_matrix(predicted, near, len(classes)),
            confidence=count_confidence(confidence, prediction, truth),
            band=band,
            size=size,
            layers=layers,
        )

    def _shown(self, index: int, shown: int, folder: Path) -> GalleryImage:
        """An image of the gallery, predicted again if its layers were not kept."""
        result, sample = self._results[index], self.scored.served[index]
        if not result.layers:
            result = self._result(index, with_layers=True, shown=shown)
        return GalleryImage(
            id=sample.id,
            size=result.size,
            layers=result.layers,
            scores=scores_of(result.whole, result.near_borders),
            matrix=result.whole,
            file=image_link(sample.image, folder),
            seen_in=self.leakage.seen_in(image_id(sample)) if self.leakage is not None else "",
        )


def predicted_images(experiment: Experiment, *, title: str) -> PredictedImages:
    """Predicts the images that ``checkpoint`` validated on.

    Args:
        experiment: The config.
        title: Of the progress bar.

    Raises:
        DataError: If none of them is there any more.
        CheckpointError: If the checkpoint was trained for other classes.
    """
    scored = scored_dataset(experiment, "val")
    return PredictedImages(scored, leakage_of(scored, "val"), title=title)
