"""Declaring a task and its requirements, and finding a task by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aerialseg.config.targets import resolve_target

_Function = TypeVar("_Function", bound=Callable[..., object])


@dataclass(frozen=True)
class Task:
    """A task's function and its requirements, as declared by :func:`task`.

    Attributes:
        function: Called with the :class:`~aerialseg.config.schema.Experiment` and the options
            under ``task`` in the config.
        reads_data: Whether it reads ``data``; it then has the default of the run it is about.
        reads_checkpoint: Whether it reads ``checkpoint``; the file must then exist.
        averages_checkpoints: Whether ``checkpoint`` may also be a list, of an ensemble.
        may_read_checkpoints: Whether it reads ``checkpoint``, one or a list, if that is given.
        takes_exported: Whether ``checkpoint`` may be a model that ``task=export`` wrote.
        reads_input: What ``input`` must name, which must then be set; empty if it is not read.
        starts_stage: Whether it starts the stage from its predecessor's checkpoint; the
            predecessor must then be finished.
        may_run_in_chain: Whether it has the option ``chain``: the predecessor may then be missing,
            because an earlier job of the same chain will train it.
        reads_run: Whether it is about a whole run, whose latest stage then gives the defaults.
        compares_runs: Whether it reads the two runs of its option ``runs``, each with the data and
            the checkpoint of its own; both must then be finished.
        writes_run: Whether it trains into ``paths.output_dir``; ``existing`` then decides what
            happens to an existing run, and a stopped run can be resumed.
    """

    function: Callable[..., Any]
    reads_data: bool = False
    reads_checkpoint: bool = False
    averages_checkpoints: bool = False
    may_read_checkpoints: bool = False
    takes_exported: bool = False
    reads_input: str = ""
    starts_stage: bool = False
    may_run_in_chain: bool = False
    reads_run: bool = False
    compares_runs: bool = False
    writes_run: bool = False


def task(
    *,
    reads_data: bool = False,
    reads_checkpoint: bool = False,
    averages_checkpoints: bool = False,
    may_read_checkpoints: bool = False,
    takes_exported: bool = False,
    reads_input: str = "",
    starts_stage: bool = False,
    may_run_in_chain: bool = False,
    reads_run: bool = False,
    compares_runs: bool = False,
    writes_run: bool = False,
) -> Callable[[_Function], _Function]:
    """Registers the decorated function as a task and returns it unchanged.

    Args:
        reads_data: See :class:`Task`.
        reads_checkpoint: See :class:`Task`.
        averages_checkpoints: See :class:`Task`.
        may_read_checkpoints: See :class:`Task`.
        takes_exported: See :class:`Task`.
        reads_input: See :class:`Task`.
        starts_stage: See :class:`Task`.
        may_run_in_chain: See :class:`Task`.
        reads_run: See :class:`Task`.
        compares_runs: See :class:`Task`.
        writes_run: See :class:`Task`.
    """

    def declare(function: _Function) -> _Function:
        _TASKS[function.__name__] = Task(
            function,
            reads_data=reads_data,
            reads_checkpoint=reads_checkpoint,
            averages_checkpoints=averages_checkpoints,
            may_read_checkpoints=may_read_checkpoints,
            takes_exported=takes_exported,
            reads_input=reads_input,
            starts_stage=starts_stage,
            may_run_in_chain=may_run_in_chain,
            reads_run=reads_run,
            compares_runs=compares_runs,
            writes_run=writes_run,
        )
        return function

    return declare


def find_task(name: str) -> Task:
    """The task of ``task=NAME``: the function NAME in the module ``aerialseg.tasks.NAME``.

    Raises:
        ConfigError: If there is no such task.
    """
    resolve_target(f"aerialseg.tasks.{name}.{name}")  # the import registers it
    return _TASKS[name]


_TASKS: dict[str, Task] = {}
