"""Stopping on a signal: one line, and the exit code that shells expect."""

import signal
from types import FrameType

STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
"""What asks a process to end: Ctrl-C, schedulers, and on Windows Ctrl-Break."""


class Stopped(SystemExit):
    """A signal ended the process. Hydra does not catch it, so it ends a multirun too.

    ``str()`` is the line to print.

    Args:
        signum: The signal; the exit code is 128 plus its number.
        moment: How far training was, such as ``after epoch 3``; empty if nothing was trained.
        advice: How to resume; empty if there is nothing to resume.
    """

    def __init__(self, signum: int, moment: str = "", *, advice: str = "") -> None:
        super().__init__(128 + signum)
        self.signal = signal.Signals(signum)
        self.moment = moment
        self.advice = advice

    def __str__(self) -> str:
        where = f" {self.moment}" if self.moment else ""
        advice = f"; {self.advice}" if self.advice else ""
        return f"stopped by {self.signal.name}{where}{advice}"


def stop_on_signals() -> None:
    """Makes Ctrl-C and SIGTERM raise :class:`Stopped` in the main thread."""
    for signum in STOP_SIGNALS:
        signal.signal(signum, _stop)


def _stop(signum: int, frame: FrameType | None) -> None:
    raise Stopped(signum)
