"""Custom OmegaConf resolvers."""

import os
from pathlib import Path

from omegaconf import OmegaConf


def register_shipped(repository: Path) -> None:
    """Makes ``${shipped:PATH}`` the path of a file in the repository.

    Other relative paths are relative to the working directory, which may be elsewhere.

    Args:
        repository: The folder that ``PATH`` is relative to.
    """

    def shipped(path: str) -> str:
        try:
            return Path(os.path.relpath(repository / path)).as_posix()
        except ValueError:  # on another drive on Windows
            return (repository / path).as_posix()

    OmegaConf.register_new_resolver("shipped", shipped, replace=True)
