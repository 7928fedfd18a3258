"""The entry point: composes the config, validates it and runs one task."""

import sys
from io import TextIOWrapper
from pathlib import Path

import hydra
from omegaconf import DictConfig

from aerialseg.config.overrides import prepare_overrides
from aerialseg.config.resolvers import register_shipped
from aerialseg.config.yaml_files import check_files
from aerialseg.errors import ConfigError
from aerialseg.stopping import Stopped, stop_on_signals

CONF_DIR = Path(__file__).parent / "conf"


@hydra.main(version_base="1.3", config_path=str(CONF_DIR), config_name="config")
def main(cfg: DictConfig) -> object:
    """Validates a composed config and runs its task."""
    from aerialseg.config.command import run_task  # imports torch, which --help does not need

    return run_task(cfg)


if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):
        # What Windows pipes or an old terminal cannot show must not end a run.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        stop_on_signals()
        register_shipped(CONF_DIR.parent)
        check_files(CONF_DIR)
        sys.argv[1:] = prepare_overrides(sys.argv[1:], CONF_DIR)
        main()
    except ConfigError as error:
        sys.exit(error.lines())
    except Stopped as stop:
        print(stop, file=sys.stderr)
        raise
