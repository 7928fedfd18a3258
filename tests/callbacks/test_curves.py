import csv

import pytest
import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger

from aerialseg.callbacks import curves as module_under_test
from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.callbacks.confusion_image import ConfusionMatrixImage
from aerialseg.callbacks.curves import ContinuousCurves, CSVCurves
from aerialseg.callbacks.samples import SamplePredictions
from aerialseg.callbacks.tensorboard_curves import TensorBoardCurves
from aerialseg.callbacks.training_statistics import TrainingStatistics
from aerialseg.errors import AerialsegError
from helpers.event_files import read_images, read_scalars
from helpers.tiny_training import RaiseAt, make_data, make_module, make_trainer

EPOCHS = 5
DIFFER = ("system/images_per_second", "system/resident_memory_gb")
"""What is measured anew each time."""
LOGGERS = {
    "tensorboard": lambda folder: TensorBoardCurves(str(folder)),
    "lightning": lambda folder: TensorBoardLogger(folder, name="", version=""),
    "csv": lambda folder: CSVCurves(str(folder)),
}


def points(folder):
    """What a reader of the curves sees: by name, the steps and values in order."""
    if (folder / "metrics.csv").exists():
        with (folder / "metrics.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        names = rows[0].keys() - {"step", "epoch"}
        return {n: [(int(row["step"]), float(row[n])) for row in rows if row[n]] for n in names}
    found = {
        name: [(step, None if name in DIFFER else value) for step, value in values]
        for name, values in read_scalars(folder).items()
    }
    return found | {
        name: [(step, image.tobytes()) for step, image in images]
        for name, images in read_images(folder).items()
    }


def fit(folder, kind, *, stop=None, resume=False):
    """Trains; what a killed process would have logged beyond its snapshot stays."""
    callbacks = [
        ContinuousCurves(),
        pl.callbacks.LearningRateMonitor("epoch"),
        SamplePredictions(1, every_n_epochs=1),
        ConfusionMatrixImage(),
        TrainingStatistics(),
        InMemoryCheckpoint(str(folder / "run"), every_n_epochs=2),
    ]
    if stop is not None:
        callbacks.append(RaiseAt(stop, RuntimeError()))
        callbacks[-2].on_exception = lambda *arguments: None  # a killed process writes no more
    logger = LOGGERS[kind](folder / "curves")
    snapshot = folder / "run/last.ckpt"
    trainer = make_trainer(callbacks, epochs=EPOCHS, logger=logger)
    data = make_data(folder / "data")
    trainer.fit(make_module(), data, ckpt_path=snapshot if resume and snapshot.exists() else None)


@pytest.mark.parametrize("kind", LOGGERS)
def test_a_killed_run_leaves_neither_gaps_nor_doubled_points(tmp_path, kind):
    fit(tmp_path / "whole", kind)
    for resume, stop in ((False, 1), (True, 3), (True, 3)):  # before and after the first snapshot
        with pytest.raises(RuntimeError):
            fit(tmp_path / "parts", kind, stop=stop, resume=resume)
    fit(tmp_path / "parts", kind, resume=True)
    whole, parts = (points(tmp_path / name / "curves") for name in ("whole", "parts"))
    rate = "learning_rate/weights" if kind == "tensorboard" else "lr-SGD/weights"
    assert len(whole["val/dice"]) == len(whole[rate]) == EPOCHS
    assert parts == whole
    drawn = {
        "val_images/predictions",
        "val_images/confusion_matrix",
        "train/gradient_norm",
        "train/epoch",
    }
    for name in drawn & whole.keys():
        assert len(whole[name]) == EPOCHS
    assert drawn <= whole.keys() or kind != "tensorboard"


def test_rows_wait_for_a_full_disk(tmp_path, monkeypatch):
    table = CSVCurves(str(tmp_path))

    def refuse(path, text):
        raise AerialsegError("full")

    with monkeypatch.context() as patch:
        patch.setattr(module_under_test, "write_text", refuse)
        table.log_metrics({"a": 1.0}, 0)
    assert not table.path.exists()
    table.log_metrics({"b": 2.0, "epoch": 1}, 1)
    assert table.path.read_text() == "epoch,step,a,b\n,0,1.0,\n1,1,,2.0\n"
