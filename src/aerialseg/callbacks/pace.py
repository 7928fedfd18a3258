"""Estimates seconds per training step and validation batch from the first steps of a run."""

import math
from dataclasses import dataclass
from statistics import fmean
from time import perf_counter

import torch


@dataclass(frozen=True)
class Work:
    """Numbers of training steps and validation batches left to do."""

    steps: int
    validation_batches: int


@dataclass(frozen=True)
class Pace:
    """Seconds per training step and per validation batch, loading included."""

    step: float
    validation_batch: float

    def seconds(self, work: Work) -> float:
        """How many seconds the work will take."""
        return work.steps * self.step + work.validation_batches * self.validation_batch


class StepTimes:
    """Measures steps on a device, each from the end of the previous one.

    The first step of an epoch includes the start of the loader, and the very first step further
    warm-up; they are left out if there are others. Of the others only the later half is used,
    because prefetched batches make the earlier steps too fast.
    """

    def __init__(self) -> None:
        self._first: list[_Step] = []
        self._later: list[_Step] = []
        self._began: float | None = None
        self._learns = math.nan
        self._in_epoch = 0

    def begin(self, device: torch.device) -> None:
        """Call at the start of an epoch."""
        self._began, self._in_epoch = _now(device), 0

    def learn(self, device: torch.device) -> None:
        """Call when the forward pass of a training step is done and its backward pass begins."""
        self._learns = _now(device)

    def end(self, device: torch.device) -> None:
        """Call at the end of a step."""
        now = _now(device)
        if self._began is not None:
            steps = self._later if self._in_epoch else self._first
            steps.append(_Step(now - self._began, self._learns - self._began))
        self._began, self._in_epoch = now, self._in_epoch + 1

    def suffice(self, accumulated: int, *, seconds: float) -> bool:
        """Whether enough steps were measured for an estimate.

        Args:
            accumulated: Batches per optimizer step; an estimate needs a whole optimizer step.
            seconds: Least total duration of the steps that are used.
        """
        enough = len(self._typical) >= max(3, accumulated)
        return enough and sum(step.seconds for step in self._typical) >= seconds

    def pace(self, accumulated: int = 1) -> Pace:
        """The mean of the steps that are used; a forward pass stands for a validation batch."""
        steps = self._typical or self._first
        count = math.ceil(len(steps) / 2 / accumulated) * accumulated
        counted = steps[-count:]
        return Pace(
            fmean(step.seconds for step in counted), fmean(step.forward for step in counted)
        )

    @property
    def _typical(self) -> list["_Step"]:
        return self._later or self._first[1:]


@dataclass(frozen=True, slots=True)
class _Step:
    seconds: float
    forward: float


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # CUDA kernels run asynchronously
    return perf_counter()
