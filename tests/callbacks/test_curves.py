import csv

import pytest
import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from aerialseg.callbacks import curves as module_under_test
from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.callbacks.curves import ContinuousCurves, CSVCurves, PatientEventWriter
from aerialseg.callbacks.samples import SamplePredictions
from aerialseg.errors import AerialsegError
from helpers.tiny_training import RaiseAt, make_data, make_module, make_trainer

EPOCHS = 5
LOGGERS = {
    "tensorboard": lambda folder: TensorBoardLogger(folder, name="", version=""),
    "csv": lambda folder: CSVCurves(str(folder)),
}


def points(folder):
    """What a reader of the curves sees: by name, the steps and values in order."""
    if (folder / "metrics.csv").exists():
        with (folder / "metrics.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        names = rows[0].keys() - {"step", "epoch"}
        return {n: [(int(row["step"]), float(row[n])) for row in rows if row[n]] for n in names}
    events = EventAccumulator(str(folder))
    events.Reload()
    scalars = events.Tags()["scalars"]
    found = {n: [(e.step, pytest.approx(e.value)) for e in events.Scalars(n)] for n in scalars}
    images = events.Tags()["images"]
    return found | {name: [e.step for e in events.Images(name)] for name in images}


def fit(folder, kind, *, stop=None, resume=False):
    """Trains; what a killed process would have logged beyond its snapshot stays."""
    callbacks = [
        ContinuousCurves(),
        pl.callbacks.LearningRateMonitor("epoch"),
        SamplePredictions(1, every_n_epochs=1),
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
    assert len(whole["val/dice"]) == len(whole["lr-SGD/pg1"]) == EPOCHS
    assert parts == whole


def event(step):
    value = Summary.Value(tag="score", simple_value=step)
    return Event(step=step, wall_time=step, summary=Summary(value=[value]))


def scores(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    return [e.step for e in events.Scalars("score")]


def test_events_wait_for_a_full_disk(tmp_path, monkeypatch, caplog):
    writer = PatientEventWriter(tmp_path)
    writer.add_event(event(1))
    writer.flush()
    (path,) = tmp_path.iterdir()

    class Full:
        """Takes a few bytes, then no more."""

        def __init__(self, *arguments):
            self.file = open(path, "ab")  # noqa: PTH123, SIM115 - not what it replaces

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, data):
            self.file.write(data[:7])
            self.file.flush()
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module_under_test.Path, "open", Full)
        for step in (2, 3):
            writer.add_event(event(step))
            writer.flush()
    assert scores(tmp_path) == [1]
    writer.add_event(event(4))
    writer.close()
    assert scores(tmp_path) == [1, 2, 3, 4]
    assert len([r for r in caplog.records if "wait in memory" in r.getMessage()]) == 1


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
