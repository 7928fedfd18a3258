"""Tries network and loss on a made-up batch before training: they may be anybody's."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from aerialseg.errors import AerialsegError, ConfigError
from aerialseg.models.module import SegmentationModule
from aerialseg.models.networks.protocol import check_logits, described
from aerialseg.training.failures import loss_failure

_SIZE = (64, 64)


def check_parts(module: SegmentationModule) -> None:
    """Checks what network and loss give for two black images of 64x64 pixels.

    Weights, statistics, modes and random numbers stay as they are. A network that refuses such
    images is not judged: those of the data may be of the only size that it takes.

    Args:
        module: The stage's module, on the CPU.

    Raises:
        ConfigError: If the network gives anything but logits for every class, or the loss
            anything but one number, or raises.
    """
    images = torch.zeros(2, module.description.channels, *_SIZE, dtype=torch.uint8)
    with torch.no_grad(), torch.random.fork_rng(devices=[]), _in_eval_mode(module.network):
        try:
            # Not the network itself, whose call may be compiled.
            logits = module.network.forward(module.normalised(images))
        except Exception:  # anybody's code; what fails on the data too is reported there
            return
        check_logits(module.network, logits, len(module.class_names), images.shape)
        _check_loss(module.loss, logits["out"], torch.zeros(images[:, 0].shape, dtype=torch.uint8))


def _check_loss(loss: nn.Module, logits: Tensor, target: Tensor) -> None:
    """Checks that a loss, of which a copy is tried, gives one number."""
    try:
        value: object = copy.deepcopy(loss)(logits, target)
    except AerialsegError:
        raise
    except Exception as error:  # anybody's code may raise anything
        raise ConfigError(loss_failure(loss, error)) from error
    if isinstance(value, Tensor) and value.is_floating_point() and value.numel() == 1:
        return
    raise ConfigError(
        f"loss.function: {type(loss).__name__} returns {described(value)} for two images; wanted "
        "one float for the batch, a tensor without dimensions, such as the mean over its pixels"
    )


@contextmanager
def _in_eval_mode(network: nn.Module) -> Iterator[None]:
    """Puts all parts of a network into eval mode, and each back into its own."""
    modes = [(part, part.training) for part in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
