"""Dilated ("atrous") convolutions: ``nn.Conv2d`` is the plain formulation, the gradient is custom.

With ``X`` the input, ``W`` the weight, ``b`` the bias, ``G`` the gradient of the output, ``n`` an
image, ``p`` a place in it, ``(d, e)`` the dilation and ``o_ij = ((i - I // 2) * d, (j - J // 2) *
e)`` the offset of tap ``(i, j)`` of an ``I x J`` kernel; ``X`` is 0 outside the image::

    Y[n, k, p]       = b[k] + sum over c, i, j of W[k, c, i, j] * X[n, c, p + o_ij]
    dL/dW[k, c, i, j] = sum over n, p of G[n, k, p] * X[n, c, p + o_ij]
    dL/dX[n, c, q]   = sum over k, i, j of W[k, c, i, j] * G[n, k, q - o_ij]
    dL/db[k]         = sum over n, p of G[n, k, p]

On a processor torch takes a third of a training step of DeepLabV3 for these, and more on large
images. Dense and depthwise convolutions are computed faster in two different ways.

Dense, per tap: where the dilation is as large as the feature map, as it is in ASPP, most taps see
padding at most places. ``P_ij`` are the places where ``p + o_ij`` is inside the image, and the
rows of the matrices ``G_ij`` and ``X_ij`` are ``G[n, :, p]`` and ``X[n, :, p + o_ij]`` for ``p`` in
``P_ij``. The other places are never computed::

    dL/dW[:, :, i, j]             = G_ij.T @ X_ij
    dL/dX[n, :, p + o_ij for P_ij] += G_ij @ W[:, :, i, j]

Depthwise, per grid: the places ``p = (d * y + r, e * x + s)`` of one pair ``(r, s)`` are a grid.
Dilated taps never leave their grid, so within it the convolution is undilated, and undilated ones
have a fast gradient for their weight. The gradient of the input is a convolution with the kernel
turned by 180 degrees::

    dL/dW[c, i, j] = sum over r, s, n, y, x of
                     G_rs[n, c, y, x] * X_rs[n, c, y + i - I // 2, x + j - J // 2]
    dL/dX[n, c, q] = sum over i, j of W[c, I - 1 - i, J - 1 - j] * G[n, c, q + o_ij]
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight


def use_custom_gradients(network: nn.Module) -> None:
    """Makes each dilated convolution that is suitable an :class:`AtrousConv2d`, in place.

    Parameter names and outputs are unchanged.
    """
    for module in network.modules():
        if type(module) is nn.Conv2d and _is_suitable(module):
            # Only the class changes: a new module would lose hooks, mode and layout.
            module.__class__ = AtrousConv2d


class AtrousConv2d(nn.Conv2d):
    """A dilated convolution that keeps the size of its input, dense or depthwise.

    The output is bit for bit that of ``nn.Conv2d``; the gradient differs in the order of its sums.
    On an accelerator, in half precision and where no gradient is needed, it is ``nn.Conv2d``.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        output: Tensor
        if _is_faster_for(input, weight):
            output = _AtrousConvolution.apply(input, weight, bias, self.dilation)
        else:
            output = super()._conv_forward(input, weight, bias)
        return output


class _AtrousConvolution(torch.autograd.Function):
    """``apply(input, weight, bias, dilation)``: ``(N, C, H, W)``, ``(K, C or 1, I, J)``."""

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
        """The gradients of input, weight and bias, each where it is needed."""
        input, weight = ctx.saved_tensors
        for_input, for_weight, for_bias, _ = ctx.needs_input_grad
        if weight.shape[1] == input.shape[1]:
            of_input = torch.zeros_like(input) if for_input else None
            of_weight = torch.zeros_like(weight) if for_weight else None
            _add_taps(of_input, of_weight, input, weight, gradient, ctx.dilation)
        else:
            turned = weight.flip(2, 3)
            of_input = _convolution(gradient, turned, ctx.dilation) if for_input else None
            of_weight = _sum_grids(input, weight, gradient, ctx.dilation) if for_weight else None
        return of_input, of_weight, gradient.sum((0, 2, 3)) if for_bias else None, None


def _is_suitable(conv: nn.Conv2d) -> bool:
    """Whether the formulas hold: dilated, same size, zero padding, dense or depthwise."""
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


def _is_faster_for(input: Tensor, weight: Tensor) -> bool:
    learns = torch.is_grad_enabled() and (input.requires_grad or weight.requires_grad)
    single = input.dtype in (torch.float32, torch.float64) and not torch.is_autocast_enabled("cpu")
    return learns and single and input.device.type == "cpu"


def _convolution(
    input: Tensor, weight: Tensor, dilation: tuple[int, int], bias: Tensor | None = None
) -> Tensor:
    padding = [d * (k // 2) for d, k in zip(dilation, weight.shape[2:], strict=True)]
    groups = input.shape[1] // weight.shape[1]
    return F.conv2d(input, weight, bias, padding=padding, dilation=dilation, groups=groups)


def _add_taps(
    of_input: Tensor | None,
    of_weight: Tensor | None,
    input: Tensor,
    weight: Tensor,
    gradient: Tensor,
    dilation: tuple[int, int],
) -> None:
    """A dense convolution's gradients, tap by tap, each over the places where it sees the image."""
    pixels, output_gradient = _channels_last(input), _channels_last(gradient)
    columns = list(_taps(input.shape[3], weight.shape[3], dilation[1]))
    for y, out_y, in_y in _taps(input.shape[2], weight.shape[2], dilation[0]):
        for x, out_x, in_x in columns:
            tap_gradient = output_gradient[:, out_y, out_x].flatten(0, 2)
            if of_weight is not None:
                of_weight[:, :, y, x] = tap_gradient.T @ pixels[:, in_y, in_x].flatten(0, 2)
            if of_input is not None:
                seen = of_input.permute(0, 2, 3, 1)[:, in_y, in_x]
                seen += (tap_gradient @ weight[:, :, y, x]).view(seen.shape)


def _sum_grids(
    input: Tensor, weight: Tensor, gradient: Tensor, dilation: tuple[int, int]
) -> Tensor:
    """The gradient of a depthwise convolution's weight, undilated on each grid."""
    padding = [k // 2 for k in weight.shape[2:]]
    inputs, gradients = _grids(input, dilation), _grids(gradient, dilation)
    of_weight: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
        inputs, weight.shape, gradients, padding=padding, groups=input.shape[1]
    )
    return of_weight


def _taps(length: int, taps: int, dilation: int) -> Iterator[tuple[int, slice, slice]]:
    """Of one axis, each tap that sees the image anywhere: its index, from where, and what."""
    for tap in range(taps):
        offset = (tap - taps // 2) * dilation
        start, end = max(0, -offset), min(length, length - offset)
        if start < end:
            yield tap, slice(start, end), slice(start + offset, end + offset)


def _grids(maps: Tensor, dilation: tuple[int, int]) -> Tensor:
    """``(d * e * N, C, H / d, W / e)``: the grids of every ``d``-th row and ``e``-th column."""
    down, across = dilation
    count, channels, height, width = maps.shape
    # Zeros add nothing to a product: in the input they are padding, in the gradient factors.
    rows = _channels_last(F.pad(maps, (0, -width % across, 0, -height % down)))
    grids = rows.view(count, -1, down, rows.shape[2] // across, across, channels)
    return grids.permute(2, 4, 0, 1, 3, 5).flatten(0, 2).permute(0, 3, 1, 2)


def _channels_last(maps: Tensor) -> Tensor:
    """``(N, H, W, C)``, and so in memory."""
    return maps.permute(0, 2, 3, 1).contiguous()
