"""What goes wrong that a user can mend: short lines, no traceback."""

from typing import ClassVar


class AerialsegError(Exception):
    """One or more problems, each one line: what, where, got, wanted, next step.

    Attributes:
        label: What the printed lines begin with.
        problems: The lines themselves, without the label.
    """

    label: ClassVar[str] = "error"

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def lines(self) -> str:
        """The problems as they are shown: one labelled line each."""
        return "\n".join(f"{self.label}: {problem}" for problem in self.problems)


class ConfigError(AerialsegError):
    """The configuration asks for something that cannot be."""

    label = "config error"


class DataError(AerialsegError):
    """A data set, picture, mask or table cannot be used as it is."""

    label = "data error"


class CheckpointError(AerialsegError):
    """A checkpoint or weight file is missing, foreign, damaged or does not fit."""

    label = "checkpoint error"


class TrainingError(AerialsegError):
    """Training cannot start or go on."""

    label = "training error"
