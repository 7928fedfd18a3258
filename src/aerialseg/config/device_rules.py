"""Rules for the device that trains: Lightning knows it, this machine has it, and it is one."""

from collections.abc import Iterator

from aerialseg.config.problems import Problem
from aerialseg.config.trainer_rules import Rule
from aerialseg.config.types import Lookup
from aerialseg.errors import did_you_mean
from aerialseg.values.wording import show

_ONE = "set trainer.devices=1"


def device_rules() -> tuple[Rule, ...]:
    """All rules of this module."""
    return (_accelerator, _devices, _num_nodes, _strategy)


def _accelerator(config: Lookup) -> Iterator[Problem]:
    """Lightning knows the accelerator and this machine has it."""
    from pytorch_lightning.accelerators import AcceleratorRegistry

    path = "trainer.accelerator"
    name = config[path]
    known = {"auto", "gpu", *AcceleratorRegistry.available_accelerators()}
    if name is not None and not isinstance(name, str):
        yield Problem(path, f"{show(name)} is not a name; known: {', '.join(sorted(known))}")
    elif isinstance(name, str) and name not in known:
        yield Problem(path, f"there is no '{name}'{did_you_mean(name, known)}")
    elif name not in (None, "auto"):
        kinds = ("cuda", "mps") if name == "gpu" else (name,)
        if not any(AcceleratorRegistry[kind]["accelerator"].is_available() for kind in kinds):
            yield Problem(path, f"this machine has no '{name}' that can be used; try trainer=cpu")


def _devices(config: Lookup) -> Iterator[Problem]:
    """Training uses one device, which is there; more than one is not supported yet."""
    path = "trainer.devices"
    if "devices" not in config["trainer"]:
        return
    value = config[path]
    count, index = _read(value)
    if count is None:
        text = f"{show(value)} is neither a number of devices nor the index of a GPU; {_ONE}"
        yield Problem(path, text)
    elif count == 0:
        yield Problem(path, f"{show(value)} is no device to train on; {_ONE}")
    elif count != 1:
        text = f"{show(value)} may mean more than one device; training uses one; {_ONE}"
        yield Problem(path, text)
    elif index is not None and _is_on_cpu(config["trainer.accelerator"]):
        text = f"{show(value)} is the index of a GPU, but training is on the CPU; {_ONE}"
        yield Problem(path, text)
    elif index is not None and index not in range(_count_gpus()):
        text = f"there is no GPU {index}; this machine has {_count_gpus()}, counted from 0; {_ONE}"
        yield Problem(path, text)


def _num_nodes(config: Lookup) -> Iterator[Problem]:
    path = "trainer.num_nodes"
    if (value := config[path]) not in (None, 1):
        text = f"{show(value)} may mean more than one device; training uses one; set {path}=1"
        yield Problem(path, text)


def _strategy(config: Lookup) -> Iterator[Problem]:
    path = "trainer.strategy"
    if (value := config[path]) not in (None, "auto"):
        text = f"{show(value)} is for several devices; training uses one; set {path}=auto"
        yield Problem(path, text)


def _read(devices: object) -> tuple[int | None, int | None]:
    """How many devices Lightning takes the setting for, and the index of the one.

    The number is -1 for any, None if it is none; the index None unless one is given.
    """
    if isinstance(devices, str):
        parts: list[object] = [part for part in devices.split(",") if part.strip()]
        if "," not in devices:  # "2," is an index, "2" is a count
            return (-1, None) if devices == "auto" else (_whole(devices), None)
    elif isinstance(devices, list):
        parts = devices
    else:
        return _whole(devices), None
    indices = [_whole(part) for part in parts]
    if None in indices:
        return None, None
    return len(indices), indices[0] if len(indices) == 1 else None


def _whole(value: object) -> int | None:
    if isinstance(value, str):
        sign, digits = value.strip().startswith("-"), value.strip().removeprefix("-")
        return int(digits) * (-1 if sign else 1) if digits.isdecimal() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_on_cpu(accelerator: object) -> bool:
    from pytorch_lightning.accelerators import AcceleratorRegistry

    if accelerator in (None, "auto"):
        kinds = [AcceleratorRegistry[kind]["accelerator"] for kind in ("cuda", "mps")]
        return not any(kind.is_available() for kind in kinds)
    return accelerator == "cpu"


def _count_gpus() -> int:
    from pytorch_lightning.accelerators import AcceleratorRegistry

    kinds = [AcceleratorRegistry[kind]["accelerator"] for kind in ("cuda", "mps")]
    return max(kind.auto_device_count() if kind.is_available() else 0 for kind in kinds)
