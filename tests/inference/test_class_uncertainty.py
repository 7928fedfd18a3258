import numpy as np
import pytest
import torch

from aerialseg.inference.class_uncertainty import class_uncertainty


def logits_of(probabilities):
    """``(1, C, h, w)`` logits of ``(h, w, C)`` probabilities."""
    return torch.tensor(np.log(probabilities)).permute(2, 0, 1)[None]


def test_it_is_the_mean_variance_of_each_class():
    probabilities = np.array([[[0.5, 0.25, 0.25], [0.8, 0.1, 0.1]]])
    found = class_uncertainty(logits_of(probabilities))
    assert found == pytest.approx([(0.25 + 0.16) / 2, (0.1875 + 0.09) / 2, (0.1875 + 0.09) / 2])


def test_its_sum_is_the_chance_that_two_draws_differ():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), size=(1, 1))
    draws = rng.choice(4, size=(200_000, 2), p=probabilities[0, 0])
    differ = (draws[:, 0] != draws[:, 1]).mean()
    assert class_uncertainty(logits_of(probabilities)).sum() == pytest.approx(differ, abs=5e-3)


def test_pixels_without_data_do_not_count():
    sure, unsure = [1 - 1e-9, 1e-9], [0.5, 0.5]
    probabilities = np.array([[sure, sure], [unsure, unsure]])
    missing = np.zeros((8, 8), dtype=bool)
    missing[4:] = True
    assert class_uncertainty(logits_of(probabilities), missing) == pytest.approx([0, 0], abs=1e-6)
    assert class_uncertainty(logits_of(probabilities), ~missing) == pytest.approx([0.25, 0.25])


def test_an_image_without_any_data_is_not_worth_a_label():
    missing = np.ones((6, 6), dtype=bool)
    probabilities = np.full((3, 3, 2), 0.5)
    assert np.array_equal(class_uncertainty(logits_of(probabilities), missing), [0, 0])
