"""Upsampling in row blocks, against torch's own interpolation of the whole."""

import pytest
import torch
from torch.nn import functional as F

from aerialseg.kernels import upsampling
from aerialseg.kernels.upsampling import RowBlocks, most_likely, upsample

SIZES = [
    ((3, 4), (48, 64)),
    ((3, 4), (45, 61)),
    ((5, 7), (5, 7)),
    ((5, 7), (5, 20)),
    ((5, 7), (13, 7)),
    ((1, 1), (6, 5)),
    ((9, 8), (5, 3)),
]


@pytest.fixture(autouse=True, params=[1, 300, 2**20], ids=["row", "rows", "image"])
def _block_size(request, monkeypatch):
    monkeypatch.setattr(upsampling, "_CACHE_NUMBERS", request.param)


def coarse(size, num_classes=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(2, num_classes, *size, generator=generator, dtype=dtype)


def put_together(logits, size):
    whole = torch.full((*logits.shape[:2], *size), torch.nan, dtype=torch.float64)
    for image, rows, block in RowBlocks(logits, size):
        whole[image, :, rows] = block.double()
    return whole


def interpolated(logits, size):
    return F.interpolate(logits, size, mode="bilinear", align_corners=False)


@pytest.mark.parametrize(("small", "size"), SIZES)
def test_blocks_together_are_the_whole(small, size):
    logits = coarse(small)
    torch.testing.assert_close(put_together(logits, size), interpolated(logits, size))
    torch.testing.assert_close(upsample(logits, size), interpolated(logits, size))


@pytest.mark.parametrize(("small", "size"), SIZES)
def test_the_gradient_is_that_of_autograd(small, size):
    logits = coarse(small).requires_grad_()
    wanted = torch.randn(2, 3, *size, dtype=torch.float64)
    interpolated(logits, size).backward(wanted)
    blocks = RowBlocks(logits.detach(), size)
    total = blocks.zeros()
    for image, rows, _ in blocks:
        blocks.add_gradient(total, image, rows, wanted[image, :, rows])
    torch.testing.assert_close(blocks.gradient(total), logits.grad)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_half_precision_is_computed_in_single(dtype):
    logits = coarse((3, 4), dtype=torch.float32).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        whole = put_together(logits, (48, 64))
    torch.testing.assert_close(whole, interpolated(logits.double(), (48, 64)), rtol=0, atol=1e-6)


def test_layout_does_not_matter():
    logits = coarse((3, 4)).to(memory_format=torch.channels_last)
    expected = put_together(logits.contiguous(), (9, 9))
    torch.testing.assert_close(put_together(logits, (9, 9)), expected)


@pytest.mark.parametrize(("small", "size"), SIZES)
@pytest.mark.parametrize("num_classes", [1, 12, 255, 256, 300])
def test_the_most_likely_class(small, size, num_classes):
    logits = coarse(small, num_classes)
    found = most_likely(logits, size)
    assert found.dtype == (torch.uint8 if num_classes <= 255 else torch.int64)
    assert torch.equal(found.long(), interpolated(logits, size).argmax(1))


def test_of_equals_the_first_is_the_most_likely():
    logits = torch.tensor([1.0, 3.0, 3.0, 2.0]).view(1, 4, 1, 1)
    assert most_likely(logits, (2, 2)).unique().tolist() == [1]


def test_what_is_not_a_number_still_has_a_class():
    assert most_likely(torch.full((1, 4, 2, 2), torch.nan), (4, 4)).max() < 4


def test_accelerators_are_never_waited_for():
    # A meta tensor has no values: whatever asks for one raises.
    found = most_likely(torch.zeros(2, 5, 3, 4, device="meta"), (48, 64))
    assert found.shape == (2, 48, 64)
    assert found.device.type == "meta"


def test_the_precision_of_products_is_put_back():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        most_likely(torch.zeros(1, 2, 2, 2), (4, 4))
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)
