import signal

import pytest

from aerialseg.stopping import Stopped


@pytest.mark.parametrize(
    ("signum", "code", "name"), [(signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "SIGINT")]
)
def test_the_line_says_where_training_was_and_how_to_go_on(signum, code, name):
    stopped = Stopped(signum, "after epoch 3", advice="the same command goes on from there")
    assert stopped.code == code
    assert str(stopped) == f"stopped by {name} after epoch 3; the same command goes on from there"


def test_where_nothing_was_trained_there_is_nothing_to_go_on_with():
    assert str(Stopped(signal.SIGINT)) == "stopped by SIGINT"
