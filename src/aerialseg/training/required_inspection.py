"""Whether the data of a stage were inspected, where training shall not begin without."""

from typing import Literal, TypeAlias

from aerialseg.config.program import typed
from aerialseg.config.typed_overrides import command_overrides, override_key
from aerialseg.data.cache.inspection_records import data_fingerprint, find_record
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.durations import counted
from aerialseg.errors import ConfigError

Required: TypeAlias = Literal["clean", "no_errors"]
"""What an inspection must have found: neither errors nor warnings, or no errors."""

_NOT_OF_THE_DATA = (
    *("task", "existing", "trainer", "stage", "recipe", "checkpoint"),
    *("model", "loss", "optimizer", "scheduler"),
)
"""Groups and keys of which an inspection takes nothing."""


def check_inspected(data: AerialSegDataModule, required: Required | None) -> None:
    """Checks that the data were inspected as they are, with the result that is asked for.

    Args:
        data: What is trained on.
        required: See :data:`Required`; None for nothing.

    Raises:
        ConfigError: If not; says which command to run.
    """
    if required is None:
        return
    contents = data.contents
    of_data = data_fingerprint(contents.samples, contents.images.digests, contents.counts)
    found = find_record(of_data, cache_dir=data.cache_dir)
    command = inspection_command()
    if found is None:
        raise ConfigError(
            f"task.require: is {required}, but {data.place} was not inspected as it is now, with "
            f"this split; run {command}"
        )
    refused = {each: found[each] for each in ("error", "warning") if found[each]}
    if required == "no_errors":
        refused.pop("warning", None)
    if refused:
        shown = " and ".join(counted(number, each) for each, number in refused.items())
        raise ConfigError(
            f"task.require: is {required}, but the inspection of {data.place} found {shown}; "
            f"{command} shows them again"
        )


def inspection_command() -> str:
    """The command that inspects the data of this one, also where it takes them from a run."""
    kept = [each for each in command_overrides() if _is_of_data(override_key(each))]
    return typed("task=inspect", *(each.lstrip("+") for each in kept))


def _is_of_data(key: str) -> bool:
    return key.partition(".")[0] not in _NOT_OF_THE_DATA
