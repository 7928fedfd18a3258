"""Images that look larger or smaller to the network than those it was trained on."""

from pathlib import Path

import pytest

from aerialseg.inference.image_scale import memory_warning, network_edge, scale_warning
from helpers.tiny_training import describe_run

IMAGE = Path("a.png")


@pytest.mark.parametrize(
    ("trained", "size", "image_min_size", "expected"),
    [
        # Trained on images of 90 pixels resized to 60: everything at two thirds.
        ((90, 60), (90, 130), 60, None),
        ((90, 60), (179, 300), 60, None),
        ((90, 60), (181, 300), 60, "181 pixels) 2.0 times smaller; set"),
        ((90, 60), (1800, 2600), 60, "1800 pixels) 20.0 times smaller; set"),
        ((90, 60), (1800, 2600), 1200, None),
        ((90, 60), (30, 30), 60, "30 pixels) 3.0 times larger; set"),
        # Of older checkpoints only the size after resizing is known.
        ((None, 60), (60, 80), 60, None),
        ((None, 60), (240, 300), 60, "240 pixels) 4.0 times smaller; set"),
        # Trained without resizing.
        ((90, None), (1800, 2600), None, None),
        ((90, None), (1800, 2600), 450, "1800 pixels) 4.0 times smaller; set"),
    ],
)
def test_a_factor_of_more_than_two_is_named(trained, size, image_min_size, expected):
    original, resized = trained
    description = describe_run(original_min_size=original, image_min_size=resized)
    line = scale_warning({IMAGE: size}, description, image_min_size)
    assert (line is None) == (expected is None)
    if line is not None:
        assert expected in line


def test_images_may_be_like_those_of_any_of_several_data_sets():
    sizes = {"original_min_size": 1500, "original_min_sizes": [60, 1500]}
    description = describe_run(image_min_size=60, **sizes)
    both = {IMAGE: (70, 90), Path("b.png"): (1400, 1800)}
    assert scale_warning(both, description, 60) is None
    assert "(smaller edge 6000 pixels) 4.0 times smaller" in scale_warning(
        {**both, IMAGE: (6000, 9000)}, description, 60
    )


def test_the_advised_size_is_that_of_training():
    description = describe_run(original_min_size=90, image_min_size=60)
    sizes = {IMAGE: (1800, 2600), Path("b.png"): (90, 130)}
    line = scale_warning(sizes, description, 60)
    assert line.startswith("1 of 2 images look at least twice as large or small")
    assert line.endswith("or task.image_min_size=1200")
    assert scale_warning({IMAGE: (1800, 2600)}, description, 1200) is None


@pytest.mark.parametrize(
    ("size", "window", "edge", "chosen", "expected"),
    [
        ((6000, 4000), [512, 768], None, None, None),  # trained at native scale
        ((6000, 4000), [1024, 1024], 512, None, 2000),  # at half
        ((6000, 4000), [1024, 1024], 512, 300, 300),
        ((1024, 1024), [1024, 1024], 512, None, 512),
        ((600, 800), [1024, 1024], 512, None, 512),  # smaller images were not cut
        ((600, 9000), [1024, 1024], 300, None, 300),  # windows were 600 high
        ((6000, 4000), None, 512, None, 512),
        ((6000, 4000), None, None, None, None),
        ((6000, 4000), None, 512, 300, 300),
    ],
)
def test_a_large_image_is_resized_by_as_much_as_windows_were(size, window, edge, chosen, expected):
    description = describe_run(image_min_size=edge, window=window)
    assert network_edge(size, description, chosen) == expected


@pytest.mark.parametrize("edge", [None, 32])
def test_large_images_are_no_surprise_to_a_network_that_was_trained_on_windows(edge):
    trained = describe_run(window=[64, 64], original_min_size=64, image_min_size=edge)
    assert scale_warning({IMAGE: (6000, 4000)}, trained, None) is None
    assert "15.6 times smaller" in scale_warning(
        {IMAGE: (6000, 4000)}, trained, 256 if not edge else 128
    )


def test_windows_are_one_to_a_network_that_was_trained_on_whole_images():
    trained = describe_run(original_min_size=2160, image_min_size=720)
    line = scale_warning({IMAGE: (720, 720)}, trained, None, remedy="do that")
    assert line.endswith("(smaller edge 720 pixels) 3.0 times larger; do that")


def test_whole_images_of_many_windows_need_memory():
    trained = describe_run(window=[512, 1024], image_min_size=256)
    assert memory_warning({IMAGE: (1024, 2048)}, trained, None) is None
    line = memory_warning({IMAGE: (6000, 5000), Path("b.png"): (512, 512)}, trained, None)
    assert line == (
        "the network was trained on windows of 1024x512 pixels and is given 1 larger image whole: "
        "a.png (5000x6000) needs 57 times the memory of a window; if that is too much, cut large "
        "images into tiles"
    )
    assert memory_warning({IMAGE: (6000, 5000)}, trained, 256) is None
    assert memory_warning({IMAGE: (6000, 5000)}, describe_run(), None) is None
