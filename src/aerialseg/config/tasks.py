"""What a task declares about itself, and finding a task by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aerialseg.config.targets import resolve_target

_Function = TypeVar("_Function", bound=Callable[..., object])


@dataclass(frozen=True)
class Task:
    """A task's function and what it needs, as declared where the function is defined.

    Attributes:
        function: Called with the :class:`~aerialseg.config.schema.Experiment` and the options
            under ``task`` in the config.
        reads_checkpoint: Whether it reads ``checkpoint``, so that the file must exist.
        reads_input: Whether it reads ``input``, so that it must be set.
        starts_stage: Whether it starts the stage from its predecessor's checkpoint, so that the
            predecessor must be finished.
        may_run_in_chain: Whether it has the option ``chain``: then the predecessor may be missing,
            because an earlier job of the same chain will make it.
        writes_run: Whether it trains into ``paths.output_dir``, so that ``existing`` decides what
            happens to a run that is already there, and a stopped run can be resumed.
    """

    function: Callable[..., Any]
    reads_checkpoint: bool = False
    reads_input: bool = False
    starts_stage: bool = False
    may_run_in_chain: bool = False
    writes_run: bool = False


def task(
    *,
    reads_checkpoint: bool = False,
    reads_input: bool = False,
    starts_stage: bool = False,
    may_run_in_chain: bool = False,
    writes_run: bool = False,
) -> Callable[[_Function], _Function]:
    """Declares the decorated function a task; it is returned unchanged.

    Args:
        reads_checkpoint: As in :class:`Task`, like the others.
        reads_input: See there.
        starts_stage: See there.
        may_run_in_chain: See there.
        writes_run: See there.
    """

    def declare(function: _Function) -> _Function:
        _TASKS[function.__name__] = Task(
            function,
            reads_checkpoint=reads_checkpoint,
            reads_input=reads_input,
            starts_stage=starts_stage,
            may_run_in_chain=may_run_in_chain,
            writes_run=writes_run,
        )
        return function

    return declare


def find_task(name: str) -> Task:
    """The task behind ``task=NAME``: the function of that name in the module of that name.

    Raises:
        ConfigError: If there is no such task.
    """
    resolve_target(f"aerialseg.tasks.{name}.{name}")  # imports it, which declares it
    return _TASKS[name]


_TASKS: dict[str, Task] = {}
