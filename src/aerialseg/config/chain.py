"""The chain of stages: their configs, and their order by ``previous``."""

from collections.abc import Mapping, Sequence
from typing import Literal

from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from aerialseg.config.composition import compose
from aerialseg.config.typed_overrides import command_overrides, config_name, override_key
from aerialseg.errors import ConfigError, did_you_mean

Place = Literal["alone", "first", "later"]
"""Where a stage stands among those that one command trains.

``later``: an earlier job of the command makes the checkpoint that it reads, which may be missing
until then. ``first``: other stages follow.
"""
_NAME_STAGES = "name them in the order of training, as in '{}=[head,aspp,full]'"
_NAME_STAGES_OF_TASK = _NAME_STAGES.format("task.stages")
_FIXED_BY_CHAIN = {
    "stage": f"a curriculum trains several stages; {_NAME_STAGES_OF_TASK}",
    "paths.output_dir": "a curriculum writes each stage to a folder of its own; choose "
    "paths.runs_dir and run_name instead, and sweep run_name only",
    "checkpoint": "a curriculum evaluates the checkpoint of its last stage; for another use "
    "task=evaluate",
}
_START = (
    "++stage.from_run=${run_name}",
    "++stage.init_checkpoint='${paths.runs_dir}/${run_name}/${stage.previous}/train/checkpoints/"
    "${stage.load_from}.ckpt'",
)
"""Where every stage of a chain but the first starts: from the stage before it in the same run."""
_FIRST_STAGE_ONLY = ("stage.init_checkpoint", "stage.from_run", "stage.previous")
"""Keys that set where a chain starts; later stages start from their predecessor."""


def compose_chain(
    stages: Sequence[str] | None, *, from_weights: bool = False
) -> dict[str, DictConfig]:
    """The configs of a chain of stages, with the other overrides of this command.

    Args:
        stages: The names in order, each starting from the one before it; ``None`` for all stage
            files, in the order that ``previous`` gives them.
        from_weights: Whether the first stage starts from ``model.weights``, whatever its file
            says, unless the command says where it starts.

    Raises:
        ConfigError: If a stage does not exist or is named twice, or if the stage files do not
            form one chain.
    """
    if stages is None:
        previous = {
            name: compose_stage(name, task="train", place="later").stage.previous
            for name in stage_choices()
        }
        names = stage_order(previous)
    else:
        names = list(stages)
        _check_names(names)
        previous = dict(zip(names[1:], names, strict=False))
    chain = {}
    for index, name in enumerate(names):
        # A stage file or an experiment may say where its stage starts; in a chain the order does.
        start = [f"++stage.previous={previous[name]}", *_START] if index else []
        if from_weights and not index and not _says_where_it_starts():
            start = ["++stage.previous=null", "++stage.init_checkpoint=null"]
        place: Place = "later" if index else "first"
        chain[name] = compose_stage(name, task="train", place=place, also=start)
    return chain


def compose_stage(
    stage: str, *, task: str, place: Place = "first", also: Sequence[str] = ()
) -> DictConfig:
    """The config of a stage for a task, with the other overrides of this command.

    Existing runs are resumed unless an override says otherwise.

    Args:
        stage: The choice of the group ``stage``.
        task: The choice of the group ``task``.
        place: Overrides of the start of the chain do not apply to a later stage.
        also: More overrides, which take precedence over those of the command.
    """
    dropped = _FIRST_STAGE_ONLY if place == "later" else ()
    others = [override for override in _other_overrides() if override_key(override) not in dropped]
    choices = [f"stage={stage}", f"task={task}"]
    return compose(config_name(), ["existing=resume", *others, *choices, *also])


def check_overrides_of_chain() -> None:
    """Checks that no override of the command fixes what differs from stage to stage.

    Raises:
        ConfigError: If one chooses a stage, a stage's folder or a checkpoint.
    """
    problems = [
        f"{override_key(override)}: {_FIXED_BY_CHAIN[override_key(override)]}"
        for override in command_overrides()
        if override_key(override) in _FIXED_BY_CHAIN
    ]
    if problems:
        raise ConfigError(*problems)


def stage_order(previous: Mapping[str, str | None]) -> list[str]:
    """Orders stages so that each follows the one it starts from.

    Args:
        previous: By stage, the stage it starts from; ``None`` for the first.

    Raises:
        ConfigError: If the stages do not form one chain.
    """
    order: list[str] = []
    following = [name for name, before in previous.items() if before is None]
    while following:
        if len(following) > 1:
            place = f"start from stage {order[-1]}" if order else "start from no other stage"
            raise ConfigError(f"stage: {' and '.join(following)} {place}; {_NAME_STAGES_OF_TASK}")
        order += following
        following = [name for name, before in previous.items() if before == order[-1]]
    if left := [name for name in previous if name not in order]:
        raise ConfigError(
            f"stage: {', '.join(left)} cannot be reached from the first stage by `previous`; "
            f"{_NAME_STAGES_OF_TASK}"
        )
    return order


def _check_names(stages: Sequence[str]) -> None:
    """Checks that the stages exist and that each is named once."""
    key = "task.stages"
    if problems := problems_of_names(stages, key=key):
        raise ConfigError(*(f"{key}: {text}" for text in problems))


def problems_of_names(stages: Sequence[str], *, key: str) -> list[str]:
    """What is wrong with the names of the stages of a chain.

    Args:
        stages: The names in order.
        key: Where they were said.
    """
    choices = stage_choices()
    problems = [
        f"there is no stage '{name}'{did_you_mean(name, choices)}"
        for name in stages
        if choices and name not in choices
    ]
    twice = [name for name in dict.fromkeys(stages) if stages.count(name) > 1]
    problems += [f"names stage '{name}' more than once" for name in twice]
    return problems if stages else [f"is empty; {_NAME_STAGES.format(key)}"]


def stage_choices() -> list[str]:
    """The names of all stage files; empty where Hydra has composed nothing."""
    if not GlobalHydra.instance().is_initialized():
        return []
    return list(GlobalHydra.instance().config_loader().get_group_options("stage"))


def _says_where_it_starts() -> bool:
    """Whether an override of this command says where a chain starts."""
    return any(override_key(override) in _FIRST_STAGE_ONLY for override in command_overrides())


def _other_overrides() -> list[str]:
    """The overrides of this command except the stage, the task and its options."""
    kept = []
    for override in command_overrides():
        key = override_key(override)
        if key not in ("stage", "task") and not key.startswith("task."):
            kept.append(override)
    return kept
