"""What the hardware does well: precision, fused optimizers, TF32 and compilation."""

import torch
from omegaconf import DictConfig
from torch import nn

from aerialseg.kernels.atrous import use_custom_gradients


def precision(trainer: DictConfig) -> str | int:
    """``trainer.precision``, or where it is null what the hardware does natively.

    bfloat16 where it is native, else half, on a GPU; single on a processor: the ones tried with
    bfloat16 units took longer for a training step in it.
    """
    if trainer.get("precision") is not None:
        chosen: str | int = trainer.precision
        return chosen
    if trainer.accelerator == "cpu" or not torch.cuda.is_available():
        return "32-true"
    # Turing and older only emulate bfloat16, slower than single precision.
    return "bf16-mixed" if torch.cuda.get_device_capability() >= (8, 0) else "16-mixed"


def fused(optimizer: DictConfig, precision: str | int) -> DictConfig:
    """The optimizer's node with ``fused`` decided where it is null.

    One kernel for all tensors takes a third of the time. Not in mixed precision: there a fused
    optimizer unscales gradients itself, and Lightning could not clip them before.
    """
    if "fused" not in optimizer or optimizer.fused is not None:
        return optimizer
    decided = optimizer.copy()
    decided.fused = True if "mixed" not in str(precision) else None
    return decided


def use_hardware(network: nn.Module, compute: DictConfig) -> None:
    """Sets TF32 for the process; custom gradients and compilation for the network, in place."""
    torch.set_float32_matmul_precision("high" if compute.tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = compute.tf32
    if compute.custom_gradients:
        use_custom_gradients(network)
    if compute.compile:
        network.compile()  # in place: its tensors keep their names
