"""Folders of the user's own YAML files: ``--config-dir FOLDER``."""

from collections.abc import Sequence
from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

from aerialseg.errors import ConfigError

_FLAGS = ("--config-dir", "-cd")


def own_folders(arguments: Sequence[str]) -> list[Path]:
    """The folders that a command line gives with ``--config-dir``.

    Args:
        arguments: ``sys.argv[1:]``.

    Raises:
        ConfigError: If one is not there.
    """
    found = []
    for index, argument in enumerate(arguments):
        flag, _, value = argument.partition("=")
        if flag in _FLAGS:
            given = value or "".join(arguments[index + 1 : index + 2])
            found.append(Path(given).expanduser().absolute())
    missing = [f"--config-dir: {folder} is not a folder" for folder in found if not folder.is_dir()]
    if missing:
        raise ConfigError(*missing)
    return found


def look_first_in(folders: Sequence[Path]) -> None:
    """Lets Hydra take a file of these folders before one of the same name in ``conf/``.

    Hydra looks there last, so a file called like one of ours would be passed over in silence.
    """
    _OwnFirst.folders = folders
    Plugins.instance().register(_OwnFirst)


class _OwnFirst(SearchPathPlugin):
    folders: Sequence[Path] = ()

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for folder in self.folders:
            search_path.prepend("own", f"file://{folder}", "main")
