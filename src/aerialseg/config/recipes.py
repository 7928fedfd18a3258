"""Recipes: how the stages are trained, where stage files say what learns and from where."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeGuard

from hydra.core.global_hydra import GlobalHydra
from omegaconf import ListConfig, OmegaConf

from aerialseg.config.chain import problems_of_names, stage_choices
from aerialseg.config.composition import compose
from aerialseg.config.idle_values import STAGE_TABLES
from aerialseg.config.problems import Problem
from aerialseg.config.program import shipped_folder
from aerialseg.config.trainer_rules import Rule
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.config.types import Lookup
from aerialseg.errors import ConfigError, did_you_mean
from aerialseg.values.wording import show

_USUAL_EDGE = 720  # pixels
_DECIDES = {
    "stage.epochs": ("recipe.epochs", "recipe.scale"),
    "stage.learning_rate": ("recipe.learning_rate",),
    "stage.fresh": ("recipe.fresh",),
    "stage.load_from": ("recipe.load_from",),
    "loss.class_weights": ("recipe.class_weights",),
    "augmentation": ("recipe.augmentation",),
    "data.crop_size": ("recipe.crops",),
    "task.stages": ("recipe.stages",),
}
"""By key: the keys of a recipe that decide it, unless something else is said."""


def scaled_epochs(epochs: object, scale: object) -> object:
    """``epochs * scale`` as a whole number, at least 1; ``epochs`` itself if one is no number.

    What is no number is reported where it was said.
    """
    if not (_is_number(epochs) and _is_number(scale)):
        return epochs
    return max(1, round(epochs * scale))


def crop_size(share: object, image_min_size: object, window: object) -> object:
    """The edge of square crops that are a share of what validation shows.

    Args:
        share: Of the shorter edge, above 0; None for no crops.
        image_min_size: The shorter edge of images or windows; None if they keep their size.
        window: The edge of windows, or their height and width; None for whole images.

    Returns:
        Pixels, a multiple of 16, at least 32; None for no crops. Images that keep their size,
        which may differ, are taken for 720 pixels.
    """
    if not _is_number(share):
        return share
    edge = image_min_size or window or _USUAL_EDGE
    edges = edge if isinstance(edge, Sequence) and not isinstance(edge, str) else [edge]
    if not all(map(_is_number, edges)):
        return None  # what is no number is reported where it was said
    return max(32, 16 * round(share * min(edges) / 16))


def transforms_of(choice: str) -> ListConfig:
    """What a choice of the group ``augmentation`` does to training images, as in its file.

    Raises:
        ConfigError: If there is no such choice, or if it builds something else than a
            ``Compose`` of transforms.
    """
    choices = _augmentations()
    if choice not in choices:
        raise ConfigError(f"there is no augmentation '{choice}'{did_you_mean(choice, choices)}")
    if GlobalHydra.instance().is_initialized():
        node = compose(f"augmentation/{choice}", []).augmentation
    else:
        node = OmegaConf.load(_shipped() / f"{choice}.yaml")
    if node.get("_target_") != "albumentations.Compose" or set(node) != {"_target_", "transforms"}:
        raise ConfigError(
            f"augmentation={choice} says more than the transforms of an albumentations.Compose, "
            "so it is for all stages or none; choose it by itself"
        )
    transforms: ListConfig = node.transforms
    return transforms


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _augmentations() -> list[str]:
    """The choices that a recipe can make: all but the one that asks the recipe.

    Where Hydra has composed a config and is gone, only what is shipped is known.
    """
    if GlobalHydra.instance().is_initialized():
        names = list(GlobalHydra.instance().config_loader().get_group_options("augmentation"))
    else:
        names = sorted(path.stem for path in _shipped().glob("*.yaml"))
    return [name for name in names if name != "by_stage"]


def _shipped() -> Path:
    return shipped_folder() / "conf" / "augmentation"


def recipe_rules() -> tuple[Rule, ...]:
    """All rules of this module."""
    return (_stages, _rows, _contradictions, _without_effect)


def _stages(config: Lookup) -> Iterator[Problem]:
    """The stages of a curriculum exist and are named once, whether one is trained now or not."""
    names, path = config["recipe.stages"], "recipe.stages"
    for text in () if names is None else problems_of_names(names, key=path):
        yield Problem(path, text)


def _rows(config: Lookup) -> Iterator[Problem]:
    """The rows of the tables are stages, and the augmentations that they name exist."""
    stages = [*stage_choices(), config["stage.name"]]
    for table in STAGE_TABLES:
        for stage in config[f"recipe.{table}"]:
            if len(stages) > 1 and stage not in stages:
                text = f"there is no stage '{stage}'{did_you_mean(stage, stages)}"
                yield Problem(f"recipe.{table}.{stage}", text)
    for stage, name in config["recipe.augmentation"].items():
        known = _augmentations()
        if name not in known:
            text = f"there is no augmentation '{name}'{did_you_mean(name, known)}"
            yield Problem(f"recipe.augmentation.{stage}", text)


def _contradictions(config: Lookup) -> Iterator[Problem]:
    """One value is typed in one place."""
    for key, deciding in _DECIDES.items():
        if key in _typed():
            for other in _typed_below(deciding):
                text = f"is typed, and so is {other}, which decides it otherwise; leave one out"
                yield Problem(key, text)


def _without_effect(config: Lookup) -> Iterator[Problem]:
    """What is typed of the recipe decides the stage: nothing else has said it before."""
    stage = config["stage.name"]
    decided = {
        "stage.epochs": scaled_epochs(config["recipe.epochs"].get(stage), config["recipe.scale"]),
        "stage.learning_rate": config["recipe.learning_rate"].get(stage),
        "stage.fresh": config["recipe.fresh"],
        "stage.load_from": config["recipe.load_from"],
        "loss.class_weights": config["recipe.class_weights"],
        "data.crop_size": crop_size(
            config["recipe.crops"].get(stage), config["data.image_min_size"], config["data.window"]
        ),
    }
    for key, value in decided.items():
        if key in _typed() or value is None or config[key] == value:
            continue
        for typed in _typed_below(_DECIDES[key]):
            if typed.count(".") == 1 or typed.endswith(f".{stage}"):
                text = (
                    f"has no effect on stage {stage}: {key}={show(config[key])} is set by a file; "
                    f"type {key} instead"
                )
                yield Problem(typed, text)


def _typed() -> list[str]:
    """The keys of the overrides of this command."""
    return [override_key(override) for override in command_overrides()]


def _typed_below(keys: tuple[str, ...]) -> list[str]:
    """The typed keys that are one of some keys or part of it."""
    return [each for each in _typed() if any(f"{each}.".startswith(f"{key}.") for key in keys)]
