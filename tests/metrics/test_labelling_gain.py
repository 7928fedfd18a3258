import numpy as np
import pytest

from aerialseg.metrics.labelling_gain import labelling_order


def indices(order):
    return [each.index for each in order]


def best_by_formula(uncertainty, count):
    """Greedy by the plain formula: each step tries all images and keeps the best sum of roots."""
    chosen = []
    for _ in range(count):
        left = [index for index in range(len(uncertainty)) if index not in chosen]
        totals = [np.sqrt(uncertainty[[*chosen, index]].sum(axis=0)).sum() for index in left]
        chosen.append(left[int(np.argmax(totals))])
    return chosen


def test_without_overlaps_the_order_is_that_of_the_formula():
    uncertainty = np.random.default_rng(0).gamma(0.5, size=(30, 5))
    order = labelling_order(uncertainty, [])
    assert indices(order) == best_by_formula(uncertainty, 30)
    assert all(each.shown_by is None and each.share == 0 for each in order)


def test_doubts_about_a_rare_class_count_more():
    """Three images doubt one class much, the last another one a little."""
    uncertainty = np.array([[0.2, 0.0], [0.2, 0.0], [0.2, 0.0], [0.0, 0.05]])
    assert indices(labelling_order(uncertainty, [])) == [0, 3, 1, 2]


def test_ten_frames_of_one_place_count_once():
    """A flight hovers for ten frames that doubt most; the index knows few of its pairs."""
    uncertainty = np.full((15, 3), 0.01)
    uncertainty[:10] = 0.2 + 0.001 * np.arange(10)[:, None]
    chain = [(frame, frame + 1, 0.97) for frame in range(9)]
    order = labelling_order(uncertainty, chain)
    assert order[0].index == 9
    assert sorted(indices(order[1:6])) == [10, 11, 12, 13, 14]
    assert all(each.shown_by is not None for each in order[6:])
    assert (order[6].index, order[6].shown_by) == (8, 9)
    assert order[6].share == pytest.approx(0.97)


def test_frames_that_show_less_than_half_of_each_other_are_two_places():
    uncertainty = np.array([[0.2], [0.19], [0.01]])
    assert indices(labelling_order(uncertainty, [(0, 1, 0.49)])) == [0, 1, 2]
    assert indices(labelling_order(uncertainty, [(0, 1, 0.51)])) == [0, 2, 1]


def test_what_a_chain_of_frames_shows_is_a_lower_bound():
    """0 shows 80 % of 1 and 1 shows 75 % of 2, so 0 shows at least 55 % of 2, and 3 no half."""
    pairs = [(0, 1, 0.8), (1, 2, 0.75), (2, 3, 0.75)]
    uncertainty = np.array([[0.2], [0.1], [0.19], [0.05]])
    order = labelling_order(uncertainty, pairs)
    assert indices(order) == [0, 3, 2, 1]
    third, fourth = order[2], order[3]
    assert (third.shown_by, third.share) == (3, pytest.approx(0.75))
    assert (fourth.shown_by, fourth.share) == (0, pytest.approx(0.8))


def test_each_place_has_a_second_turn():
    """Two places of three equal frames: their frames alternate."""
    pairs = [(0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0), (3, 4, 1.0), (4, 5, 1.0)]
    order = labelling_order(np.full((6, 2), 0.1), pairs)
    assert indices(order) == [0, 3, 1, 4, 2, 5]


def test_labelled_images_are_left_out_and_their_places_wait():
    uncertainty = np.array([[0.2], [0.2], [0.01]])
    order = labelling_order(uncertainty, [(0, 1, 0.9)], labelled=[0])
    assert [(each.index, each.shown_by) for each in order] == [(2, None), (1, 0)]


def test_every_image_is_ranked_once_whatever_the_overlaps():
    rng = np.random.default_rng(1)
    for _ in range(20):
        count = int(rng.integers(1, 25))
        pairs = [
            (int(a), int(b), float(rng.uniform(0.05, 1)))
            for a, b in rng.integers(count, size=(30, 2))
            if a < b
        ]
        unique = list({pair[:2]: pair for pair in pairs}.values())
        order = labelling_order(rng.random((count, 3)) * rng.integers(2), unique)
        assert sorted(indices(order)) == list(range(count))


def test_there_may_be_no_image_left():
    assert labelling_order(np.ones((1, 2)), [], labelled=[0]) == []
