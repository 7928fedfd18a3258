import signal

import pytest

from aerialseg.stopping import STOP_SIGNALS, Stopped, stop_behind, stop_on_signals


@pytest.mark.parametrize(
    ("signum", "code", "name"), [(signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "SIGINT")]
)
def test_the_line_says_how_far_training_was_and_how_to_resume(signum, code, name):
    stopped = Stopped(signum, "after epoch 3", advice="the same command continues from there")
    assert stopped.code == code
    assert str(stopped) == f"stopped by {name} after epoch 3; the same command continues from there"


def test_without_training_there_is_no_advice():
    limit = Stopped(None, "after epoch 3", advice="go on")
    assert (limit.code, str(limit)) == (124, "stopped by trainer.max_time after epoch 3; go on")
    assert str(Stopped(signal.SIGINT)) == "stopped by SIGINT"


def test_what_a_signal_raised_is_remembered(monkeypatch):
    monkeypatch.setattr("aerialseg.stopping._told", [])
    error = KeyError()
    assert stop_behind(error) is None
    listeners = {signum: signal.getsignal(signum) for signum in STOP_SIGNALS}
    try:
        stop_on_signals()
        with pytest.raises(Stopped) as stopped:
            signal.raise_signal(signal.SIGTERM)
    finally:
        for signum, listener in listeners.items():
            signal.signal(signum, listener)
    assert stop_behind(error) is stopped.value
    own = Stopped(None)
    assert stop_behind(own) is own
