"""Pasting from a bank made by hand."""

import pickle

import numpy as np
import pytest

from aerialseg.data.cache.component_bank import ComponentBank, Cutout, InMemory
from aerialseg.data.cache.store import open_entry, write_entry
from aerialseg.data.loading import pasting
from aerialseg.data.loading.pasting import Pasting


def bank_of(*shapes, class_id=1, value=200, factor=1.0):
    """A bank of shapes, each of the same grey."""
    pieces = []
    for shape in shapes:
        hard = np.asarray(shape, dtype=np.uint8)
        pixels = hard[..., None] * np.full(3, value, dtype=np.uint8)
        pieces.append(Cutout(pixels, hard, 0, class_id, factor).arrays())
    return ComponentBank(InMemory({n: np.concatenate([p[n] for p in pieces]) for n in pieces[0]}))


def ground(size=(40, 60), value=100):
    return {"image": np.full((*size, 3), value, np.uint8), "mask": np.zeros(size, np.uint8)}


def one(bank, arrays, seed=0, zoom=1.0):
    found = Pasting(bank, {"": np.full(len(bank), 1 / len(bank))}, share=1)
    return found.pasted(arrays, "", (seed, 0, 0), zoom=zoom)


@pytest.fixture(autouse=True)
def _one_object_at_its_size(monkeypatch):
    monkeypatch.setattr(pasting, "_MOST", 1)
    monkeypatch.setattr(pasting, "_JITTER", 1.0)


def test_the_mask_is_hard_and_the_rim_of_the_image_is_half():
    given = ground()
    made = one(bank_of(np.ones((6, 8))), given)
    assert (given["image"] == 100).all()
    assert not given["mask"].any()
    rows, columns = np.nonzero(made["mask"])
    top, left = rows.min(), columns.min()
    wanted = ground()
    wanted["mask"][top : top + 6, left : left + 8] = 1
    wanted["image"][top : top + 6, left : left + 8] = 150
    wanted["image"][top + 1 : top + 5, left + 1 : left + 7] = 200
    assert np.array_equal(made["mask"], wanted["mask"])
    assert np.array_equal(made["image"], wanted["image"])


@pytest.mark.parametrize("width", [1, 2])
def test_a_wire_is_not_softened(width):
    made = one(bank_of(np.ones((30, width))), ground())
    assert (made["mask"] == 1).sum() == 30 * width
    assert (made["image"][made["mask"] == 1] == 200).all()
    assert (made["image"][made["mask"] == 0] == 100).all()


def test_objects_are_turned_left_to_right_in_half_of_the_cases():
    stairs = np.tril(np.ones((8, 8)))
    turned = []
    for seed in range(200):
        mask = one(bank_of(stairs), ground(), seed)["mask"]
        rows, columns = np.nonzero(mask)
        part = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        turned.append(np.array_equal(part, stairs[:, ::-1]))
        assert turned[-1] or np.array_equal(part, stairs)
    assert 70 < sum(turned) < 130


def test_objects_lie_anywhere_inside():
    corners = set()
    for seed in range(800):
        rows, columns = np.nonzero(one(bank_of(np.ones((4, 4))), ground((8, 12)), seed)["mask"])
        corners.add((rows.min(), columns.min()))
    assert corners == {(top, left) for top in range(5) for left in range(9)}


@pytest.mark.parametrize(("factor", "zoom"), [(0.5, 1.0), (1.0, 0.5), (2.0, 0.75), (0.25, 2.0)])
def test_factor_and_zoom_scale_an_object_and_nothing_runs_into_it(factor, zoom):
    disk = np.hypot(*(np.mgrid[:24, :24] - 11.5)) < 12
    made = one(bank_of(disk, factor=factor), ground((90, 90)), zoom=zoom)
    inside = made["mask"] == 1
    assert inside.sum() == pytest.approx(disk.sum() * (factor * zoom) ** 2, rel=0.08)
    # 0 around the object in the bank is never blended in.
    assert set(np.unique(made["image"][inside]).tolist()) == {150, 200}


def test_what_is_too_large_or_too_small_for_a_sample_is_left_out():
    for zoom in (0.4, 12.0):
        assert not one(bank_of(np.ones((5, 5))), ground(), zoom=zoom)["mask"].any()
    assert one(bank_of(np.ones((5, 5))), ground(), zoom=1.0)["mask"].any()


def test_what_has_no_label_is_hardly_covered_and_rare_things_are_not_hidden():
    unlabelled, rare = ground(), ground()
    unlabelled["mask"][:, 10:] = 255
    rare["mask"][::3, ::3] = 2
    for seed in range(50):
        made = one(bank_of(np.ones((6, 6))), unlabelled, seed)["mask"]
        assert (made[:, 10:] == 1).sum() <= 3
        made = one(bank_of(np.ones((20, 20))), rare, seed)["mask"]
        assert (made == 2).sum() >= 0.8 * (rare["mask"] == 2).sum()


def test_a_sample_without_mask_or_of_another_set_stays_as_it_is():
    given, bank = ground(), bank_of(np.ones((6, 6)))
    found = Pasting(bank, {"a": np.ones(1)}, share=1)
    assert found.pasted(given, "b", (0, 0, 0), zoom=1.0) is given
    assert found.pasted(given, "a", (0, 0, 0), zoom=1.0) is not given
    image = {"image": given["image"]}
    assert found.pasted(image, "a", (0, 0, 0), zoom=1.0) is image


def test_pickling_a_bank_on_disk_copies_no_pixels(tmp_path):
    shape = np.random.default_rng(0).integers(0, 2, (200, 300))
    in_memory = bank_of(shape, shape[:50], class_id=3)

    def fill(writer):
        for number in range(2):
            for name, piece in in_memory.cutout(number).arrays().items():
                writer.append(name, piece)

    write_entry(tmp_path / "bank", fill)
    kept = ComponentBank(open_entry(tmp_path / "bank", again=""))
    sent = pickle.dumps(kept)
    assert len(sent) < 5000 < kept.bytes
    for number in range(2):
        first, second = in_memory.cutout(number), pickle.loads(sent).cutout(number)
        assert np.array_equal(first.pixels, second.pixels)
        assert np.array_equal(first.shape, second.shape)
        assert (second.class_id, second.factor) == (3, 1.0)
