"""What is typed and changes nothing: settings without what they belong to, rows of other stages."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from aerialseg.config.composition import compose
from aerialseg.config.problems import Problem
from aerialseg.config.schema import Experiment
from aerialseg.config.typed_overrides import (
    command_overrides,
    config_name,
    override_group,
    override_key,
    typed_keys,
)

STAGE_TABLES = ("epochs", "learning_rate", "augmentation", "crops")
"""What a recipe says stage by stage."""
_NEEDS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "crop_scale": (("crop_size",), "data.crop_size=256"),
    "rare_class_temperature": (("rare_classes", "paste_rare"), "data.rare_classes=0.5"),
}
"""By key of ``data``: the keys of which one must be set for it to matter, and how one is set."""
_RATES = ("stage.learning_rate", "recipe.learning_rate", "optimizer.function.lr")


def is_job() -> bool:
    """Whether this command is one job of a multirun, whose jobs are judged together."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def idle_settings(data: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Typed settings that are not used by any stage that a command trains.

    Args:
        data: The section ``data`` of each stage.
    """
    typed = typed_keys()
    problems = []
    for name, (needed, example) in _NEEDS.items():
        is_used = any(section.get(key) for section in data for key in needed)
        if f"data.{name}" in typed and data and not is_used:
            keys = " or ".join(f"data.{key}" for key in needed)
            text = f"has no effect without {keys}; leave it out, or add {example}"
            problems.append(Problem(f"data.{name}", text))
    return problems


def idle_rows(trained: Sequence[str]) -> list[Problem]:
    """Typed rows of the recipe that are for none of the stages that a command trains.

    Args:
        trained: The names of the stages.
    """
    problems = []
    for key in typed_keys():
        section, *rest = key.split(".")
        if section == "recipe" and len(rest) == 2 and rest[0] in STAGE_TABLES:
            stage = rest[1]
            if trained and stage not in trained:
                names = ", ".join(dict.fromkeys(trained))
                text = f"has no effect on what is trained here, {names}; leave it out"
                problems.append(Problem(key, text))
    return problems


def rate_of_another_optimizer(experiment: Experiment) -> str:
    """A line if the learning rate was chosen for another optimizer than the typed one; else empty.

    Args:
        experiment: The config of a command that trains.
    """
    typed = [override_key(override) for override in command_overrides()]
    if "optimizer" not in typed or any(key.startswith(_RATES) for key in typed):
        return ""
    others = [each for each in command_overrides() if override_group(each) != "optimizer"]
    own = str(compose(config_name(), others).optimizer.function._target_)
    now = str(experiment.optimizer.function["_target_"])
    stages = experiment.task.get("stages")
    name = next(iter(stages), "") if isinstance(stages, list) else experiment.stage.name
    rate = experiment.recipe.learning_rate.get(name)
    is_of_recipe = isinstance(stages, list) or experiment.stage.learning_rate == rate
    if own == now or rate is None or not is_of_recipe:
        return ""
    key = f"recipe.learning_rate.{name}" if isinstance(stages, list) else "stage.learning_rate"
    return (
        f"optimizer: stage {name} learns at {rate:g}, which recipe {experiment.recipe.name} chose "
        f"for {own.rpartition('.')[2]}, and not for {now.rpartition('.')[2]}; set another rate "
        f"with {key}=NUMBER"
    )
