from benchmarks import curves
from helpers.tiny_training import make_data, make_module, make_trainer


def test_neither_the_first_nor_the_last_epoch_is_timed(tmp_path, monkeypatch):
    now = iter([1.0, 2.0, 5.0, 9.0, 100.0])
    monkeypatch.setattr(curves, "process_time", lambda: next(now))
    clock = curves.EpochClock()
    trainer = make_trainer([clock], epochs=4, enable_checkpointing=False)
    trainer.fit(make_module(), make_data(tmp_path))
    assert clock.epochs == [3.0, 4.0]
