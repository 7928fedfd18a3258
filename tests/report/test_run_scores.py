"""Scores of images and classes, against scikit-learn and by hand."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score

from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.report.run_scores import ImageMatrices, scores_of

IMAGES, CLASSES = 6, 4


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, (IMAGES, 8, 9))
    prediction = np.where(rng.random(truth.shape) < 0.7, truth, (truth + 1) % 3)
    return truth, prediction


@pytest.fixture(scope="module")
def results(drawn):
    truth, prediction = (torch.from_numpy(each) for each in drawn)
    pairs = list(zip(prediction, truth, strict=True))
    whole = torch.stack([confusion_matrix(p, t, CLASSES) for p, t in pairs])
    near = torch.stack([confusion_matrix(p[:2], t[:2], CLASSES) for p, t in pairs])
    names = [f"image {number}" for number in range(IMAGES)]
    return ImageMatrices(names, names, whole, near, np.zeros((256, 2), np.int64), (1, 3))


def test_scores_of_all_images_are_those_of_scikit_learn(drawn, results):
    truth, prediction = (each.ravel() for each in drawn)
    scores = results.scores()
    assert scores["dice"] == pytest.approx(f1_score(truth, prediction, average="macro"))
    assert scores["iou"] == pytest.approx(jaccard_score(truth, prediction, average="macro"))
    assert scores["accuracy"] == pytest.approx((truth == prediction).mean())
    border = [each[:, :2].ravel() for each in drawn]
    assert scores["boundary"] == pytest.approx(f1_score(*border, average="macro"))


def test_each_score_has_an_interval_around_it(results):
    scores, intervals = results.scores(), results.intervals()
    assert set(intervals) == set(scores)
    assert all(scores[key] in interval for key, interval in intervals.items())


def test_a_class_that_is_nowhere_has_no_scores(drawn, results):
    truth, prediction = (each.ravel() for each in drawn)
    rows = results.of_classes(["a", "b", "c", "nowhere"])
    expected = f1_score(truth, prediction, average=None)
    assert [row.dice for row in rows[:3]] == pytest.approx(expected.tolist())
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert [row.images for row in rows] == [IMAGES, IMAGES, IMAGES, 0]
    last = rows[3]
    assert (last.iou, last.dice, last.boundary_dice, last.iou_interval) == (None, None, None, None)


def test_windows_of_an_image_count_as_one_image(results):
    windows = ImageMatrices(
        ["one"] * 3 + ["two"] * 3,
        ["one"] * 3 + ["two"] * 3,
        results.whole,
        results.near_borders,
        results.confidence,
        results.band,
    )
    assert [row.images for row in windows.of_classes("abcd")] == [2, 2, 2, 0]
    assert windows.intervals() == {}  # two groups are too few
    assert windows.scores() == results.scores()


def test_an_image_without_labels_has_no_scores():
    nothing = torch.zeros(2, 2, dtype=torch.int64)
    assert all(np.isnan(value) for value in scores_of(nothing, nothing).values())
