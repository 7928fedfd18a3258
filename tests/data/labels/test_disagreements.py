"""Regions that contradict the mask, against plain formulas and by hand."""

import math

import numpy as np
import pytest

from aerialseg.data.images.windows import Box
from aerialseg.data.labels.disagreements import (
    Judgement,
    default_border,
    default_least_pixels,
    find_disagreements,
    pixels_of,
    softmin_score,
)

SIZE = (60, 80)


def judgement(mask, predicted, given=0.01, confidence=0.98):
    """A network that is as sure wherever it disagrees, and agrees with 0.99 elsewhere."""
    agrees = mask == predicted
    return Judgement(
        mask,
        predicted,
        np.where(agrees, 0.99, given).astype(np.float32),
        np.where(agrees, 0.99, confidence).astype(np.float32),
    )


def with_square(top, left, edge, index, *, on=None):
    array = np.zeros(SIZE, np.uint8) if on is None else on.copy()
    array[top : top + edge, left : left + edge] = index
    return array


def plain_score(given, labelled):
    """The soft minimum, one pixel at a time."""
    above = below = 0.0
    for value in [*given, *[1.0] * (labelled - len(given))]:
        weight = math.exp((1 - value) / 0.1)
        above += weight * value
        below += weight
    return above / below


def test_the_score_is_the_plain_formula():
    values = np.random.default_rng(0).uniform(0, 0.6, 200).astype(np.float32)
    wanted = plain_score(values.tolist(), 4800)
    assert softmin_score(values, 4800) == pytest.approx(wanted, rel=1e-6)


def test_by_hand_a_region_of_two_pixels_with_no_doubt():
    # weights e^10 twice and 1 twice: 2 / (2 e^10 + 2)
    assert softmin_score(np.zeros(2, np.float32), 4) == pytest.approx(1 / (math.e**10 + 1))


def test_larger_and_surer_regions_come_first():
    sure, unsure = np.full(100, 0.01, np.float32), np.full(100, 0.3, np.float32)
    assert softmin_score(sure, 4800) < softmin_score(sure[:30], 4800)
    assert softmin_score(sure, 4800) < softmin_score(unsure, 4800)
    assert softmin_score(np.full(0, 0.5, np.float32), 4800) == 1


def test_a_region_is_found_with_its_classes_box_and_score():
    mask, predicted = with_square(10, 20, 12, 1), with_square(10, 20, 12, 2)
    (found,) = find_disagreements(judgement(mask, predicted), border=1, least_pixels=10)
    assert (found.mask_class, found.predicted_class) == (1, 2)
    # The disc of radius 1 rounds the four corners off.
    assert found.pixels == 144 - 4
    assert found.box == Box(10, 20, 12, 12)
    wanted = plain_score([float(np.float32(0.01))] * 140, 4800) / 0.98**2
    assert found.score == pytest.approx(wanted)
    assert found.given == pytest.approx(0.01)
    assert found.confidence == pytest.approx(0.98)


def test_ragged_borders_are_left_out_but_not_the_object_beside_them():
    mask = np.zeros(SIZE, np.uint8)
    mask[:, 40:] = 1
    predicted = mask.copy()
    predicted[:, 38:40] = 1  # two pixels along the whole border
    predicted = with_square(20, 4, 8, 2, on=predicted)
    (found,) = find_disagreements(judgement(mask, predicted), border=1, least_pixels=10)
    assert found.predicted_class == 2
    both = find_disagreements(judgement(mask, predicted), border=0, least_pixels=10)
    assert {each.predicted_class for each in both} == {1, 2}


def test_what_touches_the_edge_of_the_image_is_not_narrow_for_that():
    predicted = np.zeros(SIZE, np.uint8)
    predicted[:2, 10:40] = 1
    (found,) = find_disagreements(
        judgement(np.zeros(SIZE, np.uint8), predicted), border=1, least_pixels=10
    )
    assert found.box.top == 0


def test_one_class_in_two_places_is_two_regions_and_two_classes_in_one_place_too():
    mask = np.zeros(SIZE, np.uint8)
    predicted = with_square(5, 5, 10, 1, on=with_square(30, 60, 10, 1))
    predicted = with_square(5, 15, 10, 2, on=predicted)
    found = find_disagreements(judgement(mask, predicted), border=1, least_pixels=10)
    assert sorted((each.predicted_class, each.box.left) for each in found) == [
        (1, 5),
        (1, 60),
        (2, 15),
    ]


def test_small_regions_and_ignored_pixels_are_left_out():
    mask, predicted = with_square(10, 20, 12, 255), with_square(10, 20, 12, 2)
    predicted = with_square(40, 40, 4, 1, on=predicted)
    judged = judgement(mask, predicted)
    assert find_disagreements(judged, border=1, least_pixels=17) == []
    (found,) = find_disagreements(judged, border=1, least_pixels=12)
    wanted = plain_score([float(np.float32(0.01))] * 12, 4800 - 144) / 0.98**2
    assert found.score == pytest.approx(wanted)


def test_the_most_doubtful_is_first():
    mask = np.zeros(SIZE, np.uint8)
    predicted = with_square(5, 5, 6, 1, on=with_square(30, 40, 20, 1))
    first, second = find_disagreements(judgement(mask, predicted), border=1, least_pixels=10)
    assert first.pixels > second.pixels
    assert first.score < second.score


def test_a_network_that_wavers_between_classes_comes_after_one_that_is_sure():
    mask = np.zeros(SIZE, np.uint8)
    predicted = with_square(5, 5, 12, 1, on=with_square(30, 40, 12, 2))
    judged = judgement(mask, predicted)
    judged.confidence[predicted == 1] = 0.5
    found = find_disagreements(judged, border=1, least_pixels=10)
    assert [each.predicted_class for each in found] == [2, 1]
    assert found[1].score == pytest.approx(found[0].score * (0.98 / 0.5) ** 2)


def test_where_the_network_is_not_sure_nothing_is_doubtful():
    """As an untrained one, which gives each class about the same."""
    mask = np.zeros(SIZE, np.uint8)
    judged = judgement(mask, with_square(5, 5, 30, 1), given=0.32, confidence=0.34)
    assert not find_disagreements(judged, border=1, least_pixels=10)
    sure = judgement(mask, with_square(5, 5, 30, 1), given=0.02, confidence=0.6)
    assert len(find_disagreements(sure, border=1, least_pixels=10)) == 1


def test_defaults_follow_the_size():
    assert (default_border((720, 1280)), default_border((24, 32))) == (3, 1)
    assert (default_least_pixels((720, 1280)), default_least_pixels((24, 32))) == (276, 12)


def test_all_pixels_of_a_region_are_corrected_with_it_and_no_others():
    mask, predicted = with_square(10, 20, 12, 1), with_square(10, 20, 12, 2)
    predicted = with_square(40, 60, 12, 2, on=predicted)
    judged = judgement(mask, predicted)
    found = next(
        each
        for each in find_disagreements(judged, border=1, least_pixels=10)
        if each.mask_class == 1
    )
    pixels = pixels_of(judged, found, border=1)
    assert np.array_equal(pixels, mask == 1)  # the corners too


def test_the_other_side_of_a_shifted_object_is_its_companion():
    truth, mask = with_square(20, 20, 14, 1), with_square(20, 26, 14, 1)
    first, second = find_disagreements(judgement(mask, truth), border=1, least_pixels=10)
    assert (first.is_companion, second.is_companion) == (False, True)


def test_regions_that_do_not_touch_or_do_not_fit_into_one_crop_stand_alone():
    mask = np.zeros(SIZE, np.uint8)
    apart = with_square(20, 10, 8, 1, on=with_square(20, 30, 8, 1))
    found = find_disagreements(judgement(mask, apart), border=1, least_pixels=10)
    assert [each.is_companion for each in found] == [False, False]
    long = with_square(20, 10, 8, 1)
    long[29:33, 2:78] = 2  # too long for the crop of the square, which is surer of itself
    judged = judgement(mask, long)
    judged.given[29:33, 2:78] = 0.4
    found = find_disagreements(judged, border=1, least_pixels=10)
    assert [(each.predicted_class, each.is_companion) for each in found] == [(1, False), (2, False)]
