"""Ending because of a signal: with one line, and with the exit code that shells expect."""

import signal
from collections.abc import Sequence
from types import FrameType

STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
"""What asks a process to end: Ctrl-C, schedulers, and on Windows Ctrl-Break."""


class Stopped(SystemExit):
    """A signal ended the process. Hydra lets it through, so it ends a multirun too.

    Args:
        signum: The signal; the exit code is 128 more.
        moment: Where training was, if it was.
    """

    def __init__(self, signum: int, moment: str = "") -> None:
        super().__init__(128 + signum)
        self.signal = signal.Signals(signum)
        self.moment = moment

    def line(self, arguments: Sequence[str]) -> str:
        """What happened and how to go on.

        Args:
            arguments: What the command line said.
        """
        words = {argument.lstrip("+") for argument in arguments}
        where = f" {self.moment}" if self.moment else ""
        stopped = f"stopped by {self.signal.name}{where}"
        if any(word.startswith("task=") and word != "task=train" for word in words):
            return stopped
        if "existing=resume" in words:
            return f"{stopped}; the same command goes on from there"
        return f"{stopped}; the same command with existing=resume goes on from there"


def stop_on_signals() -> None:
    """Lets Ctrl-C and SIGTERM raise :class:`Stopped`, wherever the process is."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _stop)


def _stop(signum: int, frame: FrameType | None) -> None:
    raise Stopped(signum)
