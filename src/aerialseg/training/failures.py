"""What the machine can do to training, in one line: no memory left, a loader's process dead."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.errors import DataError, TrainingError
from aerialseg.models.module import SegmentationModule

_DEAD_WORKER = re.compile(r"DataLoader worker \(pid(?:\(s\))? (\d+)")
_SIGNAL = re.compile(r"is killed by signal: ([\w ]+)")


@contextmanager
def explained_failures(module: SegmentationModule, data: AerialSegDataModule) -> Iterator[None]:
    """Says what can be done where the device runs out of memory or a loader's worker dies.

    Raises:
        TrainingError: If the device did.
        DataError: If a worker did; names the sample it was at.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        half = max(1, data.batch_size // 2)
        raise TrainingError(
            f"stage {module.description.stage}: the device is out of memory with "
            f"data.batch_size={data.batch_size} and data.image_min_size={data.image_min_size}; "
            f"set data.batch_size={half} with trainer.accumulate_grad_batches=2, "
            "a smaller data.image_min_size, or trainer.precision=16-mixed"
        ) from error
    except RuntimeError as error:
        dead = _DEAD_WORKER.search(str(error))
        if dead is None:
            raise
        raise _worker_died(int(dead[1]), error, data) from error


def _worker_died(pid: int, error: BaseException, data: AerialSegDataModule) -> DataError:
    """The error for a dead worker: how it died, over which sample, and what may help."""
    chain = f"{error} {error.__cause__} {error.__context__}"
    signal = _SIGNAL.search(chain)
    cause = f" ({signal[1].strip()})" if signal else ""
    found = data.sample_of_worker(pid)
    where = "before its first sample"
    if found is not None:
        sample, loading = found
        where = f"{'while loading' if loading else 'after loading'} {sample.name}, {sample.image}"
    return DataError(
        f"a process that loads images died{cause} {where}; if memory ran out, lower "
        f"data.num_workers (now {data.num_workers}) or data.batch_size; if it is always this "
        "image, take it out; data.num_workers=0 loads without such processes"
    )
