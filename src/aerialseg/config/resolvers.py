"""Custom OmegaConf resolvers."""

import os
from pathlib import Path

from omegaconf import OmegaConf

from aerialseg.storage.names import as_folder_name


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


# ``${folder_name:"seed=${seed}"}``: any text as a folder's name that every system allows.
OmegaConf.register_new_resolver("folder_name", as_folder_name, replace=True)
