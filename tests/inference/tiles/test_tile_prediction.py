"""Tiles against the whole image, with networks that see no further than a cell."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from aerialseg.data.images.rows import HeldImage, Rows
from aerialseg.inference.tiles.layout import tile_layout
from aerialseg.inference.tiles.prediction import predict_strips
from aerialseg.kernels.upsampling import most_likely


class LocalNetwork:
    """Classes by the mean colour of a cell of so many pixels: no tile knows less than the whole."""

    def __init__(self, cell):
        self.cell, self.seen = cell, []

    def __call__(self, tiles):
        self.seen += list(tiles)
        colours = torch.from_numpy(tiles).permute(0, 3, 1, 2).float()
        return F.avg_pool2d(colours, self.cell)


def image_of(size, seed=0):
    """Smooth colours, so that classes form areas."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(0, 255, (1, 3, size[0] // 20 + 2, size[1] // 20 + 2)))
    smooth = F.interpolate(coarse, size, mode="bicubic")[0].permute(1, 2, 0)
    return smooth.clamp(0, 255).round().to(torch.uint8).numpy()


def predicted(image, layout, network, missing=None, **options):
    strips = list(predict_strips(HeldImage(image, missing), layout, network, **options))
    return np.concatenate([strip.mask for strip in strips]), strips


@pytest.mark.parametrize("cell", [1, 4, 16, 32])
@pytest.mark.parametrize("size", [(320, 448), (200, 500), (90, 70)])
def test_tiles_say_what_the_whole_image_says(size, cell):
    image, network = image_of(size), LocalNetwork(cell)
    layout = tile_layout(size, tile_size=128, overlap=0.25, scale=1)
    mask, _ = predicted(image, layout, network)
    # Beyond its ends the image is mirrored to whole blocks, as for the tiles.
    height, width = (blocks * 32 for blocks in layout.blocks)
    padding = ((0, height - size[0]), (0, width - size[1]), (0, 0))
    whole = LocalNetwork(cell)(np.pad(image, padding, mode="reflect")[None])
    wanted = most_likely(whole, (height, width))[0, : size[0], : size[1]].numpy()
    assert (mask == wanted).mean() > 0.9999  # sums are in another order


def test_what_is_shared_is_blended_by_the_distance_to_the_tiles_ends():
    image = np.zeros((128, 224, 3), np.uint8)
    layout = tile_layout((128, 224), tile_size=128, overlap=0.25, scale=1)
    assert layout.lefts == (0, 3)
    answers = iter([0.0, 1.0])

    def network(tiles):
        values = [torch.full((1, 8, 8), next(answers)) for _ in tiles]
        return torch.stack([torch.cat([value, 0.5 + 0 * value]) for value in values])

    _, (strip,) = predicted(image, layout, network)
    along = strip.logits[0, 0, 3]
    # Two cells of 16 pixels are shared; weights are 0.75 and 0.25 of the nearer and the further.
    assert along.tolist() == pytest.approx([0] * 6 + [0.25, 0.75] + [1] * 6)


def test_a_run_that_goes_on_says_bit_for_bit_what_one_without_a_break_says():
    size = (700, 300)
    image, layout = image_of(size), tile_layout(size, tile_size=128, overlap=0.5, scale=1)
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(3, 5, 17, stride=16, padding=8)

    def network(tiles):
        with torch.inference_mode():
            return layer(torch.from_numpy(tiles).permute(0, 3, 1, 2).float())

    whole, strips = predicted(image, layout, network)
    for done in range(1, len(layout.strips)):
        rest, others = predicted(image, layout, network, done=done)
        assert np.array_equal(rest, whole[layout.strips[done].first :])
        for one, other in zip(others, strips[done:], strict=True):
            assert torch.equal(one.logits, other.logits)
    assert list(predict_strips(HeldImage(image, None), layout, network, done=len(strips))) == []


def test_tiles_without_data_are_left_out_and_their_pixels_ignored():
    size = (448, 448)
    image, missing = image_of(size), np.zeros(size, bool)
    missing[:200] = missing[:, 420:] = True
    layout = tile_layout(size, tile_size=128, overlap=0.25, scale=1)
    everything, network = LocalNetwork(16), LocalNetwork(16)
    known, _ = predicted(image, layout, everything)
    mask, _ = predicted(image, layout, network, missing)
    assert (mask[missing] == 255).all()
    assert np.array_equal(mask[~missing], known[~missing])
    # Rows of tiles begin at blocks 0, 3, 6, 9 and 10; the first lies in rows without data.
    assert len(network.seen) == len(everything.seen) * 4 // 5
    nothing = LocalNetwork(16)
    mask, strips = predicted(image, layout, nothing, np.ones(size, bool))
    assert (mask == 255).all()
    assert not nothing.seen
    assert {strip.logits for strip in strips} == {None}


def test_no_row_is_read_twice_and_no_more_than_a_row_of_tiles_is_held():
    size = (2000, 100)
    reads = []

    class Source(HeldImage):
        def read(self, first, end):
            reads.append((first, end))
            return super().read(first, end)

    layout = tile_layout(size, tile_size=128, overlap=0.25, scale=1)
    list(predict_strips(Source(image_of(size), None), layout, LocalNetwork(16)))
    assert reads[0] == (0, 128)
    assert [end for _, end in reads[:-1]] == [first for first, _ in reads[1:]]
    assert reads[-1][1] == 2000
    assert max(end - first for first, end in reads[1:]) <= 96


def test_margins_are_the_lead_of_the_likeliest_class():
    size = (256, 160)
    missing = np.zeros(size, bool)
    missing[:50, :60] = True
    layout = tile_layout(size, tile_size=128, overlap=0.25, scale=1)

    def network(tiles):
        return LocalNetwork(1)(tiles) / 50

    _, strips = predicted(image_of(size), layout, network, missing, margins=True)
    margin = np.concatenate([strip.margin for strip in strips])
    logits = image_of(size).astype(float) / 50
    odds = np.sort(np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True), axis=2)
    wanted = np.rint(254 * (odds[..., 2] - odds[..., 1]))
    assert np.abs(margin[~missing] - wanted[~missing]).max() <= 1
    assert (margin[missing] == 255).all()
    assert {strip.margin for strip in predicted(image_of(size), layout, network)[1]} == {None}


def test_scaled_tiles_have_the_size_that_the_network_knows():
    size = (800, 1200)
    layout = tile_layout(size, tile_size=256, overlap=0.25, scale=0.5)
    network = LocalNetwork(16)
    mask, _ = predicted(image_of(size), layout, network)
    assert mask.shape == size
    assert {tile.shape for tile in network.seen} == {(128, 128, 3)}


def test_rows_of_two_parts_keep_what_is_missing():
    one = Rows(0, np.zeros((2, 3, 1), np.uint8), None)
    other = Rows(2, np.ones((1, 3, 1), np.uint8), np.array([[True, False, True]]))
    both = one.followed_by(other)
    assert both.image[:, 0, 0].tolist() == [0, 0, 1]
    assert both.missing.tolist() == [[False] * 3, [False] * 3, [True, False, True]]
    assert both.part(2, 3).missing.tolist() == [[True, False, True]]
