"""Metrics accumulated over batches and devices."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aerialseg.metrics.accumulators import MulticlassDiceScore, SegmentationMetrics
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import macro_dice


def random_maps(seed, num_classes, shape=(2, 7, 9)):
    generator = torch.Generator().manual_seed(seed)
    prediction = torch.randint(0, num_classes, shape, generator=generator)
    target = torch.randint(0, num_classes, shape, generator=generator)
    target[torch.rand(shape, generator=generator) < 0.2] = 255
    return prediction, target


def close(actual, expected):
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.float64), equal_nan=True)


def test_updates_do_not_synchronise_with_the_device():
    # A meta tensor has no values: whatever asks for one raises.
    metric = SegmentationMetrics(3).to("meta")
    metric.update(
        torch.zeros(2, 3, 4, 4, device="meta"), torch.zeros(2, 4, 4, device="meta").byte()
    )
    matrix = metric.compute()
    assert matrix.shape == (3, 3)
    assert macro_dice(matrix).device.type == "meta"


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 7), min_size=1, max_size=6))
def test_scores_do_not_depend_on_batch_size(seed, batch_sizes):
    prediction, target = random_maps(seed, 6, (sum(batch_sizes), 3, 5))
    metric = MulticlassDiceScore(6)
    for guess, truth in zip(prediction.split(batch_sizes), target.split(batch_sizes), strict=True):
        metric.update(guess, truth)
    close(metric.compute(), macro_dice(confusion_matrix(prediction, target, 6)).item())


def test_takes_logits():
    generator = torch.Generator().manual_seed(7)
    logits = torch.randn(2, 5, 6, 7, generator=generator)
    target = random_maps(7, 5, (2, 6, 7))[1].to(torch.uint8)
    for values in (logits, logits.half(), logits.to(memory_format=torch.channels_last)):
        metric = SegmentationMetrics(5)
        metric.update(values, target)
        assert torch.equal(metric.compute(), confusion_matrix(values.argmax(1), target, 5))


def test_refuses_logits_of_another_class_count():
    with pytest.raises(ValueError, match=r"wanted \(N, 5, H, W\)"):
        SegmentationMetrics(5).update(torch.zeros(2, 4, 6, 7), torch.zeros(2, 6, 7).byte())


def test_reset_clears_the_matrix():
    metric = SegmentationMetrics(4)
    metric.update(*random_maps(8, 4))
    metric.reset()
    assert metric.matrix.sum() == 0


def test_matrices_of_several_devices_are_added():
    (first, second), maps = (SegmentationMetrics(4), SegmentationMetrics(4)), random_maps(9, 4)
    first.update(*maps)
    second.update(*random_maps(10, 4))
    expected = first.compute() + second.compute()
    gathered = torch.stack([first.matrix, second.matrix])
    assert torch.equal(first._reductions["matrix"](gathered), expected)


@pytest.mark.parametrize(
    ("average", "absent", "expected"),
    [
        ("macro", "skip", 4 / 9),
        ("macro", "one", 7 / 12),
        ("micro", "skip", 3 / 5),
        ("none", "skip", [2 / 3, 2 / 3, math.nan, 0.0]),
        ("none", "one", [2 / 3, 2 / 3, 1.0, 0.0]),
    ],
)
def test_dice_score_by_hand(average, absent, expected):
    metric = MulticlassDiceScore(4, average=average, absent=absent)
    metric.update(torch.tensor([[0, 1, 1, 1, 3, 2]]), torch.tensor([[0, 0, 1, 1, 1, 255]]))
    close(metric.compute(), expected)


def test_dice_score_refuses_unknown_conventions():
    with pytest.raises(ValueError, match=r"^average: 'mean' is not one of macro, micro, none$"):
        MulticlassDiceScore(4, average="mean")
    with pytest.raises(ValueError, match=r"^absent: 'zero' is not one of skip, one"):
        MulticlassDiceScore(4, absent="zero")
