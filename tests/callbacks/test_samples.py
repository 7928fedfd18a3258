import numpy as np
import pytest
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger

from aerialseg.callbacks import samples as module_under_test
from aerialseg.callbacks.samples import SamplePredictions
from helpers.tiny_training import CLASSES, make_data, make_module, make_trainer


class Board:
    """Stands in for TensorBoard's writer."""

    def __init__(self):
        self.added = []

    def add_image(self, name, image, step, dataformats):
        self.added.append((name, image, step, dataformats))

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


@pytest.fixture
def board(tmp_path):
    logger = TensorBoardLogger(tmp_path / "logs")
    logger._experiment = Board()
    return logger


def fit(tmp_path, logger, *, epochs=5, every=2, count=2, **changes):
    callback = SamplePredictions(count, every_n_epochs=every)
    trainer = make_trainer([callback], epochs=epochs, logger=logger, enable_checkpointing=False)
    trainer.fit(make_module(), make_data(tmp_path / "data", **changes))


def test_images_come_when_due_and_with_the_last_epoch(tmp_path, board):
    fit(tmp_path, board)
    added = board.experiment.added
    assert [name for name, *_ in added] == ["val/predictions", "val/confusion"] * 3
    steps = sorted({step for *_, step, _ in added})
    steps_in_epoch = (steps[0] + 1) // 2
    # Beside the scores of the epoch, which Lightning logs at its last step, counted from 0.
    assert [(step + 1) / steps_in_epoch for step in steps] == [2, 4, 5]
    for _, image, _, dataformats in added:
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
        assert dataformats == "HWC"


def test_the_sanity_check_draws_nothing(tmp_path, board):
    fit(tmp_path, board, epochs=1, every=1)
    assert len(board.experiment.added) == 2


@pytest.mark.parametrize(("count", "chosen"), [(2, [0, 2]), (3, [0, 1, 2]), (9, [0, 1, 2, 3])])
def test_the_confusion_matrix_is_of_the_whole_split_and_rows_are_spread(
    tmp_path, board, monkeypatch, count, chosen
):
    matrices, rows = [], []
    draw = module_under_test.draw_confusion_matrix

    def keep_matrix(matrix, names, *, normalise):
        matrices.append(matrix)
        assert tuple(names) == tuple(CLASSES)
        return draw(matrix, names, normalise=normalise)

    def keep_rows(given, classes):
        rows.extend(given)
        return np.zeros((4, 4, 3), dtype=np.uint8)

    monkeypatch.setattr(module_under_test, "draw_confusion_matrix", keep_matrix)
    monkeypatch.setattr(module_under_test, "prediction_sheet", keep_rows)
    fit(tmp_path, board, epochs=1, count=count, val_fraction=0.45)
    data = make_data(tmp_path / "data", val_fraction=0.45)
    ids = [sample.id for sample in data.samples("val")]
    assert matrices[0].sum() == len(ids) * 24 * 32
    assert [row.id for row in rows] == [ids[index] for index in chosen]
    for row in rows:
        agreement = (row.prediction == row.truth).mean()
        assert row.accuracy == pytest.approx(agreement)


def test_a_logger_without_images_is_left_alone(tmp_path):
    fit(tmp_path, CSVLogger(tmp_path / "logs"), epochs=1)
    assert not list((tmp_path / "logs").rglob("*.png"))
