"""Worker processes of loaders: how they work, and what one of them was doing when it died."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import cv2
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

from aerialseg.data.layouts.listing import Sample
from aerialseg.data.loading.sampling import Key


def make_loader(
    dataset: Dataset[dict[str, Any]],
    samples: Sequence[Sample],
    batch_sampler: Iterable[list[Any]],
    *,
    collate_fn: Callable[..., dict[str, Any]],
    num_workers: int,
    seed: int,
) -> DataLoader[dict[str, Any]]:
    """A loader whose workers outlive an epoch and can be traced.

    Args:
        dataset: What is served, with a key that is an index or ``(epoch, index)``.
        samples: What the indices mean.
        batch_sampler: Gives the keys of each batch.
        collate_fn: Makes a batch of samples.
        num_workers: Processes; with 0 the main process does their work.
        seed: Of the loader's random numbers.
    """
    return DataLoader(
        WatchedDataset(dataset, samples, num_workers) if num_workers else dataset,
        batch_sampler=batch_sampler,
        num_workers=num_workers,
        collate_fn=collate_fn,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=num_workers > 0,
        worker_init_fn=_set_up_worker,
        # Its own generator: loading must not move the global random state of training.
        generator=torch.Generator().manual_seed(seed),
    )


class WatchedDataset(Dataset[dict[str, Any]]):
    """A data set whose loader's workers leave word of the sample each of them is at.

    A worker that the system ends, because memory ran out or an image broke its decoder, cannot
    say anything itself. So each notes what it begins in memory that it shares with the main
    process.

    Args:
        dataset: What is served, with a key that is an index or ``(epoch, index)``.
        samples: What the indices mean.
        num_workers: Of the loader, 1 or more.
    """

    def __init__(
        self, dataset: Dataset[dict[str, Any]], samples: Sequence[Sample], num_workers: int
    ) -> None:
        self.dataset = dataset
        self.samples = samples
        # A row for each worker: its process, the index, and whether that is still being loaded.
        notes = torch.zeros(num_workers, 3, dtype=torch.int64)
        self._notes: torch.Tensor = notes.share_memory_()  # type: ignore[no-untyped-call]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: int | Key) -> dict[str, Any]:
        """One sample of the data set."""
        index = key[1] if isinstance(key, tuple) else key
        self._note(index, loading=True)
        sample = self.dataset[key]
        self._note(index, loading=False)
        return sample

    def notes(self) -> dict[int, tuple[Sample, bool]]:
        """By process of a worker, its last sample and whether it is still loading it."""
        return {
            process: (self.samples[index], bool(loading))
            for process, index, loading in self._notes.tolist()
        }

    def _note(self, index: int, *, loading: bool) -> None:
        worker = get_worker_info()
        if worker is not None:
            self._notes[worker.id] = torch.tensor((os.getpid(), index, loading))


def whereabouts(
    datasets: Iterable[Dataset[dict[str, Any]]], pid: int
) -> tuple[Sample, bool] | None:
    """The last sample of a worker, and whether it was still loading it.

    Args:
        datasets: Those of the loaders that it may belong to.
        pid: The worker's process.

    Returns:
        None if it is no worker of these loaders, or never began.
    """
    for dataset in datasets:
        if isinstance(dataset, WatchedDataset) and pid in (notes := dataset.notes()):
            return notes[pid]
    return None


def _set_up_worker(worker: int) -> None:
    """Keeps a loader's worker to one thread of OpenCV, and at work when the run is told to stop.

    Ctrl-C and schedulers signal every process of a group, but the training process needs its
    workers until it has finished its batch; it ends them itself.
    """
    # 0 and not 1: both mean one thread, but 1 waits for the threads of OpenCV's pool to end, and
    # in a forked process they do not exist, so it would wait for ever.
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.SIG_IGN)
    elif hasattr(signal, "sigwaitinfo"):  # Linux: tells who sent a signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_end_for_parent, daemon=True).start()
    else:  # macOS: leave the group that is signalled
        os.setpgid(0, 0)


def _end_for_parent() -> None:
    """Ends the worker once its parent, and not somebody else, has sent SIGTERM."""
    if sys.platform != "win32" and hasattr(signal, "sigwaitinfo"):
        while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
            pass
        os._exit(0)
