"""One problem of a config: where, and what."""

from typing import NamedTuple


class Problem(NamedTuple):
    """What is wrong, and where: ``trainer.max_epoch``, ``augmentation.transforms[0].p``."""

    path: str
    text: str

    def __str__(self) -> str:
        """The line that is shown."""
        return f"{self.path}: {self.text}"
