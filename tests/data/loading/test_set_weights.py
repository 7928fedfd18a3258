"""Weights of several data sets: their samples in each epoch, counted one by one."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerialseg.data.loading.sampling import TrainBatchSampler
from aerialseg.data.loading.set_weights import WeightedSampler, check_weights, shown_in_epoch
from aerialseg.errors import ConfigError

SETS = np.array([0] * 3 + [1] * 7, dtype=np.intp)
"""The data sets of ten samples."""


def epochs(sampler, count):
    found = []
    for epoch in range(count):
        sampler.set_epoch(epoch)
        found.append(list(sampler))
    return found


@pytest.mark.parametrize(
    ("weights", "wanted"),
    [
        ({"a": 1, "b": 1}, {"a": 5, "b": 5}),
        ({"a": 1, "b": 4}, {"a": 2, "b": 8}),
        ({"a": 0.3, "b": 0.7}, {"a": 3, "b": 7}),  # as without weights
        ({"a": 2, "b": 1}, {"a": 7, "b": 3}),  # 6.67 and 3.33
        ({"a": 1e308, "b": 1e308}, {"a": 5, "b": 5}),
    ],
)
def test_an_epoch_shows_each_set_by_its_weight(weights, wanted):
    assert shown_in_epoch({"a": 3, "b": 7}, weights) == wanted


@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(1, 50)), min_size=1, max_size=5),
)
def test_shares_are_whole_numbers_nearest_to_the_weights(sets):
    sizes = {str(number): size for number, (size, _) in enumerate(sets)}
    weights = {str(number): float(weight) for number, (_, weight) in enumerate(sets)}
    length, total = sum(sizes.values()), sum(weight for _, weight in sets)
    exact = {name: Fraction(length * int(weights[name]), total) for name in sizes}
    try:
        shown = shown_in_epoch(sizes, weights)
    except ConfigError:
        assert min(exact.values()) < 1
        return
    assert sum(shown.values()) == length
    assert all(abs(shown[name] - exact[name]) < 1 for name in sizes)


def test_a_weight_too_small_for_one_sample_is_refused():
    with pytest.raises(ConfigError) as error:
        shown_in_epoch({"a": 3, "b": 7}, {"a": 1, "b": 1000})

    assert error.value.problems == (
        "data.weights: gives a none of 10 samples of an epoch; give a larger weight, or leave the "
        "data set out of data.sets",
    )


@pytest.mark.parametrize("shown", [(5, 5), (9, 1), (3, 7), (1, 9)])
def test_every_epoch_has_the_wanted_number_of_each_set(shown):
    for keys in epochs(WeightedSampler(SETS, shown, seed=0), 6):
        of_sets = Counter(int(SETS[index]) for _, index in keys)
        assert (of_sets[0], of_sets[1]) == shown


@pytest.mark.parametrize("shown", [(5, 5), (9, 1), (3, 7), (1, 9)])
def test_samples_of_a_set_are_shown_equally_often_at_any_time(shown):
    times = Counter(dict.fromkeys(range(10), 0))
    for keys in epochs(WeightedSampler(SETS, shown, seed=2), 21):
        times.update(index for _, index in keys)
        for number in (0, 1):
            of_set = [times[index] for index in np.flatnonzero(number == SETS)]
            assert max(of_set) - min(of_set) <= 1
    # 21 epochs are whole passes: 21 n showings of 3 samples, or of 7.
    assert [times[index] for index in (0, 9)] == [7 * shown[0], 3 * shown[1]]


def test_no_key_comes_twice_so_every_showing_has_its_own_augmentation():
    keys = [key for epoch in epochs(WeightedSampler(SETS, (9, 1), seed=1), 8) for key in epoch]

    assert len(set(keys)) == len(keys) == 80


def test_an_epoch_follows_from_seed_and_number_alone():
    sampler = WeightedSampler(SETS, (6, 4), seed=3)
    whole = epochs(sampler, 5)
    alone = WeightedSampler(SETS, (6, 4), seed=3)
    alone.set_epoch(4)

    assert list(alone) == list(alone) == whole[4]
    assert whole != epochs(WeightedSampler(SETS, (6, 4), seed=4), 5)
    assert len({tuple(SETS[index] for _, index in keys) for keys in whole}) > 1  # mixed


def test_a_resumed_epoch_skips_its_finished_batches():
    sampler = WeightedSampler(SETS, (6, 4), seed=0)
    batches = TrainBatchSampler(sampler, 3)
    whole = epochs(batches_of(sampler, batches), 3)
    batches.skip(1, 2)

    assert epochs(batches_of(sampler, batches), 3) == [whole[0], whole[1][2:], whole[2]]
    assert len(batches) == len(whole[0])


def batches_of(sampler, batches):
    batches.set_epoch = sampler.set_epoch
    return batches


@pytest.mark.parametrize(
    ("weights", "line"),
    [
        ({"north": 1, "soth": 1, "south": 1}, "there is no data set 'soth'; did you mean 'south'?"),
        ({"north": 1}, "has no weight for south; wanted one per data set"),
        ({"north": 0, "south": 1}, "north has 0; wanted a finite number of more than 0"),
        ({"north": -1, "south": 1}, "north has -1; wanted a finite number of more than 0"),
        ({"north": float("nan"), "south": 1}, "north has nan; wanted a finite number"),
        ({"north": float("inf"), "south": 1}, "north has inf; wanted a finite number"),
    ],
)
def test_weights_that_mean_nothing_are_refused_in_one_line(weights, line):
    with pytest.raises(ConfigError) as error:
        check_weights(weights, ["north", "south"], ["north", "south", "west"])
    (problem,) = error.value.problems

    assert problem.startswith(f"data.weights: {line}")


def test_sets_that_are_left_out_may_have_weights():
    check_weights({"north": 1, "south": 2}, ["south"], ["north", "south"])
