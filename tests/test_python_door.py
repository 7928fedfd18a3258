"""The public names refuse slips in plain values, each with one line."""

import numpy as np
import pytest
import torch

from aerialseg import (
    AerialSegDataModule,
    DiceCrossEntropyLoss,
    InMemoryCheckpoint,
    MulticlassDiceScore,
    Predictor,
    SemSegDataset,
    resize_keep_aspect,
    show_predictions_with_metrics,
    show_random_samples,
)
from aerialseg.classes import ClassTable
from helpers.tiny_training import CLASSES, make_data

IMAGE = np.zeros((4, 6, 3), dtype=np.uint8)
NOT_SEED = "seed: -1 is out of range, wanted 0 or more"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"mask_format": "color"}, "mask_format: 'color' is not one of index, colour; did you"),
        ({"image_min_size": 0}, "image_min_size: 0 is out of range, wanted 1 or more"),
        ({"image_min_size": "48"}, "image_min_size: '48' is not a whole number"),
        ({"batch_size": 0}, "batch_size: 0 is out of range, wanted 1 or more"),
        ({"batch_size": -1}, "batch_size: -1 is out of range, wanted 1 or more"),
        ({"num_workers": -1}, "num_workers: -1 is out of range, wanted 0 or more"),
        ({"seed": -1}, NOT_SEED),
        ({"val_fraction": 20}, "val_fraction: 20 is out of range, wanted less than 1"),
        ({"max_megapixels": -1}, "max_megapixels: -1 is out of range, wanted more than 0"),
        ({"augmentation": 5}, "augmentation: 5 is not of type Augmentation"),
        ({"exif_orientation": "aply"}, "exif_orientation: 'aply' is not one of apply, ignore; did"),
    ],
)
def test_the_data_module(tmp_path, changes, line):
    with pytest.raises(ValueError, match=f"^{line}"):
        make_data(tmp_path, **changes)


def test_a_layout_is_no_name():
    with pytest.raises(ValueError, match=r"^layout: 'kaggle' is not a function$"):
        AerialSegDataModule(
            "root",
            "kaggle",
            classes=CLASSES,
            cache_dir="cache",
            image_min_size=None,
            batch_size=1,
            num_workers=0,
        )


@pytest.mark.parametrize("name", ["samples", "dataset", "counts_of"])
def test_splits_of_the_data_module(data, name):
    with pytest.raises(ValueError, match=r"'vall' is not .*, val, test; did you mean 'val'\?$"):
        getattr(data, name)("vall")
    assert len(getattr(data, name)("val")) > 0


def test_the_data_set():
    table = ClassTable.from_mapping(CLASSES)
    with pytest.raises(ValueError, match=f"^{NOT_SEED}$"):
        SemSegDataset((), table, image_min_size=None, seed=-1)
    with pytest.raises(ValueError, match=r"^image_min_size: 0 is out of range, wanted 1 or more$"):
        SemSegDataset((), table, image_min_size=0)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"mode": "maximum"}, "mode: 'maximum' is not one of min, max; did you mean 'max'"),
        ({"every_n_epochs": 0}, "every_n_epochs: 0 is out of range, wanted 1 or more"),
        ({"monitor": None}, "monitor: None is not text"),
    ],
)
def test_the_checkpoint_callback(tmp_path, changes, line):
    with pytest.raises(ValueError, match=f"^{line}"):
        InMemoryCheckpoint(str(tmp_path), **changes)
    assert InMemoryCheckpoint(tmp_path).last_path == tmp_path / "last.ckpt"


@pytest.mark.parametrize("precision", ["half", "fp16", 64, "bf16-true", None])
def test_the_precision_of_a_predictor(tmp_path, precision):
    with pytest.raises(ValueError, match=r"^precision: .* is not one of 32-true, 32, bf16-mixed"):
        Predictor(tmp_path / "any.ckpt", precision=precision)


@pytest.mark.parametrize("num_classes", [0, -1, 2.5])
def test_the_number_of_classes_of_a_score(num_classes):
    with pytest.raises(ValueError, match=f"^num_classes: {num_classes} is"):
        MulticlassDiceScore(num_classes)


@pytest.mark.parametrize("size", [0, -5, "48"])
def test_the_size_of_a_resized_image(size):
    with pytest.raises(ValueError, match=f"^image_min_size: {size!r} is"):
        resize_keep_aspect(IMAGE, size)


@pytest.mark.parametrize("show", [show_random_samples, show_predictions_with_metrics])
@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"seed": -1}, NOT_SEED),
        ({"count": 0}, "count: 0 is out of range, wanted 1 or more"),
        ({"count": 2.5}, "count: 2.5 is not a whole number"),
        ({"tile_width": 3}, "tile_width: 3 is out of range, wanted 16 or more"),
    ],
)
def test_what_is_shown(data, show, changes, line):
    given = (data,) if show is show_random_samples else ("any.ckpt", data)
    with pytest.raises(ValueError, match=f"^{line}$"):
        show(*given, **changes)


def test_a_folder_is_no_data():
    with pytest.raises(ValueError, match=r"^data: 'folder' is not of type AerialSegDataModule or "):
        show_random_samples("folder")


def test_arguments_of_the_loss():
    with pytest.raises(ValueError, match=r"^custom_gradients: 'no' is not True or False$"):
        DiceCrossEntropyLoss(custom_gradients="no")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool])
def test_the_loss_takes_no_target_but_ids(dtype):
    logits, target = torch.zeros(1, 3, 4, 6), torch.zeros(1, 4, 6, dtype=dtype)
    with pytest.raises(ValueError, match=f"^target is {dtype}; wanted integer class ids$"):
        DiceCrossEntropyLoss()(logits, target)
