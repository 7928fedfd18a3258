import signal

import pytest

from aerialseg.stopping import Stopped


@pytest.mark.parametrize(
    ("signum", "code", "name"), [(signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "SIGINT")]
)
def test_the_line_says_how_far_training_was_and_how_to_resume(signum, code, name):
    stopped = Stopped(signum, "after epoch 3", advice="the same command continues from there")
    assert stopped.code == code
    assert str(stopped) == f"stopped by {name} after epoch 3; the same command continues from there"


def test_without_training_there_is_no_advice():
    assert str(Stopped(signal.SIGINT)) == "stopped by SIGINT"
