"""The confusion matrix and its scores: by hand, against scikit-learn and torchmetrics."""

import math

import numpy as np
import pytest
import sklearn.metrics
import torch
import torchmetrics.classification as tm
from hypothesis import given, settings
from hypothesis import strategies as st

from aerialseg.errors import DataError
from aerialseg.kernels import class_ids
from aerialseg.metrics import confusion
from aerialseg.metrics.accumulators import SegmentationMetrics
from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import (
    dice_per_class,
    iou_per_class,
    macro_dice,
    mean_iou,
    micro_dice,
    pixel_accuracy,
    summarise,
)

NAN = math.nan
# Truth 0 0 1 1 1, predicted 0 1 1 1 3; class 2 is absent, 3 only predicted.
BY_HAND = torch.tensor([[1, 1, 0, 0], [0, 2, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
IOU_BY_HAND = [1 / 2, 2 / 4, NAN, 0.0]
DICE_BY_HAND = [2 / 3, 4 / 6, NAN, 0.0]


def random_maps(seed, num_classes, shape=(2, 7, 9), ignored=0.2, target_dtype=torch.int64):
    generator = torch.Generator().manual_seed(seed)
    prediction = torch.randint(0, num_classes, shape, generator=generator)
    target = torch.randint(0, num_classes, shape, generator=generator)
    target[torch.rand(shape, generator=generator) < ignored] = 255
    return prediction, target.to(target_dtype)


def count_one_by_one(prediction, target, num_classes, ignore_index=255):
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    for truth, guess in zip(target.flatten().tolist(), prediction.flatten().tolist(), strict=True):
        if truth != ignore_index:
            matrix[truth, guess] += 1
    return matrix


def as_on_an_accelerator(monkeypatch):
    for module in (confusion, class_ids):
        monkeypatch.setattr(module, "reads_without_waiting", lambda tensor: False)


def close(actual, expected):
    torch.testing.assert_close(
        torch.as_tensor(actual), torch.tensor(expected, dtype=torch.float64), equal_nan=True
    )


def test_matrix_by_hand():
    prediction = torch.tensor([[0, 1, 1, 1, 3, 2, 0]])
    target = torch.tensor([[0, 0, 1, 1, 1, 255, 255]])
    matrix = confusion_matrix(prediction, target, 4)
    assert matrix.dtype == torch.int64
    assert torch.equal(matrix, BY_HAND)


def test_scores_by_hand():
    close(iou_per_class(BY_HAND), IOU_BY_HAND)
    close(dice_per_class(BY_HAND), DICE_BY_HAND)
    close(pixel_accuracy(BY_HAND), 3 / 5)
    close(micro_dice(BY_HAND), 3 / 5)


def test_absent_classes_are_skipped_or_perfect():
    close(mean_iou(BY_HAND), 1 / 3)
    close(mean_iou(BY_HAND, absent="skip"), 1 / 3)
    close(mean_iou(BY_HAND, absent="one"), 2 / 4)
    close(macro_dice(BY_HAND), (2 / 3 + 2 / 3) / 3)
    close(macro_dice(BY_HAND, absent="skip"), (2 / 3 + 2 / 3) / 3)
    close(macro_dice(BY_HAND, absent="one"), (2 / 3 + 2 / 3 + 1) / 4)


# Each side of every step of the width of the combined index, with uint8 targets where they fit.
@pytest.mark.parametrize("num_classes", [1, 2, 15, 16, 17, 180, 181, 255, 300])
@pytest.mark.parametrize("target_dtype", [torch.uint8, torch.int16, torch.int64])
def test_matrix_is_exact_for_any_class_count(num_classes, target_dtype):
    labelled = min(num_classes, 255)
    prediction, target = random_maps(0, num_classes, (3, 40, 50))
    target = target.clamp(max=255) if num_classes > 255 else target
    prediction[0, 0, :2] = num_classes - 1
    target[0, 0, 0] = labelled - 1
    target[0, 0, 1] = 255
    matrix = confusion_matrix(prediction, target.to(target_dtype), num_classes)
    np.testing.assert_array_equal(matrix, count_one_by_one(prediction, target, num_classes))


def test_uint8_predictions_are_counted_alike():
    prediction, target = random_maps(1, 100)
    wide = confusion_matrix(prediction, target, 100)
    assert torch.equal(confusion_matrix(prediction.to(torch.uint8), target, 100), wide)
    assert torch.equal(confusion_matrix(prediction.to(torch.int8), target, 100), wide)


def test_counts_beyond_the_range_of_a_byte_and_of_int16():
    ones = torch.ones(300, 300, dtype=torch.uint8)
    assert confusion_matrix(ones, ones, 2).tolist() == [[0, 0], [0, 90000]]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.integers(2, 20), st.sampled_from([0.0, 0.3]))
def test_equals_scikit_learn(seed, num_classes, ignored):
    prediction, target = random_maps(seed, num_classes, ignored=ignored)
    kept = target != 255
    truth, guess = target[kept].numpy(), prediction[kept].numpy()
    ids = np.arange(num_classes)
    matrix = confusion_matrix(prediction, target, num_classes)

    expected = sklearn.metrics.confusion_matrix(truth, guess, labels=ids)
    np.testing.assert_array_equal(matrix, expected)
    close(pixel_accuracy(matrix), sklearn.metrics.accuracy_score(truth, guess))
    # With these two, an absent class scores what zero_division says.
    iou = sklearn.metrics.jaccard_score(truth, guess, labels=ids, average=None, zero_division=1)
    f1 = sklearn.metrics.f1_score(truth, guess, labels=ids, average=None, zero_division=1)
    np.testing.assert_allclose(iou_per_class(matrix).nan_to_num(nan=1.0), iou)
    np.testing.assert_allclose(dice_per_class(matrix).nan_to_num(nan=1.0), f1)
    close(mean_iou(matrix, absent="one"), iou.mean())
    close(macro_dice(matrix, absent="one"), f1.mean())
    present = np.union1d(truth, guess)
    close(mean_iou(matrix), iou[present].mean())
    close(macro_dice(matrix), f1[present].mean())
    micro = sklearn.metrics.f1_score(truth, guess, labels=ids, average="micro")
    close(micro_dice(matrix), micro)


@pytest.mark.parametrize("num_classes", [4, 12, 40])
def test_equals_torchmetrics(num_classes):
    prediction, target = random_maps(2, num_classes, (2, 9, 11))
    ours = SegmentationMetrics(num_classes)
    ours.update(prediction, target)
    matrix = ours.compute()

    def theirs(metric, **arguments):
        return metric(num_classes, ignore_index=255, **arguments)(prediction, target).double()

    def almost(actual, expected):  # torchmetrics divides in float32
        torch.testing.assert_close(actual, expected, rtol=1e-6, atol=1e-6)

    assert torch.equal(matrix.double(), theirs(tm.MulticlassConfusionMatrix))
    almost(iou_per_class(matrix), theirs(tm.MulticlassJaccardIndex, average="none"))
    almost(mean_iou(matrix), theirs(tm.MulticlassJaccardIndex, average="macro"))
    almost(dice_per_class(matrix), theirs(tm.MulticlassF1Score, average="none"))
    almost(macro_dice(matrix), theirs(tm.MulticlassF1Score, average="macro"))
    almost(micro_dice(matrix), theirs(tm.MulticlassF1Score, average="micro"))
    almost(pixel_accuracy(matrix), theirs(tm.MulticlassAccuracy, average="micro"))


def test_macro_means_skip_absent_classes_as_torchmetrics_does():
    prediction, target = random_maps(3, 4)
    matrix = confusion_matrix(prediction, target, 9)
    iou = tm.MulticlassJaccardIndex(9, ignore_index=255)(prediction, target).double()
    f1 = tm.MulticlassF1Score(9, ignore_index=255)(prediction, target).double()
    torch.testing.assert_close(mean_iou(matrix), iou, rtol=1e-6, atol=0)
    torch.testing.assert_close(macro_dice(matrix), f1, rtol=1e-6, atol=0)


@pytest.mark.parametrize("ignore_index", [0, 2, 7, -100, 255])
def test_any_id_can_be_the_ignored_one(ignore_index):
    prediction, target = random_maps(4, 5, ignored=0)
    target[:, 0] = ignore_index
    matrix = confusion_matrix(prediction, target, 5, ignore_index=ignore_index)
    np.testing.assert_array_equal(matrix, count_one_by_one(prediction, target, 5, ignore_index))


def test_an_ignored_id_that_the_type_cannot_hold_ignores_nothing():
    target = torch.tensor([0, 156], dtype=torch.uint8)  # 156 is -100 as a byte
    prediction = torch.tensor([0, 1])
    assert confusion_matrix(prediction, target, 200, ignore_index=-100).sum() == 2


def test_predictions_on_ignored_pixels_do_not_count():
    prediction, target = random_maps(5, 3)
    other = torch.where(target == 255, (prediction + 1) % 3, prediction)
    assert not torch.equal(prediction, other)
    assert torch.equal(confusion_matrix(prediction, target, 3), confusion_matrix(other, target, 3))


@pytest.mark.parametrize("wrong", [12, 254, -1])
def test_refuses_a_target_outside_the_table(wrong):
    target = torch.tensor([[0, wrong, 255]])
    with pytest.raises(DataError, match=f"target: holds class ids from .*{wrong}.*wanted 0 to 11"):
        confusion_matrix(torch.zeros(1, 3, dtype=torch.int64), target, 12)


@pytest.mark.parametrize("wrong", [12, 255, 256, -1])
def test_refuses_a_prediction_outside_the_table(wrong):
    prediction = torch.tensor([[0, wrong, 1]])
    with pytest.raises(DataError, match="prediction: holds class ids from"):
        confusion_matrix(prediction, torch.zeros(1, 3, dtype=torch.uint8), 12)


def test_refuses_different_shapes():
    ids = torch.zeros(2, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match="wanted the same"):
        confusion_matrix(ids, ids[:, :2], 2)
    with pytest.raises(ValueError, match=r"prediction is .*float32"):
        confusion_matrix(ids.float(), ids, 2)
    with pytest.raises(ValueError, match=r"target is .*bool"):
        confusion_matrix(ids, ids.bool(), 2)


@pytest.mark.parametrize("num_classes", [3, 12, 200])
def test_accelerators_count_alike_and_leave_out_what_is_no_class(num_classes, monkeypatch):
    prediction, target = random_maps(6, num_classes, ignored=0.2)
    wrong_target, wrong_prediction = target.clone(), prediction.clone()
    wrong_target[0, 0, :3] = torch.tensor([num_classes, -1, 1000])
    wrong_prediction[1, 0, :3] = torch.tensor([num_classes, -1, 1000])
    target[0, 0, :3] = target[1, 0, :3] = 255
    expected = confusion_matrix(prediction, target, num_classes)
    as_on_an_accelerator(monkeypatch)
    matrix = confusion_matrix(wrong_prediction, wrong_target, num_classes)
    assert torch.equal(matrix, expected)


def test_accelerators_count_bytes_alike_where_there_are_more_classes_than_bytes(monkeypatch):
    ids = torch.arange(255, dtype=torch.uint8)
    as_on_an_accelerator(monkeypatch)
    assert confusion_matrix(ids, ids, 300).diagonal().sum() == 255


def test_an_empty_mask_counts_nothing():
    prediction = torch.zeros(1, 4, 4, dtype=torch.int64)
    matrix = confusion_matrix(prediction, torch.full_like(prediction, 255), 3)
    assert matrix.sum() == 0
    close(pixel_accuracy(matrix), NAN)
    close(mean_iou(matrix), NAN)
    close(mean_iou(matrix, absent="one"), 1.0)
    empty = confusion_matrix(prediction[:0], prediction[:0], 3)
    assert torch.equal(empty, matrix)


def test_summary_by_hand():
    summary = summarise(BY_HAND, ["Background", "traffic light", "boat", "Road-Side"])
    assert list(summary) == [
        *("accuracy", "miou", "dice", "dice_micro", "miou_absent_one", "dice_absent_one"),
        *("iou_background", "iou_traffic_light", "iou_road_side"),
        *("dice_background", "dice_traffic_light", "dice_road_side"),
    ]
    expected = [3 / 5, 1 / 3, 4 / 9, 3 / 5, 1 / 2, 7 / 12, 1 / 2, 1 / 2, 0, 2 / 3, 2 / 3, 0]
    assert list(summary.values()) == pytest.approx(expected)
    assert all(type(score) is float for score in summary.values())


def test_summary_distinguishes_similar_names():
    summary = summarise(torch.eye(2, dtype=torch.int64), ["road side", "Road-Side"])
    assert {"iou_road_side_0", "iou_road_side_1"} <= set(summary)


def test_summary_refuses_a_wrong_number_of_names():
    with pytest.raises(ValueError, match="2 class names for 4 classes"):
        summarise(BY_HAND, ["background", "person"])
