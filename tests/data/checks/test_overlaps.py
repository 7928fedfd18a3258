"""Which images show one place: views that are made here, and textures that look alike."""

from functools import cache

import cv2
import numpy as np
import pytest

from aerialseg.data.checks.camera_data import Position
from aerialseg.data.checks.local_features import local_features
from aerialseg.data.checks.overlap_candidates import Candidate, candidates
from aerialseg.data.checks.overlaps import confirmed
from helpers.surveys import LEFT, place, textures, views, window

PLACES = range(8)
OTHERS = range(20, 32)


def features(image):
    return local_features(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


@cache
def mixed():
    """Name, place and features of each image: every place in all views, textures, other places."""
    images = [("base", number, window(number)) for number in PLACES]
    images += [(name, number, view) for number in PLACES for name, view in views(number).items()]
    images += [
        (name, f"{name} {number}", image)
        for number in range(6)
        for name, image in textures(number).items()
    ]
    images += [("other", number, window(number)) for number in OTHERS]
    order = np.random.default_rng(0).permutation(len(images))
    return [(images[i][0], images[i][1], features(images[i][2])) for i in order]


@cache
def found_pairs():
    found = [each for _, _, each in mixed()]
    sides = ["val" if row % 5 == 0 else "train" for row in range(len(found))]
    pairs = candidates(found, sides, [None] * len(found))
    overlaps = [confirmed(pair, found[pair.first], found[pair.second]) for pair in pairs]
    return [overlap for overlap in overlaps if overlap is not None]


@pytest.mark.parametrize("view", sorted(views(0)))
def test_views_of_a_place_are_found(view):
    rows = {(name, where): row for row, (name, where, _) in enumerate(mixed())}
    pairs = {frozenset((each.first, each.second)) for each in found_pairs()}
    hits = [frozenset((rows[view, n], rows["base", n])) in pairs for n in PLACES]
    assert np.mean(hits) >= 0.9


def test_pairs_that_are_found_show_one_place():
    places = [where for _, where, _ in mixed()]
    right = [places[each.first] == places[each.second] for each in found_pairs()]
    assert len(right) > 100
    assert np.mean(right) >= 0.95


@pytest.mark.parametrize("name", sorted(textures(0)))
def test_textures_that_look_alike_are_not_one_place(name):
    images = [features(textures(number)[name]) for number in range(6)]
    pairs = [(a, b) for a in range(6) for b in range(a)]
    for mirrored in (False, True):
        found = [confirmed(Candidate(a, b, mirrored), images[a], images[b]) for a, b in pairs]
        assert found == [None] * len(pairs)


def test_a_stamp_on_all_images_is_no_place():
    """As a text of the camera's: the same pixels in a corner, other places around them."""
    stamp = np.random.default_rng(3).integers(0, 2, (6, 14), dtype=np.uint8) * 255
    stamp = cv2.resize(stamp, (84, 36), interpolation=cv2.INTER_NEAREST)[..., None]
    images = []
    for number in (0, 1):
        image = window(number)
        image[:36, :84] = stamp
        images.append(features(image))
    assert confirmed(Candidate(0, 1, False), *images) is None


def test_the_share_is_that_of_the_smaller_image():
    base, half = features(window(0)), features(views(0)["shifted by half"])
    assert confirmed(Candidate(0, 1, False), base, half).share == pytest.approx(0.5, abs=0.05)
    inside = features(window(0, size=(168, 224)))
    assert confirmed(Candidate(0, 1, False), base, inside).share == pytest.approx(1, abs=0.05)
    whole = features(np.array(place(0)))
    assert confirmed(Candidate(0, 1, False), whole, base).share == pytest.approx(1, abs=0.05)


def test_images_without_corners_overlap_with_nothing():
    flat = features(np.full((200, 300, 3), 90, np.uint8))
    tiny = features(np.zeros((5, 7, 3), np.uint8))
    assert len(flat.points) == len(tiny.points) == 0
    pairs = candidates([flat, flat, tiny], ["train", "val", "val"], [None] * 3)
    assert [confirmed(pair, flat, flat) for pair in pairs] == [None] * len(pairs)


def test_many_partners_on_one_side_do_not_hide_one_on_another():
    near = [features(window(0, left=LEFT + 2 * step)) for step in range(13)]
    far = features(window(0, left=LEFT + 150))
    everything = [*near, far]
    sides = ["val", *["test"] * 12, "train"]
    pairs = candidates(everything, sides, [None] * len(everything))
    assert Candidate(0, 13, False) in pairs


def test_positions_that_are_close_are_candidates():
    """Two images of grass 20 m apart, and one 5 km away: descriptors propose none of them."""
    images = [features(textures(number)["grass"]) for number in range(3)]
    near = [Position(47.0, 8.0, 50.0), Position(47.00018, 8.0, 50.0), Position(47.05, 8.0, 50.0)]
    pairs = candidates(images, ["train", "val", "val"], near)
    assert Candidate(0, 1, False) in pairs
    assert not {Candidate(0, 2, False), Candidate(1, 2, False)} & set(pairs)


def test_candidates_do_not_grow_with_the_square():
    many = [each for _, _, each in mixed()]
    number = len(candidates(many, ["train"] * len(many), [None] * len(many)))
    assert number < 25 * len(many)
