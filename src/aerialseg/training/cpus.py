"""How many CPUs this process may use, which in a container or a job are fewer than there are."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def usable_cpus() -> int:
    """The CPUs that the scheduler and the quota of control groups give this process, at least 1.

    A quota that is no whole number counts as the next lower one: a thread that is stopped for part
    of the time holds up the others, which wait for it.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # on Linux only
    cpus = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, min([cpus, *map(int, quotas())]))


def quotas(own: Path = _OWN_CGROUP, root: Path = _CGROUPS) -> Iterator[float]:
    """The limits on CPU time of this process's control groups, in CPUs.

    A limit of any group above it counts too. What cannot be read is no limit.

    Args:
        own: Says which groups the process is in, as ``ID:CONTROLLERS:PATH`` in each line.
        root: Where the groups are mounted.
    """
    for controllers, path in re.findall(r"^\d+:([^:]*):/(.*)$", _text(own), re.MULTILINE):
        names = controllers.split(",")
        if names != [""] and "cpu" not in names:
            continue
        # Version 2 has one tree without a name; version 1 one tree for each set of controllers.
        tree = root if names == [""] else root / controllers
        for group in (tree / path, *(tree / path).parents):
            yield from _quota(group)
            if group == tree:
                break


def _quota(group: Path) -> Iterator[float]:
    """The limit of one group, in the file of either version; nothing if it has none."""
    text = _text(group / "cpu.max") or " ".join(
        _text(group / f"cpu.cfs_{name}_us") for name in ("quota", "period")
    )
    numbers = text.split()  # microseconds of CPU time, of microseconds that pass
    if len(numbers) == 2 and all(number.isdecimal() for number in numbers) and int(numbers[1]):
        yield int(numbers[0]) / int(numbers[1])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
