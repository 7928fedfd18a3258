"""How the trained parameters of a stage are optimised: rates by layer, warm-up, schedule."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities.types import LRSchedulerConfigType
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from aerialseg.errors import ConfigError
from aerialseg.models.freeze_plan import FreezePlan
from aerialseg.models.schedules import Constant, StepSchedule

_NO_DECAY = {"weight_decay": 0.0}


@dataclass(frozen=True)
class Optimization:
    """How the trained parameters of a stage are optimised.

    Attributes:
        make_optimizer: Called with the parameter groups.
        make_scheduler: Called with the optimizer; ``None`` for a constant rate. A
            :class:`~aerialseg.models.schedules.StepSchedule` is stepped with the optimizer, any
            other once per epoch.
        monitor: The logged value that a ``ReduceLROnPlateau`` scheduler follows.
        layer_decay: The rate of a layer group relative to that of the group above it, the last
            group having the full rate; 1 for the same rate in all.
        fresh_factor: Factor of the rate of groups that are random when the stage begins.
        warmup_steps: Steps in which the rate rises to its full value; 0 for none.
    """

    make_optimizer: Callable[[Iterable[Any]], Optimizer]
    make_scheduler: Callable[[Optimizer], LRScheduler] | None = None
    monitor: str | None = None
    layer_decay: float = 1.0
    fresh_factor: float = 1.0
    warmup_steps: int = 0

    def optimizer(self, network: nn.Module, plan: FreezePlan) -> Optimizer:
        """The optimizer of the trained parameters; no weight decay for biases and BatchNorm.

        Its parameter groups have names, which curves of the learning rate are called by:
        ``weights``, and ``biases_and_norms`` for those without weight decay. Where rates differ,
        the layers come first, as in ``classifier.0..classifier.4/weights``.
        """
        factors = self._factors(plan)
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        for parameter in network.parameters():
            if parameter.requires_grad:
                # Weights first, then biases and BatchNorm, for each factor.
                weights = groups.setdefault((factors[parameter], True), [])
                others = groups.setdefault((factors[parameter], False), [])
                (weights if parameter.ndim > 1 else others).append(parameter)
        kept = {key: found for key, found in groups.items() if found}
        layers = self._layers_by_factor(plan)
        optimizer = self.make_optimizer(
            [
                {"params": found, "name": f"{layers[factor]}weights"}
                if decays
                else {"params": found, "name": f"{layers[factor]}biases_and_norms"} | _NO_DECAY
                for (factor, decays), found in kept.items()
            ]
        )
        for group, (factor, _) in zip(optimizer.param_groups, kept, strict=True):
            group["lr"] *= factor
        return optimizer

    def schedule(self, optimizer: Optimizer) -> LRSchedulerConfigType | None:
        """The schedule as Lightning takes it; ``None`` for a constant rate.

        Args:
            optimizer: Of :meth:`optimizer`.

        Raises:
            ConfigError: If there is a warm-up before a scheduler that is stepped once per epoch.
        """
        if self.make_scheduler is not None:
            scheduler = self.make_scheduler(optimizer)
        elif self.warmup_steps:
            scheduler = Constant(optimizer)
        else:
            return None
        if isinstance(scheduler, StepSchedule):
            scheduler.begin(total_steps=math.inf, warmup_steps=self.warmup_steps)
            return LRSchedulerConfigType(scheduler=scheduler, interval="step")
        if self.warmup_steps:
            raise ConfigError(
                f"optimizer.warmup_steps: {type(scheduler).__name__} changes the rate once per "
                "epoch and cannot follow a warm-up; choose scheduler=polynomial, cosine or none, "
                "or set optimizer.warmup_steps=0"
            )
        if isinstance(scheduler, ReduceLROnPlateau):
            # Lightning must not look for the value; see SegmentationModule.lr_scheduler_step.
            return LRSchedulerConfigType(scheduler=scheduler, reduce_on_plateau=False)
        return LRSchedulerConfigType(scheduler=scheduler)

    def begin_schedules(self, trainer: pl.Trainer) -> None:
        """Gives schedules by step their length, once the trainer knows it.

        Not before the start of training: Lightning asks the data module for its loader to tell the
        length, which must not be before a resumed run has said which batches are done.
        """
        for config in trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, StepSchedule):
                steps = float(trainer.estimated_stepping_batches)
                config.scheduler.begin(total_steps=steps, warmup_steps=self.warmup_steps)

    def _factors(self, plan: FreezePlan) -> dict[nn.Parameter, float]:
        """By trained parameter, the factor of its rate."""
        return {
            parameter: self._factor(index, plan)
            for index in plan.trained
            for parameter in plan.groups[index].parameters()
        }

    def _factor(self, index: int, plan: FreezePlan) -> float:
        """The factor of the rate of a layer group."""
        below = len(plan.groups) - 1 - index
        return self.layer_decay**below * (self.fresh_factor if index in plan.fresh else 1.0)

    def _layers_by_factor(self, plan: FreezePlan) -> dict[float, str]:
        """By factor, the layers that have it, with a slash behind; empty where all have one."""
        indices: dict[float, list[int]] = {}
        for index in plan.trained:
            indices.setdefault(self._factor(index, plan), []).append(index)
        if len(indices) == 1:
            return dict.fromkeys(indices, "")
        return {factor: f"{_span(found, plan)}/" for factor, found in indices.items()}


def _span(indices: Sequence[int], plan: FreezePlan) -> str:
    """Layer groups by the name of their first module, neighbours as ``first..last``."""
    spans: list[list[int]] = []
    for index in sorted(indices):
        if spans and spans[-1][-1] == index - 1:
            spans[-1].append(index)
        else:
            spans.append([index])
    ends = [dict.fromkeys((span[0], span[-1])) for span in spans]
    return ",".join("..".join(plan.groups[index].names[0] for index in end) for end in ends)
