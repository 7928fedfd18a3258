"""Learning-rate schedules that advance with every optimizer step, after a linear warm-up.

torch's own schedulers are stepped once per epoch here, as in most training scripts. With few images
and short stages that is a staircase of a few large steps; these change the rate a little each time.
"""

import math
from abc import abstractmethod
from typing import Annotated

from annotated_types import Ge, Gt, Le
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from aerialseg.values.checked_calls import checked


class StepSchedule(LRScheduler):
    """The rate of a stage: rises linearly for some steps, then follows :meth:`decay`.

    It has no length until :meth:`begin` gives it one, because that is known only once the data is.

    Args:
        optimizer: Its groups keep their rates relative to each other.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.total_steps = math.inf
        self.warmup_steps = 0
        super().__init__(optimizer)

    def begin(self, *, total_steps: float, warmup_steps: int) -> None:
        """Sets the length, and the rates of the first step.

        Args:
            total_steps: Optimizer steps of the stage, warm-up included; ``inf`` if unknown.
            warmup_steps: Steps until the full rate is reached; 0 for none.
        """
        self.total_steps, self.warmup_steps = total_steps, warmup_steps
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = rate
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def get_lr(self) -> list[float | Tensor]:
        """The rate of each parameter group at the present step."""
        factor = self.factor(self.last_epoch)
        return [base * factor for base in self.base_lrs]

    def factor(self, step: int) -> float:
        """What a step, the first being 0, has of the full rate: 0 to 1."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        rest = self.total_steps - self.warmup_steps
        return self.decay(min((step - self.warmup_steps) / rest, 1.0) if rest > 0 else 1.0)

    @abstractmethod
    def decay(self, progress: float) -> float:
        """The factor after the warm-up; progress runs from 0 to 1 at the end of the stage."""


class Constant(StepSchedule):
    """The full rate from the end of the warm-up on."""

    def decay(self, progress: float) -> float:
        """Always 1."""
        return 1.0


class Polynomial(StepSchedule):
    """DeepLab's decay, ``(1 - progress) ** power``.

    In YAML::

        scheduler:
          _target_: aerialseg.models.schedules.Polynomial
          _partial_: true
          power: 0.9

    Args:
        optimizer: The optimizer.
        power: 1 falls linearly, less falls late, more falls early.
    """

    @checked
    def __init__(self, optimizer: Optimizer, *, power: Annotated[float, Gt(0)] = 0.9) -> None:
        self.power = power
        super().__init__(optimizer)

    def decay(self, progress: float) -> float:
        """``(1 - progress) ** power``."""
        return float((1 - progress) ** self.power)


class Cosine(StepSchedule):
    """Half a cosine from the full rate down to a part of it.

    Args:
        optimizer: The optimizer.
        end_factor: What is left of the full rate at the end.
    """

    @checked
    def __init__(
        self, optimizer: Optimizer, *, end_factor: Annotated[float, Ge(0), Le(1)] = 0.0
    ) -> None:
        self.end_factor = end_factor
        super().__init__(optimizer)

    def decay(self, progress: float) -> float:
        """Half a cosine."""
        return self.end_factor + (1 - self.end_factor) * (1 + math.cos(math.pi * progress)) / 2
