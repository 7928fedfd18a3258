from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from aerialseg.callbacks import event_writer as module_under_test
from aerialseg.callbacks.event_writer import PatientEventWriter
from helpers.event_files import read_scalars


def event(step):
    value = Summary.Value(tag="score", simple_value=step)
    return Event(step=step, wall_time=step, summary=Summary(value=[value]))


def scores(folder):
    return [step for step, _ in read_scalars(folder)["score"]]


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
