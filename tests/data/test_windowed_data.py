"""Data sets whose large images are served in windows, against slices of the whole images."""

import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.images.resizing import resize_keep_aspect
from aerialseg.data.layouts import folders
from aerialseg.errors import ConfigError, DataError
from aerialseg.storage.fingerprints import file_size, fingerprint
from helpers.tiny_data import CLASSES, mask, random_image, save

LARGE = ["north_1", "north_2", "south_1", "south_2"]
SIZE, WINDOW = (70, 100), (32, 48)
PLACES = [(top, left) for top in (0, 19, 38) for left in (0, 26, 52)]


@pytest.fixture
def root(tmp_path):
    """Four images of nine windows, two that are smaller than one, and a test image."""
    root = tmp_path / "d"
    for seed, key in enumerate([*LARGE, "east_1", "west_1"]):
        size = SIZE if key in LARGE else (20, 30)
        save(root / f"images/{key}.png", random_image(size, seed))
        save(root / f"masks/{key}.png", mask(size, seed))
    save(root / "test/t.png", random_image(SIZE))
    return root


def module(root, *, layout=folders, **changes):
    arguments = {"image_min_size": None, "batch_size": 4, "num_workers": 0, "window": [*WINDOW]}
    return AerialSegDataModule(
        root, layout, classes=CLASSES, cache_dir=root.parent / "cache", **arguments | changes
    )


def stored(root, key):
    """Image and mask of a file."""
    files = (root / kind / f"{key}.png" for kind in ("images", "masks"))
    return tuple(np.array(Image.open(file)) for file in files)


def cut(array, place):
    return array[place[0] : place[0] + WINDOW[0], place[1] : place[1] + WINDOW[1]]


def served(dataset):
    """Image and mask by id, channels last."""
    items = (dataset[index] for index in range(len(dataset)))
    return {
        item["id"]: (item["image"].permute(1, 2, 0).numpy(), item["mask"].numpy()) for item in items
    }


def expected(root, keys, image_min_size=None):
    """What should be served of some images: slices of their files."""
    found = {}
    for key in keys:
        image, ids = stored(root, key)
        parts = {key: (image, ids)}
        if key in LARGE:
            parts = {f"{key}@y{y}_x{x}": (cut(image, (y, x)), cut(ids, (y, x))) for y, x in PLACES}
        for name, (pixels, part) in parts.items():
            resized = resize_keep_aspect(np.ascontiguousarray(part), image_min_size, is_mask=True)
            found[name] = resize_keep_aspect(np.ascontiguousarray(pixels), image_min_size), resized
    return found


def assert_same(found, wanted):
    assert found.keys() == wanted.keys()
    for name, (image, ids) in wanted.items():
        assert np.array_equal(found[name][0], image)
        assert np.array_equal(found[name][1], ids)


@pytest.mark.parametrize("image_min_size", [None, 16])
@pytest.mark.parametrize(
    "settings", [{}, {"window_cache_gb": 0, "mask_memory_mb": 0}, {"num_workers": 1}]
)
def test_windows_are_slices_of_image_and_mask(root, image_min_size, settings):
    data = module(root, image_min_size=image_min_size, group_pattern="^(.+)_", **settings)
    keys = [sample.id for sample in data.contents.of("train")]
    wanted = expected(root, keys, image_min_size)
    assert_same(served(data.dataset("train")), wanted)
    for _ in range(2):  # cut, then as they were kept
        loader = data.train_dataloader()
        dataset = getattr(loader.dataset, "dataset", loader.dataset)
        assert_same(served(dataset), wanted)
        batches = list(loader)
        assert sum(len(batch["id"]) for batch in batches) == len(wanted)
    assert len(data.samples("train")) == len(wanted)
    assert dataset.sizes() == [image.shape[:2] for image, _ in wanted.values()]


def test_all_windows_of_an_image_are_on_one_side_which_the_window_does_not_decide(root):
    for seed in range(4):
        whole = module(root, window=None, val_fraction=0.4, split_seed=seed)
        data = module(root, val_fraction=0.4, split_seed=seed)
        for split in ("train", "val"):
            images = {sample.id for sample in whole.samples(split)}
            assert {sample.id.partition("@")[0] for sample in data.samples(split)} == images
            assert {sample.id for sample in data.contents.of(split)} == images
        assert data.contents.ids_by_digest("val") == whole.contents.ids_by_digest("val")


def test_counts_of_windows_add_up_to_those_of_their_images(root):
    data = module(root)
    for split in ("train", "val"):
        rows = dict(zip(data.samples(split), data.counts_of(split), strict=True))
        for image in data.contents.of(split):
            pixels = np.bincount(stored(root, image.id)[1].ravel(), minlength=3)
            parts = [row for part, row in rows.items() if part.image == image.image]
            assert np.array_equal(np.sum(parts, axis=0), pixels)
    assert np.array_equal(data.contents.counts, module(root, window=None).contents.counts)


@pytest.mark.parametrize("memory", [0, 512])
def test_validation_sees_each_pixel_once(root, memory):
    """The confusion matrix of a pixelwise prediction is that of the whole images."""
    data = module(root, val_fraction=0.5, mask_memory_mb=memory)
    total, whole = np.zeros(9, np.int64), np.zeros(9, np.int64)
    for batch in data.val_dataloader():
        truth, prediction = batch["mask"], batch["image"][:, 0] // 86
        inside = truth != 255
        pairs = (truth * 3 + prediction)[inside]
        total += torch.bincount(pairs.long(), minlength=9).numpy()
    for sample in data.contents.of("val"):
        image, ids = stored(root, sample.id)
        whole += np.bincount((ids * 3 + image[..., 0] // 86).ravel(), minlength=9)
    assert any(sample.id in LARGE for sample in data.contents.of("val"))
    assert np.array_equal(total, whole)


def test_what_is_cached_as_features_has_the_same_shares(root):
    data = module(root, val_fraction=0.5)
    dataset = data.val_dataloader().dataset
    for index in range(len(dataset)):
        assert torch.equal(dataset.mask(index), dataset[index]["mask"])


def test_unlabelled_test_images_and_small_images_stay_whole(root):
    def layout(root, cache_dir):
        return folders(root, cache_dir, test_images="test")

    data = module(root, layout=layout)
    assert [sample.id for sample in data.samples("test")] == ["t"]
    assert data.dataset("test")[0]["image"].shape == (3, *SIZE)
    names = {sample.id for split in ("train", "val") for sample in data.samples(split)}
    assert {"east_1", "west_1"} <= names
    assert data.contents.cut("test") == (0, 0)


def test_one_number_is_a_square(root):
    data = module(root, window=32)
    sizes = {sample.window.box.size for sample in data.contents.served if sample.window}
    assert sizes == {(32, 32)}
    assert data.window == (32, 32)


@pytest.mark.parametrize("window", [[32], [32, 32, 32], [0, 32]])
def test_other_windows_are_refused(root, window):
    with pytest.raises(ConfigError, match=r"data\.window: is .*; wanted one number of pixels, or"):
        module(root, window=window)


def test_a_changed_window_is_another_data_set(root):
    prints = {module(root, window=window).fingerprint for window in (None, 32, 48, WINDOW)}
    assert len(prints) == 4


def test_the_fingerprint_without_windows_is_that_of_older_runs(root):
    data = module(root, window=None)
    files = [
        (sample.id, sample.split, file_size(sample.image), file_size(sample.mask))
        for sample in data.contents.samples
    ]
    counts = np.array(
        [np.bincount(stored(root, s.id)[1].ravel(), minlength=3) for s in data.contents.samples]
    )
    table = data.classes.to_mapping()
    assert data.fingerprint == fingerprint(files, counts.astype(np.int64).tobytes(), table, None)


def test_an_image_named_as_a_window_is_refused(root):
    save(root / "images/north_1@y0_x26.png", random_image((8, 8)))
    save(root / "masks/north_1@y0_x26.png", mask((8, 8)))
    with pytest.raises(DataError, match=r"1 image \(north_1@y0_x26\) named as windows of another"):
        module(root).prepare()


def test_turned_images_are_cut_as_they_are_shown(root):
    upright = Image.fromarray(stored(root, "north_1")[0])
    exif = Image.Exif()
    exif[274] = 6  # a viewer turns it a quarter clockwise
    stored_turned = upright.transpose(Image.Transpose.ROTATE_90)
    stored_turned.save(root / "images/north_1.png", exif=exif)
    data = module(root, exif_orientation="apply")
    dataset = data.dataset(data.contents.served_of(data.contents.samples), is_loaded=True)
    found = {name: pair for name, pair in served(dataset).items() if name.startswith("north_1")}
    upright.save(root / "images/north_1.png")
    assert_same(found, expected(root, ["north_1"]))


def test_an_image_that_became_smaller_is_named(root):
    data = module(root, window_cache_gb=0)
    dataset = data.dataset("train")
    path = next(sample.image for sample in dataset.samples if sample.window)
    save(path, random_image((40, 60)))
    with pytest.raises(DataError, match=r"is 60x40 pixels and was larger when it was listed"):
        served(dataset)


def test_reduced_data_keep_their_windows(root, tmp_path):
    data = module(root)
    few = data.reduced(3, cache_dir=tmp_path / "other")
    assert len(few.samples("train")) == 3
    everything = served(data.dataset("train"))
    assert_same(
        served(few.train_dataloader().dataset),
        {sample.id: everything[sample.id] for sample in few.samples("train")},
    )
    rows = dict(zip([s.id for s in data.samples("train")], data.counts_of("train"), strict=True))
    for sample, row in zip(few.samples("train"), few.counts_of("train"), strict=True):
        assert np.array_equal(row, rows[sample.id])
    assert not (tmp_path / "other/windows").exists()


@pytest.mark.parametrize("image_min_size", [None, 16])
@pytest.mark.parametrize("window", [None, WINDOW])
@pytest.mark.parametrize("orientation", [None, 6])
def test_sizes_are_those_of_what_is_served(root, image_min_size, window, orientation):
    if orientation:
        exif = Image.Exif()
        exif[274] = orientation
        for sample in module(root, window=None).contents.samples:
            shown = Image.open(sample.image)
            shown.transpose(Image.Transpose.ROTATE_90).save(sample.image, exif=exif)
    data = module(root, image_min_size=image_min_size, window=window, exif_orientation="apply")
    for split in ("train", "val"):
        dataset = data.dataset(split)
        sizes = [tuple(dataset[index]["image"].shape[1:]) for index in range(len(dataset))]
        assert data.served_sizes(split) == dataset.sizes() == sizes
