"""Stopping on a signal or at a time limit: one line, and the exit code that shells expect."""

import signal
from types import FrameType

STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
"""What asks a process to end: Ctrl-C, schedulers, and on Windows Ctrl-Break."""


TIME_LIMIT = 124
"""The exit code of ``timeout`` for a command whose time was over."""


class Stopped(SystemExit):
    """A signal or the time limit ended the process.

    Hydra does not catch it, so it ends a multirun too.

    ``str()`` is the line to print.

    Args:
        signum: The signal; the exit code is 128 plus its number. None for ``trainer.max_time``;
            the exit code is then 124.
        moment: How far training was, such as ``after epoch 3``; empty if nothing was trained.
        advice: How to resume; empty if there is nothing to resume.
    """

    def __init__(self, signum: int | None, moment: str = "", *, advice: str = "") -> None:
        super().__init__(TIME_LIMIT if signum is None else 128 + signum)
        self.signal = None if signum is None else signal.Signals(signum)
        self.moment = moment
        self.advice = advice

    def __str__(self) -> str:
        where = f" {self.moment}" if self.moment else ""
        advice = f"; {self.advice}" if self.advice else ""
        cause = "trainer.max_time" if self.signal is None else self.signal.name
        return f"stopped by {cause}{where}{advice}"


_told: list[Stopped] = []
"""What signals have raised in this process."""


def stop_behind(error: BaseException) -> Stopped | None:
    """The stop that an error is or comes from; None if nobody told the process to stop.

    A signal arrives anywhere in a library, whose clean-up may fail where it meets the stop
    (OmegaConf's does), and whoever catches that error does not see the stop any more. So an error
    after a signal is taken for its consequence.
    """
    if isinstance(error, Stopped):
        return error
    return _told[0] if _told else None


def stop_on_signals() -> None:
    """Makes Ctrl-C and SIGTERM raise :class:`Stopped` in the main thread."""
    for signum in STOP_SIGNALS:
        signal.signal(signum, _stop)


def _stop(signum: int, frame: FrameType | None) -> None:
    stop = Stopped(signum)
    _told.append(stop)
    raise stop
