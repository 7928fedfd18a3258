import signal

import pytest

from aerialseg.stopping import Stopped


@pytest.mark.parametrize(
    ("signum", "arguments", "code", "line"),
    [
        (
            signal.SIGTERM,
            ["++seed=1", "stage=aspp"],
            143,
            "stopped by SIGTERM after epoch 3; "
            "the same command with existing=resume goes on from there",
        ),
        (
            signal.SIGINT,
            ["task=train", "++existing=resume"],
            130,
            "stopped by SIGINT after epoch 3; the same command goes on from there",
        ),
        (
            signal.SIGINT,
            ["existing=overwrite"],
            130,
            "stopped by SIGINT after epoch 3; "
            "the same command with existing=resume goes on from there",
        ),
    ],
)
def test_the_line_says_how_to_go_on(signum, arguments, code, line):
    stopped = Stopped(signum, "after epoch 3")
    assert stopped.code == code
    assert stopped.line(arguments) == line


def test_other_tasks_have_nothing_to_go_on_with():
    assert Stopped(signal.SIGINT).line(["task=evaluate"]) == "stopped by SIGINT"
