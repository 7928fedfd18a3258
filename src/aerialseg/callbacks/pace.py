"""The pace of training, from the few steps that have been seen."""

import math
from dataclasses import dataclass
from statistics import fmean
from time import perf_counter

import torch


@dataclass(frozen=True)
class Work:
    """How many training steps and validation batches there are to do."""

    steps: int
    validation_batches: int


@dataclass(frozen=True)
class Pace:
    """The seconds that a training step and a validation batch take, loading included."""

    step: float
    validation_batch: float

    def seconds(self, work: Work) -> float:
        """How long some work will take."""
        return work.steps * self.step + work.validation_batches * self.validation_batch


class StepTimes:
    """Times steps on a device, each from the end of the one before it.

    The first step of an epoch waits for the loader to begin, and the first of all for much else;
    they do not count if there are others. Of these the later half counts: batches that were
    loaded ahead make the earlier ones too quick.
    """

    def __init__(self) -> None:
        self._first: list[_Step] = []
        self._later: list[_Step] = []
        self._began: float | None = None
        self._learns = math.nan
        self._in_epoch = 0

    def begin(self, device: torch.device) -> None:
        """An epoch begins."""
        self._began, self._in_epoch = _now(device), 0

    def learn(self, device: torch.device) -> None:
        """What a training step does beside a validation step begins."""
        self._learns = _now(device)

    def end(self, device: torch.device) -> None:
        """A step ends."""
        now = _now(device)
        if self._began is not None:
            steps = self._later if self._in_epoch else self._first
            steps.append(_Step(now - self._began, self._learns - self._began))
        self._began, self._in_epoch = now, self._in_epoch + 1

    def suffice(self, accumulated: int, *, seconds: float) -> bool:
        """Whether there are enough to tell the pace.

        Args:
            accumulated: Batches to a step of the optimizer; only whole ones are typical.
            seconds: How long those that count must have taken together.
        """
        enough = len(self._typical) >= max(3, accumulated)
        return enough and sum(step.seconds for step in self._typical) >= seconds

    def pace(self, accumulated: int = 1) -> Pace:
        """The mean of the steps that count; what comes before learning stands for validation."""
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
        torch.cuda.synchronize(device)  # a graphics card is told much ahead of what it has done
    return perf_counter()
