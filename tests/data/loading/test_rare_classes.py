"""Samples drawn by rare classes, against the formula of the paper."""

from collections import Counter

import numpy as np
import pytest

from aerialseg.data.loading.rare_classes import RareClasses, RareClassSampler, are_rare
from aerialseg.data.loading.sampling import EpochSampler, TrainBatchSampler
from helpers.grouped_data import data_module
from helpers.tiny_data import save, write_folders

# Classes of 98.9, 1 and 0.1 percent of the pixels; class 3 occurs nowhere.
COUNTS = np.array([[3956, 0, 0, 0], [3952, 40, 4, 0], [3956, 0, 0, 0], [3956, 120, 0, 0]])
COUNTS[0, 2] = 12


def rare(share, counts=COUNTS, sets=None):
    sets = np.zeros(len(counts), dtype=np.intp) if sets is None else sets
    return RareClasses(counts, sets, share=share)


def by_hand(counts, temperature=0.01):
    """P(class) of DAFormer, written out."""
    total = counts.sum()
    exponents = [(1 - n / total) / temperature if n else -np.inf for n in counts.sum(axis=0)]
    weights = np.exp(np.array(exponents) - 1 / temperature)
    return weights / weights.sum()


def test_classes_are_drawn_with_the_probability_of_the_paper_and_samples_hold_them():
    found = rare(1.0)
    drawn = [found.drawn((0, epoch), index) for epoch in range(2000) for index in range(4)]
    assert all(COUNTS[sample, class_id] > 0 for sample, class_id in drawn)
    classes = Counter(class_id for _, class_id in drawn)
    wanted = by_hand(COUNTS) * len(drawn)
    for class_id in range(4):
        spread = 5 * np.sqrt(wanted[class_id]) + 1
        assert abs(classes[class_id] - wanted[class_id]) < spread
    holding = Counter(sample for sample, class_id in drawn if class_id == 2)
    assert set(holding) == {0, 1}
    assert abs(holding[0] - holding[1]) < 5 * np.sqrt(classes[2])


@pytest.mark.parametrize("temperature", [1e-6, 0.003, 0.01, 0.5, 1000])
def test_a_higher_temperature_prefers_rare_classes_less(temperature):
    found = RareClasses(COUNTS, np.zeros(4, dtype=np.intp), share=1.0, temperature=temperature)
    drawn = [found.drawn((0, epoch), index)[1] for epoch in range(1000) for index in range(4)]
    wanted = by_hand(COUNTS, temperature) if temperature > 1e-4 else np.array([0, 0, 1, 0])
    assert np.bincount(drawn, minlength=4) / 4000 == pytest.approx(wanted, abs=0.04)


def test_classes_are_rare_that_have_less_than_the_mean_of_those_that_occur():
    assert are_rare(np.array([0, 30, 70, 20])).tolist() == [False, True, False, True]
    assert are_rare(np.array([0, 7, 7])).tolist() == [False, False, False]
    assert are_rare(np.array([0, 0, 9])).tolist() == [False, False, False]


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_how_often_samples_are_shown_is_what_is_expected(share):
    found = rare(share)
    shown = Counter(found.drawn((0, epoch), i)[0] for epoch in range(4000) for i in range(4))
    expected = found.times(np.ones(4)) * 4000
    assert expected.sum() == pytest.approx(4 * 4000)
    for sample in range(4):
        assert abs(shown[sample] - expected[sample]) < 5 * np.sqrt(expected[sample]) + 1


def test_the_share_of_replaced_samples_is_that_which_was_asked_for():
    drawn = [rare(0.3).drawn((1, epoch), i)[1] for epoch in range(1000) for i in range(4)]
    assert sum(c is not None for c in drawn) / len(drawn) == pytest.approx(0.3, abs=0.03)


def test_samples_are_replaced_by_those_of_their_own_data_set():
    sets = np.array([0, 0, 1, 1])
    found = rare(1.0, sets=sets)
    for epoch in range(300):
        for index in range(4):
            assert sets[found.drawn((0, epoch), index)[0]] == sets[index]
    assert found.times(np.array([1, 1, 2, 2.0]))[2:].sum() == pytest.approx(4)


def test_a_set_without_any_label_is_shown_as_it_is():
    found = rare(1.0, counts=np.zeros((3, 2), dtype=int))
    assert [found.drawn((0, 0), i) for i in range(3)] == [(i, None) for i in range(3)]
    assert found.times(np.ones(3)).tolist() == [1, 1, 1]


def test_an_epoch_is_a_function_of_seed_and_epoch_and_may_begin_in_its_middle():
    def batches(epoch, seed=0, skip=0):
        order = EpochSampler(4, seed=seed, shuffle=True)
        sampler = TrainBatchSampler(RareClassSampler(order, rare(0.5)), 2)
        sampler.skip(epoch, skip)
        sampler.sampler.set_epoch(epoch)
        return list(sampler)

    assert batches(3) == batches(3)
    assert batches(3, skip=1) == batches(3)[1:]
    assert len({str(batches(epoch)) for epoch in range(5)}) == 5
    assert batches(3) != batches(3, seed=1)
    keys = [key for batch in batches(3) for key in batch]
    assert sorted(key.place for key in keys) == [0, 1, 2, 3]


def test_the_loader_shows_images_with_the_rare_class_and_crops_that_hold_it(tmp_path):
    root = write_folders(tmp_path / "f", [f"{s}_{f}" for s in "abcdef" for f in range(3)], (48, 64))
    plain = np.zeros((48, 64), dtype=np.uint8)
    for path in sorted((root / "masks").iterdir()):
        labels = plain.copy()
        if path.stem in ("a_0", "b_0", "c_0", "d_0", "e_0"):
            labels[40:46, 50:58] = 1
        labels[0:20, 0:30] = 2
        save(path, labels)
    data = data_module(root, crop_size=16, crop_scale=[0.3, 0.4], rare_classes=1.0)
    loader = data.train_dataloader()
    keys = [key for batch in loader.batch_sampler for key in batch]
    assert {key.class_id for key in keys} == {1}  # 1 % of the pixels, the others 80 % and 20 %
    for batch in loader:
        assert all((crop == 1).any() for crop in batch["mask"])
        assert all(name in ("a_0", "b_0", "c_0", "d_0", "e_0") for name in batch["id"])
    shares = data.counts_in_training().sum(axis=0) / data.counts_in_training().sum()
    assert shares[1] == pytest.approx(48 / (48 * 64), rel=0.05)
