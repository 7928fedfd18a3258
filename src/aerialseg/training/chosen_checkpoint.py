"""Whether the checkpoint that a task reads is the one that was meant."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aerialseg.config.schema import Experiment
from aerialseg.config.tasks import find_task
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.errors import ConfigError
from aerialseg.storage.checkpoints import Description
from aerialseg.storage.run_folders import RunFolder

logger = logging.getLogger(__name__)

_OURS = "aerialseg.models.networks."


def check_chosen_checkpoint(experiment: Experiment, description: Description) -> None:
    """Checks a checkpoint against what was typed beside it, and warns of what may not be meant.

    A line says if later stages went on from a stage that nobody typed, and if results are put among
    those of another run.

    Args:
        experiment: The config; ``checkpoint`` is read.
        description: What the checkpoint says about itself.

    Raises:
        ConfigError: If another network was typed than the checkpoint's.
    """
    typed = {override_key(override) for override in command_overrides()}
    _check_network(experiment, description, typed)
    for line in (*_later_stages(experiment, typed), *_misplaced_results(experiment, typed)):
        logger.warning(line)


def _check_network(experiment: Experiment, description: Description, typed: set[str]) -> None:
    """Raises ConfigError if another network was typed: that of the checkpoint is used anyway."""
    network: Any = experiment.model.network
    keys = [
        key
        for key in network
        if key in description.network
        and ("model" in typed or f"model.network.{key}" in typed)
        and key != "aux_head"  # the stage decides it
    ]
    for key in keys:
        if network[key] != description.network[key]:
            given, held = (
                str(each[key]).removeprefix(_OURS) for each in (network, description.network)
            )
            name = "model" if key == "_target_" else f"model.network.{key}"
            raise ConfigError(
                f"{name}: is {given}, but the network of {experiment.only_checkpoint} is used, "
                f"which has {held}; leave {name} out, or give the checkpoint of another run"
            )


def _later_stages(experiment: Experiment, typed: set[str]) -> Iterator[str]:
    """Says which finished stages of a run went on from the one that is read by default."""
    if typed & {"stage", "checkpoint"} or find_task(str(experiment.task["name"])).reads_run:
        return
    run, stage = Path(experiment.paths.runs_dir, experiment.run_name), experiment.stage.name
    parents = _parents(run)
    after: list[str] = []
    following = [stage]
    while following:
        following = [each for each, parent in parents.items() if parent in following]
        following = [each for each in following if each != stage and each not in after]
        after += following
    if after:
        yield (
            f"run {experiment.run_name}: stage {stage} is read, but {', '.join(after)} went on "
            f"from it; for the last one add stage={after[-1]}, for this one stage={stage}"
        )


def _parents(run: Path) -> Mapping[str, str]:
    """The finished stages of a run, and the stage of the same run that each started from."""
    parents = {}
    for path in sorted(run.glob("*/train")):
        folder = RunFolder(path)
        with suppress(ConfigError):  # a damaged record says nothing
            if folder.finished() and (start := folder.provenance()["parent"].get("path")):
                before = RunFolder.of_checkpoint(Path(start)).path
                if before.parts[-3:-2] == (run.name,):  # else a file of weights, or another run
                    parents[path.parent.name] = before.parent.name
    return parents


def _misplaced_results(experiment: Experiment, typed: set[str]) -> Iterator[str]:
    """Says if results of a checkpoint are put into the folder of another run."""
    if "checkpoint" not in typed or "paths.output_dir" in typed:
        return
    chosen = find_task(str(experiment.task["name"]))
    if not chosen.reads_data or chosen.may_read_checkpoints:  # an inspection is about the data
        return
    output = Path(experiment.paths.output_dir)
    own = RunFolder.of_checkpoint(Path(experiment.only_checkpoint).expanduser())
    other = RunFolder(output.parent / "train")
    is_own = own.path.resolve() == other.path.resolve()
    if not is_own and (own.holds_run() or other.holds_run()):
        beside = own.path.parent / output.name
        yield (
            f"results go to {output}, which is not beside {experiment.only_checkpoint}; choose "
            f"another folder with paths.output_dir, such as paths.output_dir={beside}"
        )
