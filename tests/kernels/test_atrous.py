import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from aerialseg.kernels.atrous import AtrousConv2d, use_custom_gradients
from aerialseg.models import networks

KINDS = ["dense", "depthwise"]


def convolution(kind, *, channels=3, size=(3, 3), dilation=(2, 2), bias=False, **changes):
    outputs, groups = (4, 1) if kind == "dense" else (channels, channels)
    padding = tuple(d * (k // 2) for d, k in zip(dilation, size, strict=True))
    arguments = {"padding": padding, "dilation": dilation, "groups": groups, "bias": bias}
    return nn.Conv2d(channels, outputs, size, **arguments | changes).double()


def gradients(conv, image, output_gradient):
    leaf = image.clone().requires_grad_()
    output = conv(leaf)
    wanted = [leaf, *conv.parameters()]
    return [output, *torch.autograd.grad(output, wanted, output_gradient)]


def by_hand(conv, image, output_gradient):
    """Output and gradients tap by tap in numpy, a depthwise kernel being a diagonal dense one."""
    count, channels, height, width = image.shape
    weight = conv.weight.detach().numpy()
    depthwise = conv.groups > 1
    if depthwise:
        weight = np.einsum("kc,kij->kcij", np.eye(channels), weight[:, 0])
    up, left = conv.padding
    padded = np.pad(image.numpy(), ((0, 0), (0, 0), (up, up), (left, left)))
    given = output_gradient.numpy()
    output = np.zeros((count, len(weight), height, width))
    of_padded, of_weight = np.zeros_like(padded), np.zeros_like(weight)
    for i, j in np.ndindex(*weight.shape[2:]):
        y, x = i * conv.dilation[0], j * conv.dilation[1]
        place = (slice(None), slice(None), slice(y, y + height), slice(x, x + width))
        output += np.einsum("kc,nchw->nkhw", weight[:, :, i, j], padded[place])
        of_weight[:, :, i, j] = np.einsum("nkhw,nchw->kc", given, padded[place])
        of_padded[place] += np.einsum("kc,nkhw->nchw", weight[:, :, i, j], given)
    of_input = of_padded[:, :, up : up + height, left : left + width]
    if depthwise:
        of_weight = np.einsum("ccij->cij", of_weight)[:, None]
    results = [output, of_input, of_weight]
    if conv.bias is not None:
        output += conv.bias.detach().numpy()[:, None, None]
        results.append(given.sum((0, 2, 3)))
    return [torch.from_numpy(np.ascontiguousarray(result)) for result in results]


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.tuples(*[st.sampled_from([1, 3, 5])] * 2),
    st.tuples(*[st.integers(2, 9)] * 2),
    st.tuples(*[st.integers(1, 8)] * 2),
    st.booleans(),
    st.booleans(),
)
def test_output_and_gradients_are_those_of_torch_and_of_the_formula(
    custom_gradients, kind, size, dilation, shape, bias, channels_last
):
    torch.manual_seed(0)
    conv = convolution(kind, size=size, dilation=dilation, bias=bias)
    order = torch.channels_last if channels_last else torch.contiguous_format
    image = torch.randn(2, 3, *shape).double().contiguous(memory_format=order)
    output_gradient = torch.randn(2, conv.out_channels, *shape).double()
    theirs = gradients(conv, image, output_gradient)
    if custom_gradients:
        use_custom_gradients(conv)
    assert type(conv) is (AtrousConv2d if custom_gradients else nn.Conv2d)
    found = gradients(conv, image, output_gradient)
    assert torch.equal(found[0], theirs[0])
    for oracle in (theirs, by_hand(conv, image, output_gradient)):
        for ours, wanted in zip(found, oracle, strict=True):
            torch.testing.assert_close(ours, wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_small_differences(kind, custom_gradients):
    conv = convolution(kind, bias=True)
    if custom_gradients:
        use_custom_gradients(conv)
    image = torch.randn(2, 3, 4, 5).double().requires_grad_()
    assert torch.autograd.gradcheck(conv, (image,))
    weight = torch.randn_like(conv.weight).requires_grad_()
    call = torch.func.functional_call
    assert torch.autograd.gradcheck(lambda w: call(conv, {"weight": w}, (image,)), (weight,))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frozen", ["input", "weight"])
def test_what_is_frozen_gets_no_gradient(kind, frozen):
    conv = convolution(kind)
    use_custom_gradients(conv)
    conv.weight.requires_grad_(frozen != "weight")
    image = torch.randn(2, 3, 4, 5).double().requires_grad_(frozen != "input")
    conv(image).sum().backward()
    assert (image.grad is None) == (frozen == "input")
    assert (conv.weight.grad is None) == (frozen == "weight")


@pytest.mark.parametrize(
    "conv",
    [
        convolution("dense", dilation=(1, 1)),
        convolution("dense", stride=2),
        convolution("dense", padding=1),
        convolution("dense", padding_mode="reflect"),
        convolution("dense", channels=4, groups=2),
        convolution("dense", size=(2, 2), padding=1),
        nn.ConvTranspose2d(3, 4, 3, padding=2, dilation=2),
    ],
    ids=lambda conv: str(conv),
)
def test_other_convolutions_are_left_alone(conv):
    kind = type(conv)
    use_custom_gradients(conv)
    assert type(conv) is kind


def test_in_half_precision_torch_does_it(monkeypatch):
    conv = convolution("dense").float()
    use_custom_gradients(conv)
    monkeypatch.setattr("aerialseg.kernels.atrous._AtrousConvolution", None)
    image = torch.randn(1, 3, 4, 5)
    with torch.autocast("cpu", torch.bfloat16):
        assert conv(image).dtype == torch.bfloat16
    assert conv.bfloat16()(image.bfloat16()).dtype == torch.bfloat16
    with torch.no_grad():
        assert conv.float()(image).dtype == torch.float32


def test_a_whole_network_learns_the_same():
    torch.manual_seed(0)
    plain = networks.deeplabv3_mobilenet_v3_large(3, aux_head=False).eval()
    ours = networks.deeplabv3_mobilenet_v3_large(3, aux_head=False).eval()
    ours.load_state_dict(plain.state_dict())
    use_custom_gradients(ours)
    replaced = [name for name, module in ours.named_modules() if type(module) is AtrousConv2d]
    assert len(replaced) == 6, "three of ASPP, three of the backbone"
    assert ours.state_dict().keys() == plain.state_dict().keys()
    image, target = torch.randn(2, 3, 64, 96), torch.randint(0, 3, (2, 4, 6))
    for network in (plain, ours):
        F.cross_entropy(network(image)["out"], target).backward()
    for (name, theirs), own in zip(plain.named_parameters(), ours.parameters(), strict=True):
        scale = float(theirs.grad.abs().max())
        assert torch.allclose(theirs.grad, own.grad, rtol=0, atol=1e-4 * scale), name
