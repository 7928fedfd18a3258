import numpy as np
import pytest
import torch

from aerialseg.callbacks.curves import ContinuousCurves
from aerialseg.callbacks.tensorboard_curves import TensorBoardCurves, board_of
from helpers.event_files import read_images, read_scalars
from helpers.tiny_training import make_trainer


@pytest.mark.parametrize(
    ("folder", "events"), [("head/train", "head"), ("head/mine", "head/mine"), ("mine", "mine")]
)
def test_tensorboard_calls_a_run_after_its_stage(tmp_path, folder, events):
    board = TensorBoardCurves(str(tmp_path / folder))
    board.log_metrics({"val/dice": 0.25, "val/iou_car": torch.tensor(0.5), "epoch": 0}, 3)
    board.finalize("success")
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert path.parent == tmp_path / events
    assert read_scalars(path.parent) == {"val/dice": [(3, 0.25)], "val_iou/car": [(3, 0.5)]}


def test_images_come_back_as_they_were(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (7, 11, 3)).astype(np.uint8)
    board = TensorBoardCurves(str(tmp_path))
    board.log_image("val_images/noise", image, 5)
    board.save()
    ((step, found),) = read_images(tmp_path)["val_images/noise"]
    assert step == 5
    assert np.array_equal(found, image)


def logged(folder, *steps, begin=0):
    """Logs steps as a process of its own that goes on from a step."""
    board = TensorBoardCurves(str(folder))
    board.go_on_from(begin)
    for step in steps:
        board.log_metrics({"loss": float(step + len(steps))}, step)
    board.finalize("success")


def test_a_training_from_the_start_removes_what_an_earlier_one_logged_and_nothing_else(tmp_path):
    logged(tmp_path, 0, 1, 2, 3)
    other = tmp_path / "events.out.tfevents.1.other"
    other.write_bytes(b"")
    logged(tmp_path, 0)
    assert len(list(tmp_path.glob("events*.aerialseg"))) == 1
    assert other.exists()
    assert read_scalars(tmp_path) == {"loss": [(0, 1.0)]}


def test_what_was_logged_after_the_snapshot_is_logged_again_once(tmp_path):
    logged(tmp_path, 0, 1, 2, 3)
    logged(tmp_path, 2, 3, begin=2)
    assert read_scalars(tmp_path) == {"loss": [(0, 4.0), (1, 5.0), (2, 4.0), (3, 5.0)]}


def test_other_callbacks_find_the_writer_of_torch(tmp_path):
    board = TensorBoardCurves(str(tmp_path))
    board.experiment.add_histogram("weights", torch.arange(4.0), 0)
    board.experiment.add_scalar("own", 2.0, 1)
    board.finalize("success")
    assert read_scalars(tmp_path) == {"own": [(1, 2.0)]}


@pytest.mark.parametrize("with_board", [True, False])
def test_the_board_of_a_trainer_is_found(tmp_path, with_board):
    board = TensorBoardCurves(str(tmp_path)) if with_board else None
    assert board_of(make_trainer([ContinuousCurves()], logger=board or False)) is board
