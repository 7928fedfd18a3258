"""What the losses share: checked input, class weights and ignored pixels."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from aerialseg.errors import ConfigError
from aerialseg.kernels.class_ids import check_integer, labels_of
from aerialseg.kernels.upsampling import upsample


class Loss(nn.Module):
    """What the losses share: class weights, the ignored id, and the precision they compute in."""

    class_weights: Tensor | None

    def __init__(self, class_weights: Sequence[float] | Tensor | None, ignore_index: int) -> None:
        super().__init__()
        self.ignore_index = ignore_index
        if class_weights is not None:
            class_weights = torch.as_tensor(class_weights, dtype=torch.float32).detach().clone()
            _check_class_weights(class_weights)
        # Not persistent: a checkpoint holds the network, and weights come from the data.
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss of one batch.

        Args:
            logits: ``(N, C, h, w)`` float, at the target's size or coarser; then the loss is
                that of the logits upsampled to it.
            target: ``(N, H, W)`` integer class ids.

        Returns:
            A scalar, float32 (float64 for float64 logits).

        Raises:
            DataError: If, on the CPU, ``target`` holds ids that are no class. Elsewhere,
                where reading them would stall the device, their pixels are left out.
            ValueError: If the shapes do not fit or ``target`` is not of an integer type.
        """
        _check_shapes(logits, target)
        check_integer("target", target)
        return self._formula(logits if logits.dtype == torch.float64 else logits.float(), target)

    def _formula(self, logits: Tensor, target: Tensor) -> Tensor:
        raise NotImplementedError

    def _full_size(self, logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits at the target's size, labels, and one weight per class."""
        labels = labels_of(target, logits.shape[1], self.ignore_index)
        full = upsample(logits, (target.shape[1], target.shape[2]))
        return full, labels, weights_of(self.class_weights, logits)


def weights_of(class_weights: Tensor | None, logits: Tensor) -> Tensor:
    """``(C,)`` class weights in the logits' type; ones where there are none.

    Raises:
        ValueError: If there are not as many as classes.
    """
    num_classes = logits.shape[1]
    if class_weights is None:
        return logits.new_ones(num_classes)
    if len(class_weights) != num_classes:
        raise ValueError(f"{len(class_weights)} class weights for {num_classes} classes")
    return class_weights.to(logits)


def check_not_negative(loss: nn.Module, *names: str) -> None:
    """Makes sure that attributes of a loss are numbers of 0 or more.

    Raises:
        ConfigError: With one line for each that is not.
    """
    problems = [
        f"loss.function.{name}: got {value}; wanted a number of 0 or more"
        for name, value in ((name, getattr(loss, name)) for name in names)
        if not (math.isfinite(value) and value >= 0)
    ]
    if problems:
        raise ConfigError(*problems)


def _check_shapes(logits: Tensor, target: Tensor) -> None:
    given, wanted = tuple(logits.shape), tuple(target.shape)
    fits = len(given) == 4 and len(wanted) == 3 and given[0] == wanted[0]
    if not (fits and given[2] <= wanted[1] and given[3] <= wanted[2]):
        raise ValueError(
            f"logits and target have shapes {given} and {wanted}; "
            "wanted (N, C, h, w) and (N, H, W), the logits no larger than the target"
        )


def _check_class_weights(weights: Tensor) -> None:
    if weights.ndim != 1 or not bool(((weights >= 0) & weights.isfinite()).all()):
        raise ConfigError(
            f"loss.class_weights: got {weights.tolist()}; wanted one number of 0 or more per class"
        )
