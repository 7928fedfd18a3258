"""Timing two implementations alternately, and measuring peak memory."""

import ctypes
import platform
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import torch


@dataclass(frozen=True, slots=True)
class Setting:
    """The device, the images and the thoroughness of a benchmark.

    Attributes:
        device: The device of networks, losses and metrics: ``cpu`` or ``cuda``.
        images: A folder laid out like AeroScapes; None draws scenes.
        quick: Whether to run a smoke test only, once on tiny images.
    """

    device: str = "cpu"
    images: Path | None = None
    quick: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images in pixels; those of AeroScapes have 720x1280."""
        return (64, 96) if self.quick else (720, 1280)

    def count(self, number: int) -> int:
        """``number``, or two in a quick run."""
        return 2 if self.quick else number


def compare(
    plain: Callable[[], object],
    ours: Callable[[], object],
    setting: Setting,
    *,
    seconds: float = 5.0,
    items: int = 1,
) -> tuple[float, float]:
    """Median seconds per item of two implementations that process ``items`` per call.

    They are called alternately, once to warm up and then at least seven times, until ``seconds``
    have passed: other load on the machine then affects both alike.
    """
    least = 1 if setting.quick else 7
    end = perf_counter() + (0 if setting.quick else seconds)
    if not setting.quick:
        _timed(plain), _timed(ours)
    times: list[tuple[float, float]] = []
    while len(times) < least or perf_counter() < end:
        times.append((_timed(plain), _timed(ours)))
    plain_times, our_times = zip(*times, strict=True)
    return median(plain_times) / items, median(our_times) / items


def peak_memory(function: Callable[[], object], device: str) -> float:
    """Peak memory of a function call in bytes, beyond what was in use before.

    On a GPU those that torch has allocated. On the processor the resident memory of the process
    by the kernel's own account: temporaries are in it, which a count of the tensors saved for the
    backward pass would miss. Only Linux keeps that account.

    Raises:
        RuntimeError: On another system, for the processor.
    """
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        function()
        return torch.cuda.max_memory_allocated() - before
    if platform.system() != "Linux":
        raise RuntimeError("only Linux counts the memory of a process; run this benchmark there")
    ctypes.CDLL(None).malloc_trim(0)  # what was freed earlier would be taken again, unseen
    Path("/proc/self/clear_refs").write_bytes(b"5")  # forgets the peak so far
    before = _resident("VmRSS")
    function()
    # A small function may fit into memory that was freed before.
    return max(_resident("VmHWM") - before, _PAGE)


@contextmanager
def one_core() -> Iterator[None]:
    """Keeps OpenCV and torch to one thread, as in a worker of the loader."""
    threads = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])


def check(agrees: object, what: str) -> None:
    """Checks that two implementations agree before they are timed.

    Raises:
        RuntimeError: If not.
    """
    if not agrees:
        raise RuntimeError(f"the two implementations differ: {what}")


def synchronize() -> None:
    """Waits for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _timed(function: Callable[[], object]) -> float:
    start = perf_counter()
    function()
    synchronize()
    return perf_counter() - start


_PAGE = 4096


def _resident(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    (kilobytes,) = re.findall(rf"{name}:\s+(\d+) kB", status)
    return int(kilobytes) * 1024
