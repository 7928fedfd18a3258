"""What the hardware does well: precision, fused optimizers, TF32 and compilation."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from aerialseg.kernels.atrous import use_custom_gradients


def precision(setting: str | int | None, *, accelerator: str) -> str | int:
    """``trainer.precision``, or where it is null what the hardware does natively.

    On a GPU bfloat16 where it is native, else float16; on a CPU float32: those tried that have
    bfloat16 units took longer for a training step in it.
    """
    if setting is not None:
        return setting
    if accelerator == "cpu" or not torch.cuda.is_available():
        return "32-true"
    # Turing and older only emulate bfloat16, slower than float32.
    return "bf16-mixed" if torch.cuda.get_device_capability() >= (8, 0) else "16-mixed"


def fused(optimizer: Mapping[str, Any], precision: str | int) -> Mapping[str, Any]:
    """The optimizer's node with ``fused`` decided where it is null.

    One kernel for all tensors takes a third of the time. Not in mixed precision: there a fused
    optimizer unscales gradients itself, and Lightning could not clip them before.
    """
    if "fused" not in optimizer or optimizer["fused"] is not None:
        return optimizer
    return {**optimizer, "fused": True if str(precision) in ("32", "32-true") else None}


def use_hardware(network: nn.Module, *, tf32: bool, custom_gradients: bool, compile: bool) -> None:
    """Sets TF32 for the process; custom gradients and compilation for the network, in place."""
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = tf32
    if custom_gradients:
        use_custom_gradients(network)
    if compile:
        network.compile()  # in place: its tensors keep their names
