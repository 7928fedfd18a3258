"""Numbers that add up over the steps of an epoch without waiting for the device."""

from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer


class GradientNorms:
    """Mean and maximum of the gradient norm of optimizer steps, kept on the gradients' device.

    Steps whose norm is not finite count for nothing: their gradients reach no weights.
    """

    def __init__(self) -> None:
        self._state: Tensor | None = None

    def add(self, norm: Tensor) -> None:
        """Counts the norm of a step, a scalar."""
        norm = norm.detach().double()
        finite = norm.isfinite()
        kept = torch.where(finite, norm, 0.0)
        if self._state is None:
            self._state = torch.zeros(3, dtype=torch.float64, device=norm.device)
        total, steps, largest = self._state.unbind()
        self._state = torch.stack([total + kept, steps + finite, largest.maximum(kept)])

    def read(self) -> tuple[float, float] | None:
        """Mean and maximum of the steps so far, None without a step; waits for the device."""
        total, steps, largest = (0.0, 0.0, 0.0) if self._state is None else self._state.tolist()
        return (total / steps, largest) if steps else None

    def reset(self) -> None:
        """Begins anew."""
        self._state = None

    def state_dict(self) -> dict[str, Tensor]:
        """What :meth:`load_state_dict` goes on from."""
        return {} if self._state is None else {"sums": self._state}

    def load_state_dict(self, state: dict[str, Tensor], device: torch.device) -> None:
        """Goes on from the steps of an interrupted epoch."""
        self._state = state["sums"].to(device) if "sums" in state else None


class Throughput:
    """Images a second, of the time that is spent on training steps and their loading."""

    def __init__(self) -> None:
        self._began = 0.0
        self._seconds = 0.0
        self._images = 0

    def reset(self) -> None:
        """Begins anew, and starts the clock."""
        self._seconds, self._images = 0.0, 0
        self.resume()

    def resume(self) -> None:
        """Leaves out what has passed since the last batch, such as a validation."""
        self._began = perf_counter()

    def add(self, images: int) -> None:
        """Counts a batch at its end."""
        now = perf_counter()
        self._seconds += now - self._began
        self._images += images
        self._began = now

    def read(self) -> float | None:
        """Images a second; None before the first batch."""
        return self._images / self._seconds if self._seconds > 0 else None


def gradient_norm(optimizer: Optimizer) -> Tensor:
    """The Euclidean norm of all gradients of an optimizer's parameters, a scalar."""
    parameters: Iterable[Tensor] = (p for g in optimizer.param_groups for p in g["params"])
    return get_total_norm([p.grad for p in parameters if p.grad is not None])


def memory_in_use(device: torch.device) -> dict[str, float]:
    """Memory by name, in gigabytes (10**9 bytes).

    Args:
        device: Of a GPU the most that torch had allocated at once; of a processor what this
            process has resident, its workers' not included, which only Linux tells.
    """
    if device.type == "cuda":
        return {"gpu_memory_peak_gb": torch.cuda.max_memory_allocated(device) / 1e9}
    status = Path("/proc/self/status")
    if not status.exists():
        return {}
    (line,) = (x for x in status.read_text(encoding="ascii").splitlines() if x.startswith("VmRSS:"))
    return {"resident_memory_gb": int(line.split()[1]) * 1024 / 1e9}
