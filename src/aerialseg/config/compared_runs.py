"""The config of each of the runs that one command reads."""

from collections.abc import Sequence
from dataclasses import replace

from hydra.core.hydra_config import HydraConfig

from aerialseg.config.composition import compose
from aerialseg.config.remembered import with_choices_of
from aerialseg.config.schema import Experiment
from aerialseg.config.typed_overrides import command_overrides, config_name, set_command_overrides
from aerialseg.config.validation import validate
from aerialseg.report.named_stages import NamedStage


def experiments_of(experiment: Experiment, stages: Sequence[NamedStage]) -> list[Experiment]:
    """For each stage the config with the data that it was trained on, and with its checkpoint.

    What was typed takes precedence, as in other commands about a run.

    Args:
        experiment: The config of this command.
        stages: The stages.

    Raises:
        ConfigError: If a run was trained with a choice that is missing or invalid now.
    """
    return [replace(_of_run(experiment, each), checkpoint=str(each.checkpoint)) for each in stages]


def _of_run(experiment: Experiment, stage: NamedStage) -> Experiment:
    """The config of one run, with what was typed."""
    if not HydraConfig.initialized():
        return experiment  # called with a config of its own
    typed = command_overrides()
    try:
        asked = with_choices_of(stage.folder, compose(config_name(), typed))
        valid = validate(asked.config)
        asked.announce()
        return valid
    finally:
        set_command_overrides(typed)
