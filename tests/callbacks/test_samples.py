"""The images are read back from event files, and drawn again from the trained network."""

import numpy as np
import pytest
import torch
from pytorch_lightning.loggers import CSVLogger
from sklearn.metrics import confusion_matrix

from aerialseg.callbacks.confusion_image import ConfusionMatrixImage
from aerialseg.callbacks.samples import SamplePredictions
from aerialseg.callbacks.tensorboard_curves import TensorBoardCurves
from aerialseg.report.sheet_rows import prediction_row
from aerialseg.viz.matrix import draw_confusion_matrix
from aerialseg.viz.sheets import prediction_sheet
from helpers.event_files import read_images
from helpers.tiny_training import CLASSES, make_data, make_module, make_trainer

SHARE = {"val_fraction": 0.45}


def fit(tmp_path, *, epochs=5, every=2, count=2, logger=None, trainer=(), **changes):
    """The module after a training that logged images to ``tmp_path``."""
    callbacks = [SamplePredictions(count, every_n_epochs=every), ConfusionMatrixImage()]
    options = {"logger": logger or TensorBoardCurves(str(tmp_path)), "enable_checkpointing": False}
    module = make_module()
    made = make_trainer(callbacks, epochs=epochs, **options | dict(trainer))
    made.fit(module, make_data(tmp_path / "data", **SHARE | changes))
    return module.eval()


def predicted(module, sample):
    """Class ids by torch's own interpolation."""
    with torch.no_grad():
        logits = module(sample["image"][None])["out"]
    full = torch.nn.functional.interpolate(
        logits, sample["mask"].shape, mode="bilinear", align_corners=False
    )
    return full.argmax(1)[0].numpy().astype(np.uint8)


@pytest.mark.parametrize(
    ("every", "interval", "wanted"),
    [(2, 1, [1, 2, 4, 5]), (3, 1, [1, 3, 5]), (9, 1, [1, 5]), (3, 2, [2, 4])],
)
def test_images_come_when_due_with_the_first_and_the_last_validation(
    tmp_path, every, interval, wanted
):
    fit(tmp_path, every=every, trainer={"check_val_every_n_epoch": interval})
    images = read_images(tmp_path)
    batches = 2  # of five training images: a last batch of one joins the one before it
    steps = [step for step, _ in images["val_images/predictions"]]
    assert [(step + 1) / batches for step in steps] == wanted
    validated = list(range(interval, 6, interval))
    assert [(step + 1) / batches for step, _ in images["val_images/confusion_matrix"]] == validated


def test_the_same_images_in_each_epoch_and_other_predictions(tmp_path):
    fit(tmp_path, epochs=4, every=1)
    sheets = [image.astype(int) for _, image in read_images(tmp_path)["val_images/predictions"]]
    assert len(sheets) == 4
    tiles, gutter, margin = 320, 6, 16
    rows = slice(100, 280)  # of the first image, below its caption
    input_and_truth = slice(margin, margin + 2 * tiles + gutter)
    for sheet in sheets:
        assert sheet.shape == sheets[0].shape
        assert sheet.shape[1] == 4 * tiles + 3 * gutter + 2 * margin
        assert np.array_equal(sheet[rows, input_and_truth], sheets[0][rows, input_and_truth])
    assert any(not np.array_equal(sheet, sheets[0]) for sheet in sheets[1:])


def test_what_is_drawn_is_what_the_network_predicts(tmp_path):
    module = fit(tmp_path, count=9)  # more than there are
    data = make_data(tmp_path / "data", **SHARE)
    samples = data.dataset("val")
    rows = [
        prediction_row(sample, predicted(module, sample), num_classes=3)
        for sample in (samples[index] for index in range(len(samples)))
    ]
    wanted = prediction_sheet(rows, data.classes, with_errors=True)
    _, drawn = read_images(tmp_path)["val_images/predictions"][-1]
    assert np.array_equal(drawn, wanted)


def test_the_confusion_matrix_is_that_of_the_whole_split(tmp_path):
    module = fit(tmp_path)
    samples = make_data(tmp_path / "data", **SHARE).dataset("val")
    truth = np.concatenate([samples[i]["mask"].numpy().ravel() for i in range(len(samples))])
    found = np.concatenate([predicted(module, samples[i]).ravel() for i in range(len(samples))])
    matrix = confusion_matrix(truth, found, labels=[0, 1, 2])
    _, drawn = read_images(tmp_path)["val_images/confusion_matrix"][-1]
    assert np.array_equal(drawn, draw_confusion_matrix(matrix, list(CLASSES), normalise=True))


@pytest.mark.parametrize("with_images", [True, False])
def test_images_cost_no_forward_pass(tmp_path, monkeypatch, with_images):
    calls = []
    forward = type(make_module().network).forward

    def counted(network, images):
        calls.append(len(images))
        return forward(network, images)

    monkeypatch.setattr(type(make_module().network), "forward", counted)
    logger = TensorBoardCurves(str(tmp_path)) if with_images else CSVLogger(tmp_path / "csv")
    fit(tmp_path, epochs=3, every=1, logger=logger)
    # A batch of the sanity check, then two of training and two of validation an epoch.
    assert len(calls) == 1 + 3 * (2 + 2)


def test_only_validated_images_are_chosen(tmp_path):
    module = fit(tmp_path, count=4, trainer={"limit_val_batches": 1})
    data = make_data(tmp_path / "data", **SHARE)
    first_batch = [data.dataset("val")[index] for index in (0, 1)]
    rows = [prediction_row(s, predicted(module, s), num_classes=3) for s in first_batch]
    _, drawn = read_images(tmp_path)["val_images/predictions"][-1]
    assert np.array_equal(drawn, prediction_sheet(rows, data.classes, with_errors=True))


def test_another_logger_is_left_alone_and_nothing_is_drawn(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("nothing is to be drawn")

    for name in ("samples.prediction_sheet", "confusion_image.draw_confusion_matrix"):
        monkeypatch.setattr(f"aerialseg.callbacks.{name}", refuse)
    monkeypatch.setattr("aerialseg.callbacks.samples.most_likely", refuse)
    fit(tmp_path, logger=CSVLogger(tmp_path / "logs"), epochs=1)
    assert not list(tmp_path.rglob("events*"))
