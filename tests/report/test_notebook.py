from functools import partial

import albumentations as A
import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.data.layouts import folders
from aerialseg.errors import CheckpointError, DataError
from aerialseg.inference.predictor import Predictor
from aerialseg.models import networks
from aerialseg.report import notebook as module_under_test
from aerialseg.report.notebook import show_predictions_with_metrics, show_random_samples
from aerialseg.storage.checkpoints import describe, write_checkpoint
from helpers.grouped_data import data_module
from helpers.tiny_training import CLASSES, describe_run, make_data

FLIP = A.Compose([A.HorizontalFlip(p=1.0)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write(tmp_path_factory.mktemp("run") / "best.ckpt", CLASSES)


def write(path, classes):
    torch.manual_seed(0)
    state = networks.lraspp_mobilenet_v3_large(3).state_dict()
    content = {"state_dict": {f"network.{name}": tensor for name, tensor in state.items()}}
    target = "aerialseg.models.networks.lraspp_mobilenet_v3_large"
    network = {"_target_": target, "num_classes": 3}
    describe(content, describe_run(network=network, classes=classes))
    write_checkpoint(path, content)
    return path


@pytest.fixture
def rows(monkeypatch):
    """The rows that are drawn, in order."""
    drawn = []
    for name in ("sample_sheet", "prediction_sheet"):
        draw = getattr(module_under_test, name)

        def keep(given, classes, draw=draw, **options):
            drawn.extend(given)
            return draw(given, classes, **options)

        monkeypatch.setattr(module_under_test, name, keep)
    return drawn


def columns(image, tile_width):
    """How many tiles, 6 pixels apart, fit between margins of 16 pixels."""
    return (image.width - 2 * 16 + 6) / (tile_width + 6)


def test_samples_are_an_image_that_a_notebook_displays(folder):
    image = show_random_samples(make_data(folder, augmentation=FLIP), count=2, tile_width=64)
    assert isinstance(image, Image.Image)
    assert image.mode == "RGB"
    assert image._repr_png_().startswith(b"\x89PNG")
    assert columns(image, 64) == 3


def test_samples_are_of_the_training_split_as_stored_and_as_augmented(folder, rows):
    data = make_data(folder, augmentation=FLIP)
    show_random_samples(data, count=3)
    stored = {sample["id"]: sample for sample in map(data.dataset("train").__getitem__, range(7))}
    assert len(rows) == 3
    for row in rows:
        image, mask = stored[row.id]["image"].permute(1, 2, 0).numpy(), stored[row.id]["mask"]
        assert np.array_equal(row.image, image)
        assert np.array_equal(row.mask, mask)
        for flipped, flipped_mask in row.augmented:
            assert np.array_equal(flipped, image[:, ::-1])
            assert np.array_equal(flipped_mask, mask.flip(1))


def test_the_seed_chooses_the_samples(folder, rows):
    data = make_data(folder)
    chosen = []
    for seed in (0, 0, 1, 2):
        rows.clear()
        show_random_samples(data, count=3, seed=seed)
        chosen.append([row.id for row in rows])
    assert chosen[0] == chosen[1]
    assert len({tuple(ids) for ids in chosen}) > 1
    assert all(len(set(ids)) == 3 for ids in chosen)


def test_without_augmentation_the_mask_is_beside_the_image(folder):
    image = show_random_samples(make_data(folder), count=1)
    assert columns(image, 320) == 2


def test_another_split_is_shown_as_a_data_set_and_completely_if_it_is_small(folder, rows):
    data = make_data(folder)
    show_random_samples(data.dataset("val"), count=50)
    assert {row.id for row in rows} == {sample.id for sample in data.samples("val")}


def test_predictions_are_of_the_validation_split_with_the_scores_of_each_image(
    folder, checkpoint, rows
):
    data = make_data(folder, image_min_size=12)
    image = show_predictions_with_metrics(checkpoint, data, count=9, tile_width=64)
    assert isinstance(image, Image.Image)
    assert columns(image, 64) == 4
    assert {row.id for row in rows} == {sample.id for sample in data.samples("val")}
    for row in rows:
        assert row.image.shape == (24, 32, 3)  # the original size
        assert np.array_equal(row.prediction, Predictor(checkpoint).predict(row.image))
        assert row.accuracy == pytest.approx((row.prediction == row.truth).mean())
        overlap = [
            ((row.prediction == i) & (row.truth == i)).sum()
            / ((row.prediction == i) | (row.truth == i)).sum()
            for i in set(np.unique(row.prediction)) | set(np.unique(row.truth))
        ]
        assert row.iou == pytest.approx(np.mean(overlap))


def test_a_predictor_does_as_well_as_its_path(folder, checkpoint):
    data = make_data(folder)
    from_path = show_predictions_with_metrics(str(checkpoint), data, with_errors=False)
    from_predictor = show_predictions_with_metrics(Predictor(checkpoint), data, with_errors=False)
    assert from_path.tobytes() == from_predictor.tobytes()
    assert columns(from_path, 320) == 3


def test_images_without_masks_have_no_scores(tmp_path, checkpoint, rows):
    make_data(tmp_path)
    (tmp_path / "test").mkdir()
    Image.new("RGB", (32, 24)).save(tmp_path / "test/a.png")
    layout = partial(folders, test_images="test")
    data = data_module(tmp_path, layout, image_min_size=None, group_pattern=None)
    show_predictions_with_metrics(checkpoint, data.dataset("test"))
    (row,) = rows
    assert row.id == "a"
    assert row.truth is row.dice is row.iou is row.accuracy is None


def test_a_checkpoint_of_other_classes_is_refused(folder, tmp_path):
    other = write(tmp_path / "other.ckpt", {"sea": [0, 0, 1], "land": [1, 0, 0], "ice": [1, 1, 0]})
    with pytest.raises(CheckpointError, match=r"3 classes, .* 'sea' in .* 'ground' in the"):
        show_predictions_with_metrics(other, make_data(folder))


def test_an_empty_data_set_is_refused(folder, checkpoint):
    empty = make_data(folder).dataset("test")
    with pytest.raises(DataError, match="nothing to show"):
        show_random_samples(empty)
    with pytest.raises(DataError, match="nothing to show"):
        show_predictions_with_metrics(checkpoint, empty)


def test_counts_out_of_range_are_refused(folder):
    with pytest.raises(ValueError, match="count: 0 is out of range, wanted 1 or more"):
        show_random_samples(make_data(folder), count=0)
    with pytest.raises(ValueError, match="augmented_versions: -1 is out of range"):
        show_random_samples(make_data(folder), augmented_versions=-1)
