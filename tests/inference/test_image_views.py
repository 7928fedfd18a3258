import numpy as np
import pytest
import torch

from aerialseg.errors import ConfigError
from aerialseg.inference.image_views import Views


@pytest.mark.parametrize(
    ("scales", "flips", "words", "count"),
    [
        ([1.0], "none", "single scale", 1),
        ([1], "horizontal", "scale 1, horizontal flip", 2),
        ([1.0, 1.33], "horizontal", "scales 1, 1.33, horizontal flip", 4),
        ([0.75, 1.0, 1.5], "both", "scales 0.75, 1, 1.5, horizontal and vertical flips", 12),
        ([1.33], "none", "scale 1.33", 1),
    ],
)
def test_a_protocol_says_what_was_seen(scales, flips, words, count):
    views = Views(scales, flips)
    assert (str(views), len(views)) == (words, count)
    assert views.is_single == (words == "single scale")


def test_mirrored_images_are_those_of_numpy():
    images = np.arange(2 * 2 * 3 * 3, dtype=np.uint8).reshape(2, 2, 3, 3)
    seen = [mirror.of_images(images) for mirror in Views([1.0], "both").mirrors]
    wanted = (images, images[:, :, ::-1], images[:, ::-1], images[:, ::-1, ::-1])
    assert all(np.array_equal(a, b) for a, b in zip(seen, wanted, strict=True))
    assert len(Views([1.0], "horizontal").mirrors) == 2


@pytest.mark.parametrize("flips", ["none", "horizontal", "both"])
def test_each_mirror_is_undone_on_logits(flips):
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    as_logits = torch.from_numpy(images).permute(0, 3, 1, 2)
    for mirror in Views([1.0], flips).mirrors:
        seen = torch.from_numpy(mirror.of_images(images).copy()).permute(0, 3, 1, 2)
        assert torch.equal(mirror.of_logits(seen), as_logits)


def test_a_scale_that_is_there_twice_is_refused():
    with pytest.raises(ConfigError, match=r"task.scales: 1.5 is there twice; give each scale once"):
        Views([1.5, 1, 1.5])
