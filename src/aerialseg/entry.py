"""What a command does first: composes the config, validates it and runs one task."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path

import hydra
from omegaconf import DictConfig

from aerialseg.config.overrides import prepare_overrides
from aerialseg.config.own_folders import look_first_in, own_folders
from aerialseg.config.program import shipped_folder
from aerialseg.config.resolvers import register_shipped
from aerialseg.config.yaml_files import check_files
from aerialseg.errors import ConfigError
from aerialseg.stopping import stop_behind, stop_on_signals


def run_command_line(shipped: Path) -> None:
    """Runs the command of ``sys.argv``.

    Args:
        shipped: The folder with ``conf`` and ``weights``.

    Raises:
        SystemExit: If the command fails; a mistake of the user is one line for each problem.
    """
    conf_dir = shipped.absolute() / "conf"  # Hydra looks for a relative one in this package
    if isinstance(sys.stdout, TextIOWrapper):
        # What Windows pipes or an old terminal cannot show must not end a run.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _let_threads_sleep()
        stop_on_signals()
        register_shipped(shipped)
        own = own_folders(sys.argv[1:])
        for folder in (conf_dir, *own):
            check_files(folder)
        look_first_in(own)
        sys.argv[1:] = prepare_overrides(sys.argv[1:], conf_dir)
        hydra.main(version_base="1.3", config_path=str(conf_dir), config_name="config")(_run)()
    except (ConfigError, SystemExit) as error:
        if (stop := stop_behind(error)) is not None:
            print(stop, file=sys.stderr)
            raise stop from None
        if isinstance(error, ConfigError):
            sys.exit(error.lines())
        raise


def _let_threads_sleep() -> None:
    """Lets the threads of torch sleep when they have waited a little, unless the user decided.

    By default they spin for long. While another process has the CPU of one of them, the others
    then burn theirs, and training takes ten times as long. Sleeping at once would cost a fifth of
    the speed on an idle machine. OpenMP reads this when torch is imported.
    """
    if not any(name in os.environ for name in ("OMP_WAIT_POLICY", "KMP_BLOCKTIME")):
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def main() -> None:
    """The command ``aerialseg``: as ``run.py``, with what the package ships."""
    run_command_line(shipped_folder())


def _run(cfg: DictConfig) -> object:
    """Validates a composed config and runs its task."""
    from aerialseg.config.command import run_task  # imports torch, which --help does not need

    return run_task(cfg)
