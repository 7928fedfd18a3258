"""Dilated ("à trous") convolutions with quick gradients on a processor.

torch computes these gradients there as if there were nothing to save: in DeepLabV3 they take a
third of a training step on small pictures and more on large ones. Two things can be saved.

Where the dilation is as large as the feature map, as it is in ASPP, most taps of the kernel see
padding at most places. A tap's gradient is a product of matrices over the places where it sees
something, and nothing is done for the rest.

A depthwise convolution with dilation ``d`` is an undilated one on each of the ``d * d`` grids that
take every ``d``-th row and column, and undilated ones have a quick gradient for their weight. The
gradient for the input is itself a convolution, with the kernel turned around.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight


def quicken_gradients(network: nn.Module) -> None:
    """Makes every dilated convolution of a network that can be one an :class:`AtrousConv2d`.

    In place: parameters, their names and what the network says stay what they are.
    """
    for module in network.modules():
        if type(module) is nn.Conv2d and _suits(module):
            module.__class__ = AtrousConv2d


class AtrousConv2d(nn.Conv2d):
    """A dilated convolution that keeps the size of its input, dense or depthwise.

    The output is that of ``nn.Conv2d`` to the bit, the gradient but for the order of sums. On an
    accelerator, in half precision and where no gradient is wanted, it is ``nn.Conv2d``.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        output: Tensor
        if _is_quicker_here(input, weight):
            output = _AtrousConvolution.apply(input, weight, bias, self.dilation)
        else:
            output = super()._conv_forward(input, weight, bias)
        return output


class _AtrousConvolution(torch.autograd.Function):
    """``apply(input, weight, bias, dilation)``: ``(N, C, H, W)``, ``(K, C or 1, kh, kw)``."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own type
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        dilation: tuple[int, int],
    ) -> Tensor:
        """The output, ``(N, K, H, W)``."""
        ctx.save_for_backward(input, weight)
        ctx.dilation = dilation
        return _convolution(input, weight, dilation, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """The gradients of input, weight and bias, each where it is wanted."""
        input, weight = ctx.saved_tensors
        for_input, for_weight, for_bias, _ = ctx.needs_input_grad
        if weight.shape[1] == input.shape[1]:
            of_input = torch.zeros_like(input) if for_input else None
            of_weight = torch.zeros_like(weight) if for_weight else None
            _add_by_taps(of_input, of_weight, input, weight, gradient, ctx.dilation)
        else:
            turned = weight.flip(2, 3)
            of_input = _convolution(gradient, turned, ctx.dilation) if for_input else None
            of_weight = _by_grids(input, weight, gradient, ctx.dilation) if for_weight else None
        return of_input, of_weight, gradient.sum((0, 2, 3)) if for_bias else None, None


def _suits(conv: nn.Conv2d) -> bool:
    same = tuple(d * (k // 2) for d, k in zip(conv.dilation, conv.kernel_size, strict=True))
    odd = all(k % 2 for k in conv.kernel_size)
    depthwise = conv.groups == conv.in_channels == conv.out_channels
    return (
        max(conv.dilation) > 1
        and conv.stride == (1, 1)
        and odd
        and conv.padding == same
        and conv.padding_mode == "zeros"
        and (conv.groups == 1 or depthwise)
    )


def _is_quicker_here(input: Tensor, weight: Tensor) -> bool:
    learns = torch.is_grad_enabled() and (input.requires_grad or weight.requires_grad)
    single = input.dtype in (torch.float32, torch.float64) and not torch.is_autocast_enabled("cpu")
    return learns and single and input.device.type == "cpu"


def _convolution(
    input: Tensor, weight: Tensor, dilation: tuple[int, int], bias: Tensor | None = None
) -> Tensor:
    padding = [d * (k // 2) for d, k in zip(dilation, weight.shape[2:], strict=True)]
    groups = input.shape[1] // weight.shape[1]
    return F.conv2d(input, weight, bias, padding=padding, dilation=dilation, groups=groups)


def _add_by_taps(
    of_input: Tensor | None,
    of_weight: Tensor | None,
    input: Tensor,
    weight: Tensor,
    gradient: Tensor,
    dilation: tuple[int, int],
) -> None:
    """Adds up a dense convolution's gradients, each tap over the places where it sees something."""
    pixels, pulls = _channels_last(input), _channels_last(gradient)
    columns = list(_taps(input.shape[3], weight.shape[3], dilation[1]))
    for y, out_y, in_y in _taps(input.shape[2], weight.shape[2], dilation[0]):
        for x, out_x, in_x in columns:
            pull = pulls[:, out_y, out_x].flatten(0, 2)
            if of_weight is not None:
                of_weight[:, :, y, x] = pull.T @ pixels[:, in_y, in_x].flatten(0, 2)
            if of_input is not None:
                place = of_input.permute(0, 2, 3, 1)[:, in_y, in_x]
                place += (pull @ weight[:, :, y, x]).view(place.shape)


def _by_grids(input: Tensor, weight: Tensor, gradient: Tensor, dilation: tuple[int, int]) -> Tensor:
    """The gradient of a depthwise convolution's weight, undilated on each grid."""
    padding = [k // 2 for k in weight.shape[2:]]
    inputs, pulls = _grids(input, dilation), _grids(gradient, dilation)
    of_weight: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
        inputs, weight.shape, pulls, padding=padding, groups=input.shape[1]
    )
    return of_weight


def _taps(length: int, taps: int, dilation: int) -> Iterator[tuple[int, slice, slice]]:
    """Of one axis, each tap that sees anything, and from where it sees what."""
    for tap in range(taps):
        offset = (tap - taps // 2) * dilation
        start, end = max(0, -offset), min(length, length - offset)
        if start < end:
            yield tap, slice(start, end), slice(start + offset, end + offset)


def _grids(maps: Tensor, dilation: tuple[int, int]) -> Tensor:
    """``(d * e * N, C, H / d, W / e)``: the grids of every ``d``-th row and ``e``-th column."""
    down, across = dilation
    count, channels, height, width = maps.shape
    # Zeros change no gradient: they are padding to one, and pull at nothing in the other.
    rows = _channels_last(F.pad(maps, (0, -width % across, 0, -height % down)))
    grids = rows.view(count, -1, down, rows.shape[2] // across, across, channels)
    return grids.permute(2, 4, 0, 1, 3, 5).flatten(0, 2).permute(0, 3, 1, 2)


def _channels_last(maps: Tensor) -> Tensor:
    """``(N, H, W, C)``, and so in memory."""
    return maps.permute(0, 2, 3, 1).contiguous()
