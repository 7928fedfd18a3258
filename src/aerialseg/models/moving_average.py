"""Exponential moving averages of what a stage trains."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from aerialseg.models.freeze_plan import FreezePlan


def averaged_tensors(network: nn.Module, plan: FreezePlan) -> dict[str, Tensor]:
    """The tensors of a network that are averaged, by their names in its state dict.

    They are what a stage trains: parameters, and running statistics of BatchNorm, which belong to
    the weights that they were measured with. Frozen tensors are the same in both networks, and
    integers, such as the number of batches that BatchNorm has seen, have no mean.
    """
    frozen = {name for group in plan.frozen_groups for name, _ in group.tensors()}
    return {
        name: tensor
        for name, tensor in network.state_dict(keep_vars=True).items()
        if name not in frozen and tensor.is_floating_point()
    }


class MovingAverage:
    """Exponential moving averages of tensors, which begin at their values of today.

    Args:
        tensors: What is averaged, by name.

    Attributes:
        values: The averages by name, on the devices of the tensors and with their memory formats.
        updates: How many updates they have seen.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = dict(tensors)
        self.values = {name: tensor.detach().clone() for name, tensor in tensors.items()}
        self.updates = 0

    def update(self, decay: float) -> None:
        """Moves the averages towards the tensors: ``average = d * average + (1 - d) * tensor``.

        ``d`` is ``decay``, but at most ``(1 + updates) / (10 + updates)``, so that the values that
        training began with are soon forgotten.

        Args:
            decay: From 0 to 1.
        """
        ramped = min(decay, (1 + self.updates) / (10 + self.updates))
        average = get_ema_multi_avg_fn(ramped)  # type: ignore[no-untyped-call]
        average(list(self.values.values()), list(self._tensors.values()), None)
        self.updates += 1

    def restore(self, values: Mapping[str, Tensor], updates: int) -> None:
        """Takes over averages of the same names and shapes from another device or a file."""
        for name, value in self.values.items():
            value.copy_(values[name])
        self.updates = updates

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Lets the tensors have the values of the averages, without copying, until the end."""
        names = list(self._tensors)
        self._exchange(names)
        try:
            yield
        finally:
            self._exchange(reversed(names))  # a tensor may have two names

    def _exchange(self, names: Iterable[str]) -> None:
        for name in names:
            tensor = self._tensors[name]
            tensor.data, self.values[name] = self.values[name], tensor.data
