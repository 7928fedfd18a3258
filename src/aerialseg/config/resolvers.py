"""What YAML files may interpolate besides other keys."""

import os
from pathlib import Path

from omegaconf import OmegaConf

from aerialseg.storage.names import as_folder_name


def register_shipped(repository: Path) -> None:
    """Makes ``${shipped:PATH}`` the path of a file that comes with the repository.

    Other relative paths mean the folder in which the command is typed, where such a file need not
    be.

    Args:
        repository: The folder that ``PATH`` is relative to.
    """

    def shipped(path: str) -> str:
        try:
            return Path(os.path.relpath(repository / path)).as_posix()
        except ValueError:  # on another drive of Windows
            return (repository / path).as_posix()

    OmegaConf.register_new_resolver("shipped", shipped, replace=True)


# ``${folder_name:"seed=${seed}"}``: any text as a folder's name that every system allows.
OmegaConf.register_new_resolver("folder_name", as_folder_name, replace=True)
