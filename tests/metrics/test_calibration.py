"""Calibration, against the plain formula and torchmetrics."""

import numpy as np
import pytest
import torch
from torchmetrics.classification import BinaryCalibrationError

from aerialseg.classes import IGNORE_INDEX
from aerialseg.metrics.calibration import (
    confidence_bins,
    count_confidence,
    expected_calibration_error,
)


def drawn(seed, skill):
    rng = np.random.default_rng(seed)
    confidence = rng.integers(80, 256, (40, 50)).astype(np.uint8)
    truth = rng.integers(0, 3, (40, 50)).astype(np.uint8)
    right = rng.random((40, 50)) < confidence / 255 * skill
    prediction = np.where(right, truth, (truth + 1) % 3).astype(np.uint8)
    return confidence, prediction, truth


def test_pixels_are_counted_by_confidence_and_ignored_ones_left_out():
    confidence = np.array([[0, 255, 255, 7]], np.uint8)
    prediction = np.array([[1, 1, 2, 2]], np.uint8)
    truth = np.array([[1, 1, 1, IGNORE_INDEX]], np.uint8)
    counts = count_confidence(confidence, prediction, truth)
    assert counts.sum() == 3
    assert counts[0].tolist() == [0, 1]
    assert counts[255].tolist() == [1, 1]


@pytest.mark.parametrize("skill", [0.5, 1.0])
def test_the_error_is_that_of_torchmetrics(skill):
    confidence, prediction, truth = drawn(0, skill)
    counts = count_confidence(confidence, prediction, truth)
    # Binary, so that a probability is a confidence and "positive" means right.
    oracle = BinaryCalibrationError(n_bins=15, norm="l1")
    oracle.update(
        torch.from_numpy(confidence.ravel() / 255.0).float(),
        torch.from_numpy((prediction == truth).ravel().astype(np.int64)),
    )
    assert expected_calibration_error(counts) == pytest.approx(float(oracle.compute()), abs=0.005)


def test_a_network_that_is_right_as_often_as_it_says_has_a_small_error():
    honest, boastful = (
        expected_calibration_error(count_confidence(*drawn(1, skill))) for skill in (1.0, 0.5)
    )
    assert honest < 0.03
    assert boastful > 0.25


def test_counts_of_images_may_be_added():
    parts = [count_confidence(*drawn(seed, 1.0)) for seed in (1, 2)]
    both = [np.concatenate(pair) for pair in zip(drawn(1, 1.0), drawn(2, 1.0), strict=True)]
    assert (sum(parts) == count_confidence(*both)).all()
    assert sum(each.share for each in confidence_bins(sum(parts))) == pytest.approx(1)
