"""Custom OmegaConf resolvers."""

import os
from pathlib import Path

from omegaconf import OmegaConf

from aerialseg.config.program import program
from aerialseg.config.recipes import crop_size, scaled_epochs, transforms_of
from aerialseg.storage.names import as_folder_name, comparison_name, expand_home


def register_shipped(folder: Path) -> None:
    """Makes ``${shipped:PATH}`` the path of a file of the clone or of the installed package.

    Other relative paths are relative to the working directory, which may be elsewhere.

    Args:
        folder: The folder that ``PATH`` is relative to.
    """

    def shipped(path: str) -> str:
        try:
            return Path(os.path.relpath(folder / path)).as_posix()
        except ValueError:  # on another drive on Windows
            return (folder / path).as_posix()

    OmegaConf.register_new_resolver("shipped", shipped, replace=True)


# ``${folder_name:"seed=${seed}"}``: any text as a folder's name that every system allows.
OmegaConf.register_new_resolver("folder_name", as_folder_name, replace=True)

# ``${comparison_name:${task.runs}}``: a folder for what compares two runs.
OmegaConf.register_new_resolver("comparison_name", comparison_name, replace=True)

# ``${home:"${paths.runs_dir}"}``: for folders of Hydra's own, which it makes before our check.
OmegaConf.register_new_resolver("home", expand_home, replace=True)

# ``${scaled_epochs:${recipe.epochs.full},${recipe.scale}}``
OmegaConf.register_new_resolver("scaled_epochs", scaled_epochs, replace=True)

# ``${crop_size:${recipe.crops.full},${data.image_min_size},${data.window}}``
OmegaConf.register_new_resolver("crop_size", crop_size, replace=True)

# ``${transforms_of:drone}``: what another choice of the group ``augmentation`` does.
OmegaConf.register_new_resolver("transforms_of", transforms_of, replace=True)

# ``${program:}``: how this program was started, for the help.
OmegaConf.register_new_resolver("program", program, replace=True)
