"""Samples and predictions as images that a notebook displays."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge
from PIL import Image

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.dataset import SemSegDataset
from aerialseg.errors import DataError
from aerialseg.inference.predictor import Predictor, native_device
from aerialseg.report.sheet_rows import image_array, prediction_row, random_indices, sample_row
from aerialseg.values.checked_calls import checked
from aerialseg.viz.sheets import prediction_sheet, sample_sheet


@checked
def show_random_samples(
    data: AerialSegDataModule | SemSegDataset,
    *,
    count: Annotated[int, Ge(1)] = 4,
    seed: Annotated[int, Ge(0)] = 0,
    augmented_versions: Annotated[int, Ge(0)] = 2,
    tile_width: Annotated[int, Ge(16)] = 320,
) -> Image.Image:
    """Draws random samples with their masks, as stored and as augmented for training.

    A notebook displays the result; elsewhere use ``show_random_samples(data).save("samples.png")``.

    Args:
        data: A data module, of which the training split is shown, or any data set, such as
            ``data.dataset("val")``.
        count: Number of samples; a smaller data set is shown completely.
        seed: Chooses the samples.
        augmented_versions: Number of augmented versions beside each sample; none if the data has
            no augmentation.
        tile_width: Width in pixels of each image.

    Returns:
        One row per sample and a legend. A row has a line of images and a line of mask overlays, or
        image and overlay side by side where nothing is augmented.

    Raises:
        DataError: If there is no sample or one cannot be loaded.
        ValueError: If ``count`` is below 1, ``seed`` or ``augmented_versions`` below 0, or
            ``tile_width`` below 16.
    """
    if isinstance(data, AerialSegDataModule):
        data = data.dataset("train", augment=True)
    rows = [
        sample_row(data, index, augmented_versions=augmented_versions)
        for index in _choose(data, count, seed)
    ]
    return Image.fromarray(sample_sheet(rows, data.classes, tile_width=tile_width))


@checked
def show_predictions_with_metrics(
    predictor: Predictor | str | Path,
    data: AerialSegDataModule | SemSegDataset,
    *,
    count: Annotated[int, Ge(1)] = 4,
    seed: Annotated[int, Ge(0)] = 0,
    with_errors: bool = True,
    tile_width: Annotated[int, Ge(16)] = 320,
) -> Image.Image:
    """Draws random images with truth, prediction, and the Dice, IoU and accuracy of each.

    A notebook displays the result; elsewhere use its ``save`` method.

    Args:
        predictor: A predictor, or the path of a checkpoint, which is then loaded onto the GPU if
            there is one.
        data: A data module, of which the validation split is shown at its original size, or any
            data set. Scores are left out for images without a mask.
        count: Number of images; a smaller data set is shown completely.
        seed: Chooses the images.
        with_errors: Whether a fourth column shows the wrong pixels in red.
        tile_width: Width in pixels of each image.

    Returns:
        One row per image, and a legend.

    Raises:
        CheckpointError: If the checkpoint cannot be read, or was trained on other classes.
        DataError: If there is no sample or one cannot be loaded.
        ValueError: If ``count`` is below 1, ``seed`` below 0 or ``tile_width`` below 16.
    """
    if isinstance(data, AerialSegDataModule):
        data = data.dataset("val", original_size=True)
    chosen = _choose(data, count, seed)
    if not isinstance(predictor, Predictor):
        predictor = Predictor(predictor, device=native_device())
    predictor.check_classes(data.classes)
    rows = []
    for index in chosen:
        sample = data[index]
        prediction = predictor.predict(image_array(sample))
        rows.append(prediction_row(sample, prediction, num_classes=len(data.classes)))
    sheet = prediction_sheet(rows, data.classes, with_errors=with_errors, tile_width=tile_width)
    return Image.fromarray(sheet)


def _choose(dataset: SemSegDataset, count: int, seed: int) -> list[int]:
    """Random indices of a data set; checks that there is something to show."""
    if len(dataset) == 0:
        raise DataError("the data set is empty, so there is nothing to show; choose another split")
    return random_indices(dataset, count, seed=seed)
