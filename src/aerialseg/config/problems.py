"""One problem in a config: where and what."""

from typing import NamedTuple


class Problem(NamedTuple):
    """A problem and its path, such as ``trainer.max_epoch``, ``augmentation.transforms[0].p``."""

    path: str
    text: str

    def __str__(self) -> str:
        """The line that is printed."""
        return f"{self.path}: {self.text}"
