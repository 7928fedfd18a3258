"""Objects pasted into training samples, recognised by their colours.

Every object has a colour of its own, which no scaling changes: it says image, class and place.
"""

import albumentations
import cv2
import numpy as np
import pytest
import torch

from aerialseg.data.cache import component_search
from aerialseg.data.cache.store import CacheError
from aerialseg.data.joint import joint
from aerialseg.data.loading import pasting
from helpers.pasted_objects import (
    CAR,
    IDS,
    PLACES,
    SIZE,
    TREE,
    arrays,
    colours_of,
    drawn,
    items,
    module,
    pairs,
    same,
    train_images,
    write,
)
from helpers.tiny_data import save


@pytest.mark.parametrize("window", [None, [50, 70]])
@pytest.mark.parametrize("bands", [3, 4])
def test_an_object_is_copied_with_its_label_and_all_else_stays(
    tmp_path, monkeypatch, bands, window
):
    monkeypatch.setattr(pasting, "_MOST", 1)
    root = write(tmp_path / "d", bands=bands)
    given = {"bands": [1, 2, 3, 4]} if bands == 4 else {}
    data = module(root, window=window, **given)
    known = colours_of(train_images(data), bands)
    pasted, halves = set(), 0
    for (plain, labels), (image, mask) in pairs(data, epochs=12):
        changed = (image != plain).any(axis=-1)
        assert np.array_equal(mask[~changed], labels[~changed])
        (class_id,) = set(mask[changed].tolist()) or {None}
        (inside,) = {tuple(c) for c in image[changed].tolist()} & known.keys() or {None}
        if inside is None:
            assert not changed.any()  # no place was found
            continue
        assert known[inside] == class_id
        pasted.add(inside)
        own = (image[changed] == inside).all(axis=-1)
        under, found = plain[changed][~own].astype(int), image[changed][~own]
        assert np.array_equal(found, (under + np.array(inside) + 1) // 2)
        halves += len(found)
    # Those that lie at the border of a window are in no bank.
    assert len(pasted) > len(known) / 4
    assert halves > 500


def test_pasted_objects_have_the_size_of_their_own_or_nearly_and_a_soft_rim(tmp_path):
    data, shares = module(write(tmp_path / "d")), []
    for (plain, _), (image, _) in pairs(data):
        changed = (image != plain).any(axis=-1).astype(np.uint8)
        count, pieces, facts, _ = cv2.connectedComponentsWithStats(changed)
        for number in range(1, count):
            _, _, width, height, area = facts[number].tolist()
            inner = image[cv2.erode((pieces == number).astype(np.uint8), np.ones((3, 3))) > 0]
            if area != width * height or not len(inner) or len(np.unique(inner, axis=0)) > 1:
                continue  # several objects over each other, or at an object that was there
            index = (int(inner[0, 1]) - 60) // 60
            _, _, own_height, own_width, _ = PLACES[index]
            assert own_height / 1.25 - 0.5 <= height <= own_height * 1.25 + 0.5
            assert own_width / 1.25 - 0.5 <= width <= own_width * 1.25 + 0.5
            shares.append(width * height / (own_height * own_width))
    assert len(shares) > 30
    assert min(shares) < 0.85 < 1.2 < max(shares)


def test_a_sample_is_a_function_of_seed_epoch_and_index_alone(tmp_path):
    root = write(tmp_path / "d")
    flips = albumentations.Compose([albumentations.HorizontalFlip(p=0.5)])
    for changes in ({}, {"augmentation": flips}, {"crop_size": [24, 36]}):
        first = items(module(root, **changes))
        dataset = module(root, cache_dir=tmp_path / "other", **changes).dataset(
            "train", augment=True
        )
        keys = [(epoch, index) for epoch in range(6) for index in range(len(dataset))]
        again = [arrays(dataset[key]) for key in keys[::-1]][::-1]
        assert same(first, again)
        assert not same(first, items(module(root, seed=1, **changes)))
        each = len(dataset)
        assert not same(first[:each], first[each : 2 * each])


@pytest.mark.parametrize("num_workers", [1, 2])
def test_workers_serve_the_same_batches(tmp_path, num_workers):
    root = write(tmp_path / "d")

    def epochs(workers):
        loader = module(
            root, num_workers=workers, rare_classes=0.5, paste_rare=0.7, crop_size=[32, 48]
        ).train_dataloader()
        batches = []
        for epoch in range(2):
            loader.batch_sampler.sampler.set_epoch(epoch)
            batches += list(loader)
        return batches

    for first, second in zip(epochs(0), epochs(num_workers), strict=True):
        assert first["id"] == second["id"]
        assert torch.equal(first["image"], second["image"])
        assert torch.equal(first["mask"], second["mask"])


def test_memory_windows_on_disk_and_the_cache_change_nothing(tmp_path, monkeypatch):
    root = write(tmp_path / "d")
    for changes in ({}, {"window": [50, 70]}, {"crop_size": [24, 36], "window": [50, 70]}):
        kept = [items(module(root, **changes), is_loaded=True) for _ in range(2)]
        assert same(*kept)

        def refuse(folder, fill):
            raise CacheError(f"{folder}: cannot be written")

        with monkeypatch.context() as patch:
            patch.setattr(component_search, "write_entry", refuse)
            assert same(kept[0], items(module(root, cache_dir=tmp_path / "none", **changes)))
        assert not (tmp_path / "none/components").exists()


def test_only_training_images_are_cut_from(tmp_path):
    root = write(tmp_path / "d")
    data = module(root)
    val = data.samples("val")
    assert val
    for sample in val:
        pixels, labels = drawn(IDS.index(sample.id))
        save(sample.image, np.where(labels[..., None] > 0, 255, pixels[..., :3]).astype(np.uint8))
    assert all((image == 255).any() for image in map(arrays_of_image, data.dataset("val")))
    data = module(root)
    assert data.samples("val") == val
    for image, _ in items(data, epochs=30):
        assert image.max() < 255
    bank = data._pasting.bank
    colours = {tuple(bank.cutout(n).pixels.max(axis=(0, 1)).tolist()) for n in range(len(bank))}
    assert colours == colours_of(train_images(data)).keys()


def arrays_of_image(item):
    return arrays(item)[0]


def test_validation_and_its_split_are_never_pasted_into(tmp_path):
    root = write(tmp_path / "d")
    batches = zip(
        module(root).val_dataloader(), module(root, paste_rare=0).val_dataloader(), strict=True
    )
    for first, second in batches:
        assert torch.equal(first["image"], second["image"])
        assert torch.equal(first["mask"], second["mask"])


def test_what_touches_ignored_pixels_or_pixels_without_data_is_not_pasted(tmp_path):
    root = tmp_path / "d"
    for image, key in enumerate(IDS):
        pixels, labels = drawn(image)
        alpha = np.full((*SIZE, 1), 255, dtype=np.uint8)
        alpha[8:18, 20:26] = 0  # beside the first car
        labels[29, 25] = 255  # above the other car
        save(root / f"images/{key}.png", np.dstack([pixels[..., :3], alpha]))
        save(root / f"masks/{key}.png", labels)
    bank = module(root)._pasting.bank
    assert set(bank.class_ids.tolist()) == {TREE}


def test_the_share_is_that_which_was_asked_for(tmp_path):
    data = module(write(tmp_path / "d"), paste_rare=0.3)
    changed = [(image != plain).any() for (plain, _), (image, _) in pairs(data, epochs=80)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.06)
    nothing = module(tmp_path / "d", paste_rare=0)
    assert nothing._pasting is None
    assert not nothing.dataset("train", augment=True).is_augmented
    assert data.dataset("train", augment=True).is_augmented


@pytest.mark.parametrize(("share", "size"), [(0.5, (10, 12)), (1.0, (5, 6))])
def test_objects_are_pasted_at_the_scale_of_the_crop(tmp_path, share, size):
    root = tmp_path / "d"
    for image, key in enumerate(IDS):
        pixels, labels = drawn(image, [(8, 10, 10, 12, CAR)])
        save(root / f"images/{key}.png", pixels[..., :3])
        save(root / f"masks/{key}.png", labels)
    data = module(root, crop_size=[32, 48], crop_scale=[share, share])
    dataset, edges = data.dataset("train", augment=True), []
    plain = module(root, crop_size=[32, 48], crop_scale=[share, share], paste_rare=0).dataset(
        "train", augment=True
    )
    for key in [(epoch, index) for epoch in range(12) for index in range(len(dataset))]:
        changed = (arrays(dataset[key])[0] != arrays(plain[key])[0]).any(axis=-1)
        count, _, facts, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8))
        edges += [
            facts[n, 2:4][::-1] for n in range(1, count) if facts[n, 4] == np.prod(facts[n, 2:4])
        ]
    assert len(edges) > 30
    assert np.median(edges, axis=0) == pytest.approx(size, abs=1)
    assert np.max(edges, axis=0) == pytest.approx(np.array(size) * 1.25, abs=1)


def test_little_is_hidden_of_any_class(tmp_path):
    data = module(write(tmp_path / "d"))
    for (_, labels), (_, mask) in pairs(data, epochs=20):
        for class_id in range(3):
            there = labels == class_id
            assert (mask[there] == class_id).sum() >= 0.8 * there.sum()


def test_data_sets_are_pasted_into_from_their_own(tmp_path):
    roots = {"a": write(tmp_path / "a"), "b": tmp_path / "b"}
    for image, key in enumerate(IDS):
        pixels, labels = drawn(image, PLACES[1:2])  # trees
        save(roots["b"] / f"images/{key}.png", pixels[..., :3] // 2)
        save(roots["b"] / f"masks/{key}.png", labels)
    data = joint(
        {name: module(root) for name, root in roots.items()},
        cache_dir=tmp_path / "cache",
        image_min_size=None,
        batch_size=4,
        num_workers=0,
        paste_rare=1,
    )
    dataset, plain = data.dataset("train", augment=True), data.dataset("train")
    changed = {"a": set(), "b": set()}
    for index, sample in enumerate(dataset.samples):
        for epoch in range(8):
            (image, mask), (before, _) = arrays(dataset[epoch, index]), arrays(plain[index])
            changed[sample.data_set] |= set(mask[(image != before).any(axis=-1)].tolist())
    assert changed == {"a": {CAR, TREE}, "b": {TREE}}


def test_classes_are_drawn_as_the_temperature_says(tmp_path):
    root = tmp_path / "d"
    for image, key in enumerate(IDS):
        objects = [(8, 10, 20, 20, CAR), (40, 60, 4, 5, TREE)]
        pixels, labels = drawn(image, objects)
        save(root / f"images/{key}.png", pixels[..., :3])
        save(root / f"masks/{key}.png", labels)
    share = np.array([400, 20]) / (64 * 96)
    for temperature in (0.01, 0.1, 10):
        data = module(root, rare_class_temperature=temperature)
        bank, drawn_with = data._pasting.bank, data._pasting._probabilities[""]
        weights = np.exp(-share / temperature)
        for class_id, wanted in zip((CAR, TREE), weights / weights.sum(), strict=True):
            own = drawn_with[bank.class_ids == class_id]
            assert own.sum() == pytest.approx(wanted)
            assert np.allclose(own, own[0])
