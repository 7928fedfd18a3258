"""This program: its name, for messages that advise a command, and the folder of what it ships."""

import shlex
import sys
from pathlib import Path


def program() -> str:
    """How the program was started, as it is typed: ``python run.py`` in a clone, ``aerialseg``."""
    script = Path(sys.argv[0])
    if script.stem == "aerialseg":
        return "aerialseg"
    is_module = script.name == "__main__.py" and script.parent.name == "aerialseg"
    return "python -m aerialseg" if is_module else "python run.py"


def typed(*arguments: str) -> str:
    """A command of this program as it is typed in a shell."""
    return f"{program()} {shlex.join(arguments)}"


def shipped_folder() -> Path:
    """The folder with ``conf`` and ``weights``: the package's, or the clone's if it is editable."""
    package = Path(__file__).parents[1]
    return package if (package / "conf").is_dir() else package.parents[1]
