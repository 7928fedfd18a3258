"""How many threads torch computes with on the CPU."""

import logging
import os
from dataclasses import dataclass
from typing import Literal

import torch

from aerialseg.durations import counted
from aerialseg.training.cpus import usable_cpus

logger = logging.getLogger(__name__)

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables by which users give torch a number."""


@dataclass
class _Numbers:
    """What torch would use by itself, and what we have told it to use instead."""

    own: int = 0
    told: int = 0


_numbers = _Numbers()


def use_threads(setting: int | Literal["auto"], *, device: str) -> None:
    """Sets the threads of torch for this process, and says so where that changes the number.

    With ``auto`` there are no more than CPUs that the process may use: in a container torch counts
    all of the machine's. Where there are fewer, as after ``torch.set_num_threads``, where a
    variable gives a number, and on a GPU, ``auto`` leaves them as they are. Loading workers are not
    counted: they wait for training more often than they work, and each has one thread.

    Args:
        setting: ``auto`` or a number.
        device: Where the network runs: ``cpu`` or another of torch.
    """
    now = torch.get_num_threads()
    # Unless somebody else has set another number since.
    own = _numbers.own if now == _numbers.told else now
    if isinstance(setting, int):
        wanted, reason = setting, "compute.threads"
    else:
        cpus = usable_cpus()
        given = device != "cpu" or any(os.environ.get(name) for name in _VARIABLES)
        wanted = own if given else min(own, cpus)
        reason = f"compute.threads=auto; this process may use {counted(cpus, 'CPU')}"
    if wanted != now:
        torch.set_num_threads(wanted)
        logger.info("torch uses %s instead of %d (%s)", counted(wanted, "thread"), now, reason)
    _numbers.own, _numbers.told = own, wanted
