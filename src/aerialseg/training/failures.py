"""What can end training, in one line: no memory left, a dead process, a callback that refuses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import nn
from torch._C import _error_if_any_worker_fails

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.errors import ConfigError, DataError, TrainingError
from aerialseg.models.module import SegmentationModule

_WANTS_LONG = re.compile(
    "expected scalar type Long but found Byte|int64 for index|applicable to index tensor"
)
"""What operations of torch say that take class ids as int64 only."""

_DEAD_WORKER = re.compile(r"DataLoader worker \(pid(?:\(s\))? (\d+)")
_SIGNAL = re.compile(r"is killed by signal: ([\w ]+)")


@contextmanager
def explained_failures(module: SegmentationModule, data: AerialSegDataModule) -> Iterator[None]:
    """Says what can be done where the device, a loader's worker or a setting fails.

    Raises:
        TrainingError: If the device runs out of memory or has no deterministic operation, or the
            loss needs another type of class ids.
        DataError: If a worker dies; names the sample it was at.
        ConfigError: If Lightning, or a callback or logger of the user's choice, refuses to start.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        half = max(1, data.batch_size // 2)
        cut = f"; or a smaller data.window (now {list(data.window)})" if data.window else ""
        key, size = "image_min_size", str(data.image_min_size)
        if data.crops is not None:
            key, size = "crop_size", str(list(data.crops.size))
        raise TrainingError(
            f"stage {module.description.stage}: the device is out of memory with "
            f"data.batch_size={data.batch_size} and data.{key}={size}; "
            f"set data.batch_size={half} with trainer.accumulate_grad_batches=2, "
            f"a smaller data.{key}, or trainer.precision=16-mixed{cut}"
        ) from error
    except (MisconfigurationException, ModuleNotFoundError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"trainer, callbacks or logger: {reason}") from error
    except (ConnectionError, EOFError) as error:
        # The connection to a worker that dies can break before torch has heard of its death.
        told = _failure_of_worker()
        if told is None:
            raise
        raise _worker_died(told, data) from error
    except RuntimeError as error:
        if "does not have a deterministic implementation" in str(error):
            operation = str(error).split()[0]
            raise TrainingError(
                f"trainer.deterministic: {operation} has no deterministic implementation on this "
                "device; set trainer.deterministic=warn"
            ) from error
        if _WANTS_LONG.search(str(error)):
            raise TrainingError(loss_failure(module.loss, error)) from error
        if not _DEAD_WORKER.search(str(error)):
            raise
        raise _worker_died(error, data) from error


def loss_failure(loss: nn.Module, error: Exception) -> str:
    """What a loss raised, in one line, with what it is given."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    convert = "; convert them by target.long()" if _WANTS_LONG.search(str(error)) else ""
    return (
        f"loss.function: {type(loss).__name__} raises {reason}; it is called with (N, C, h, w) "
        f"float logits and (N, H, W) uint8 class ids{convert}"
    )


def _failure_of_worker() -> RuntimeError | None:
    """What torch says of a loader's process that has died; None if none has."""
    try:
        _error_if_any_worker_fails()
    except RuntimeError as error:
        return error
    return None


def _worker_died(error: RuntimeError, data: AerialSegDataModule) -> DataError:
    """The error for a dead worker: how it died, over which sample, and what may help."""
    chain = f"{error} {error.__cause__} {error.__context__}"
    signal, dead = _SIGNAL.search(chain), _DEAD_WORKER.search(chain)
    cause = f" ({signal[1].strip()})" if signal else ""
    found = data.loaders.sample_of_worker(int(dead[1])) if dead else None
    where = "before its first sample"
    if found is not None:
        sample, loading = found
        where = f"{'while loading' if loading else 'after loading'} {sample.name}, {sample.image}"
    return DataError(
        f"a process that loads images died{cause} {where}; if memory ran out, lower "
        f"data.num_workers (now {data.num_workers}) or data.batch_size; if it is always this "
        "image, take it out; data.num_workers=0 loads without such processes"
    )
