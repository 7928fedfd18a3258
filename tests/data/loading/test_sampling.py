from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerialseg.data.loading.sampling import EpochSampler, SameSizeBatchSampler, TrainBatchSampler


def test_each_epoch_has_its_own_order_of_every_index():
    sampler = EpochSampler(20, seed=3, shuffle=True)
    first = list(sampler)
    assert first == list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    assert {epoch for epoch, _ in first} == {0}
    assert {epoch for epoch, _ in second} == {1}
    assert [index for _, index in first] != [index for _, index in second]
    assert sorted(index for _, index in second) == list(range(20))


def test_seeds_differ_and_without_shuffling_the_order_is_fixed():
    orders = {tuple(EpochSampler(20, seed=seed, shuffle=True)) for seed in range(4)}
    assert len(orders) == 4
    assert list(EpochSampler(3, seed=0, shuffle=False)) == [(0, 0), (0, 1), (0, 2)]


@given(st.integers(1, 60), st.integers(1, 12))
def test_batches_drop_no_sample_and_have_at_least_two(length, batch_size):
    sampler = TrainBatchSampler(EpochSampler(length, seed=0, shuffle=True), batch_size)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(index for batch in batches for _, index in batch) == list(range(length))
    if batch_size > 1 and length > 1:
        assert all(2 <= len(batch) <= batch_size + 1 for batch in batches)
        assert all(len(batch) == batch_size for batch in batches[:-1])


@pytest.mark.parametrize(
    ("length", "batch_size", "wanted"),
    [(9, 4, [4, 5]), (8, 4, [4, 4]), (10, 4, [4, 4, 2]), (3, 1, [1, 1, 1]), (1, 4, [1])],
)
def test_a_last_batch_of_one_is_merged_into_the_one_before(length, batch_size, wanted):
    sampler = TrainBatchSampler(EpochSampler(length, seed=0, shuffle=False), batch_size)
    assert [len(batch) for batch in sampler] == wanted


def test_batches_without_padding_have_one_size_each():
    sizes = [(2, 3), (3, 2), (2, 3), (2, 3), (3, 2)]
    sampler = SameSizeBatchSampler(sizes, 2)
    assert list(sampler) == [[0, 2], [3], [1, 4]]
    assert len(sampler) == 3
    assert Counter(index for batch in sampler for index in batch) == Counter(range(5))


def test_only_the_resumed_epoch_skips_its_finished_batches():
    sampler = EpochSampler(11, seed=0, shuffle=True)
    batches = TrainBatchSampler(sampler, 3)
    whole = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        whole.append(list(batches))
    batches.skip(1, 2)
    for epoch, done in enumerate((0, 2, 0)):
        sampler.set_epoch(epoch)
        assert list(batches) == whole[epoch][done:]
    assert len(batches) == len(whole[1])
