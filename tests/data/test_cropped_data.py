"""Crops as training gets them, against slices of the files."""

import albumentations
import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.images.crops import Crops
from aerialseg.data.joint import joint
from aerialseg.data.layouts import folders
from aerialseg.errors import ConfigError
from helpers.rasters import write_tiff
from helpers.tiny_data import CLASSES, mask, save

IDS = [f"{place}_{i}" for place in "abcd" for i in range(2)]
COLOURS = np.array(list(CLASSES.values()), dtype=np.uint8)


def blocks(size, seed, edge=16):
    """A mask of large blocks, so that few pixels lie at a border."""
    ids = mask((-(-size[0] // edge), -(-size[1] // edge)), seed)
    return np.ascontiguousarray(ids.repeat(edge, 0).repeat(edge, 1)[: size[0], : size[1]])


def write(root, size=(64, 96), suffix="png", ids=IDS, edge=16):
    """Images that show the colour of the class of each pixel."""
    for seed, key in enumerate(ids):
        labels = blocks(size, seed, edge)
        options = {"quality": 95, "subsampling": 0} if suffix == "jpg" else {}
        save(root / f"images/{key}.{suffix}", COLOURS[labels], **options)
        save(root / f"masks/{key}.png", labels)
    return root


def module(root, **changes):
    arguments = {"image_min_size": 32, "batch_size": 3, "num_workers": 0, "crop_size": [32, 48]}
    return AerialSegDataModule(
        root,
        folders,
        classes=CLASSES,
        cache_dir=root.parent / "cache",
        group_pattern="^(.)_",
        **arguments | changes,
    )


def items(data, keys=None, **options):
    dataset = data.dataset("train", augment=True, **options)
    keys = keys or [(epoch, index) for epoch in range(4) for index in range(len(dataset))]
    found = (dataset[key] for key in keys)
    return [(item["image"].permute(1, 2, 0).numpy(), item["mask"].numpy()) for item in found]


def away_from_borders(labels):
    """Where a pixel and all around it are of one class, so that nothing was blended."""
    inside = cv2.dilate(labels, np.ones((3, 3))) == cv2.erode(labels, np.ones((3, 3)))
    inside[[0, -1]] = inside[:, [0, -1]] = False
    return inside


def same(first, second):
    pairs = zip(first, second, strict=True)
    return all(np.array_equal(x, y) for a, b in pairs for x, y in zip(a, b, strict=True))


def test_a_crop_that_is_not_resized_is_a_slice_of_image_and_mask(tmp_path):
    root = tmp_path / "d"
    rows, columns = np.mgrid[:64, :96].astype(np.uint8)
    for key in IDS:
        save(root / f"images/{key}.png", np.dstack([rows, columns, rows]))
        save(root / f"masks/{key}.png", (rows + columns) % 3)
    places = set()
    for image, labels in items(module(root, crop_scale=[0.5, 0.5])):
        top, left = int(image[0, 0, 0]), int(image[0, 0, 1])
        assert np.array_equal(image[..., 0], rows[top : top + 32, left : left + 48])
        assert np.array_equal(image[..., 1], columns[top : top + 32, left : left + 48])
        assert np.array_equal(labels, ((rows + columns) % 3)[top : top + 32, left : left + 48])
        places.add((top, left))
    assert len(places) > 10


@pytest.mark.parametrize(
    ("size", "suffix", "edge", "crop"),
    [
        ((64, 96), "png", 16, [32, 48]),  # enlarged and shrunk
        ((61, 97), "png", 16, 24),
        ((512, 640), "jpg", 64, [32, 48]),  # decoded at a half to an eighth of the size
    ],
)
def test_masks_stay_on_their_images_at_any_scale(tmp_path, size, suffix, edge, crop):
    data = module(
        write(tmp_path / "d", size, suffix, edge=edge), crop_size=crop, crop_scale=[0.3, 1.0]
    )
    for image, labels in items(data):
        distance = np.abs(image[:, :, None].astype(int) - COLOURS).sum(axis=-1)
        inside = away_from_borders(labels)
        assert inside.any()
        assert np.array_equal(distance.argmin(axis=-1)[inside], labels[inside])


def test_decoding_at_a_part_of_the_size_shows_what_the_whole_image_shows(tmp_path):
    root = tmp_path / "d"
    coarse = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    whole = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)
    for key in IDS:
        save(root / f"images/{key}.jpg", whole, quality=95)
        save(root / f"masks/{key}.png", mask((480, 640)))
    data, crops = module(root, crop_size=[48, 64], crop_scale=[0.5, 1.0]), Crops((48, 64), (0.5, 1))
    for index, (image, _) in enumerate(items(data, [(0, i) for i in range(4)])):
        drawn = crops.draw((480, 640), np.random.default_rng((0, 0, index, 2)))
        assert drawn.shrink in (2, 4)
        wanted = cv2.resize(drawn.box.of(whole), (64, 48), interpolation=cv2.INTER_AREA)
        assert np.abs(image.astype(int) - wanted).mean() < 3


def test_crops_are_a_function_of_seed_epoch_and_index_alone(tmp_path):
    root = write(tmp_path / "d")
    flips = albumentations.Compose([albumentations.HorizontalFlip(p=0.5)])
    keys = [(epoch, index) for epoch in range(3) for index in range(6)]
    found = items(module(root, augmentation=flips), keys)
    again = items(module(root, augmentation=flips), keys[::-1])[::-1]
    assert same(found, again)
    assert not same(found, items(module(root, augmentation=flips, seed=1), keys))
    assert not same(found[:6], found[6:12])


@pytest.mark.parametrize("num_workers", [1, 2])
def test_workers_serve_the_same_batches_of_one_size(tmp_path, num_workers):
    root = write(tmp_path / "d")

    def epochs(workers):
        loader = module(root, num_workers=workers, rare_classes=0.5).train_dataloader()
        batches = []
        for epoch in range(2):
            loader.batch_sampler.sampler.set_epoch(epoch)
            batches += list(loader)
        return batches

    plain, other = epochs(0), epochs(num_workers)
    assert [batch["id"] for batch in plain] == [batch["id"] for batch in other]
    for first, second in zip(plain, other, strict=True):
        assert first["image"].shape[1:] == (3, 32, 48)
        assert torch.equal(first["image"], second["image"])
        assert torch.equal(first["mask"], second["mask"])


def test_memory_and_windows_on_disk_change_nothing(tmp_path):
    root = write(tmp_path / "d", (150, 200))
    for window in (None, [70, 90]):
        settings = {"window": window, "crop_size": [24, 32]}
        kept = module(root, **settings)
        none = module(root, mask_memory_mb=0, window_cache_gb=0, **settings)
        twice = [items(kept, is_loaded=True) for _ in range(2)]
        assert same(twice[0], twice[1])
        assert same(twice[0], items(none, is_loaded=True))
        assert same(twice[0], items(none))


@pytest.mark.parametrize("window", [None, [70, 90]])
def test_validation_is_what_it_is_without_crops(tmp_path, window):
    root = write(tmp_path / "d", (150, 200))
    with_crops = list(module(root, window=window).val_dataloader())
    without = list(module(root, window=window, crop_size=None).val_dataloader())
    assert len(with_crops) == len(without)
    for first, second in zip(with_crops, without, strict=True):
        assert first["id"] == second["id"]
        assert torch.equal(first["image"], second["image"])
        assert torch.equal(first["mask"], second["mask"])
        assert min(first["image"].shape[2:]) == 32


def test_pixels_without_data_are_ignored_and_no_crop_has_none_with_a_label(tmp_path):
    root = tmp_path / "d"
    for seed, key in enumerate(IDS):
        labels, alpha = blocks((64, 96), seed), np.zeros((64, 96, 1), dtype=np.uint8)
        alpha[40:60, 70:90] = 255
        save(root / f"images/{key}.png", np.dstack([COLOURS[labels], alpha]))
        save(root / f"masks/{key}.png", labels)
    for image, labels in items(module(root, crop_size=16, crop_scale=[0.3, 0.4])):
        assert (labels != 255).any()
        distance = np.abs(image[:, :, None].astype(int) - COLOURS).sum(axis=-1)
        inside = away_from_borders(labels)
        known = inside & (labels != 255)
        assert np.array_equal(distance.argmin(axis=-1)[known], labels[known])


@pytest.mark.parametrize("window", [None, [48, 64]])
def test_bands_are_cropped_as_their_masks_are(tmp_path, window):
    root = tmp_path / "d"
    for seed, key in enumerate(IDS):
        labels = blocks((64, 96), seed)
        wide = labels.astype(np.uint16)
        values = np.dstack([wide * 1000, 2000 - wide * 1000, wide * 0 + 7, wide * 500, wide])
        write_tiff(root / f"images/{key}.tif", values)
        save(root / f"masks/{key}.png", labels)
    data = module(root, bands=[2, 1, 4, 5], value_range=[0, 2000], window=window, crop_size=16)
    for image, labels in items(data):
        assert image.shape == (16, 16, 4)
        inside = away_from_borders(labels)
        assert np.abs(image[..., 1] - labels * 127.5)[inside].max() < 1
        assert np.abs(image[..., 0] - (2 - labels.astype(int)) * 127.5)[inside].max() < 1


@pytest.mark.parametrize("orientation", [3, 6])
def test_crops_of_turned_photographs_lie_on_their_masks(tmp_path, orientation):
    root, exif = tmp_path / "d", Image.Exif()
    exif[0x0112] = orientation
    for seed, key in enumerate(IDS):
        labels = blocks((480, 640), seed, 80)
        turned = np.rot90(labels, {3: 2, 6: 1}[orientation])  # as the camera stores it
        save(root / f"images/{key}.jpg", COLOURS[turned], quality=95, subsampling=0, exif=exif)
        save(root / f"masks/{key}.png", labels)
    for image, labels in items(module(root, exif_orientation="apply")):
        distance = np.abs(image[:, :, None].astype(int) - COLOURS).sum(axis=-1)
        inside = away_from_borders(labels)
        assert np.array_equal(distance.argmin(axis=-1)[inside], labels[inside])


def test_images_count_alike_however_large_they_are(tmp_path):
    root = tmp_path / "d"
    for place, size in zip("abcd", [(32, 48), (64, 96), (320, 480), (64, 96)], strict=True):
        write(root, size, ids=[f"{place}_0", f"{place}_1"])
    data = module(root)
    counts = data.counts_in_training()
    assert np.allclose(counts.sum(axis=1), 32 * 48, atol=2)
    stored = module(root, crop_size=None).counts_in_training()
    shares = stored / stored.sum(axis=1, keepdims=True)
    assert np.allclose(counts / counts.sum(axis=1, keepdims=True), shares, atol=2e-3)


def test_turns_of_crops_that_are_not_square_are_refused(tmp_path):
    root = write(tmp_path / "d")
    turns = albumentations.Compose([albumentations.RandomRotate90(p=0.5)])
    with pytest.raises(ConfigError) as caught:
        module(root, augmentation=turns).dataset("train", augment=True)
    assert str(caught.value) == (
        "augmentation.transforms[0]: RandomRotate90 makes crops of 48x32 pixels 32x48, but all of "
        "a batch need one size; set a square data.crop_size=39, or leave it out"
    )
    assert len(items(module(root, augmentation=turns, crop_size=32))) > 0


def test_data_sets_of_other_sizes_are_cropped_together(tmp_path):
    parts = {"a": write(tmp_path / "a"), "b": write(tmp_path / "b", (100, 90))}
    data = joint(
        {name: module(root) for name, root in parts.items()},
        cache_dir=tmp_path / "cache",
        image_min_size=32,
        batch_size=4,
        num_workers=0,
        crop_size=[32, 48],
        rare_classes=0.5,
        weights={"a": 1, "b": 3},
    )
    shown = [key for batch in data.train_dataloader() for key in batch["id"]]
    assert all(batch["mask"].shape[1:] == (32, 48) for batch in data.train_dataloader())
    assert sum(key.startswith("b/") for key in shown) == data.shown_in_epoch["b"] == 9
    assert len(shown) == 12
    assert np.allclose(data.counts_of("train").sum(axis=1), 32 * 48, atol=2)


def test_an_image_that_has_shrunk_since_is_named(tmp_path):
    root = write(tmp_path / "d")
    data = module(root)
    dataset = data.dataset("train", augment=True)
    save(dataset.samples[0].image, np.zeros((20, 30, 3), dtype=np.uint8))
    with pytest.raises(Exception, match=r"its size differs from that of"):
        dataset[0]


def test_masks_are_never_blended(tmp_path):
    root = write(tmp_path / "d", edge=3)
    for path in (root / "masks").iterdir():
        save(path, np.where(np.array(Image.open(path)) > 0, np.uint8(2), np.uint8(0)))
    for crop_size in (16, 60):  # shrunk, enlarged
        shown = {int(v) for _, m in items(module(root, crop_size=crop_size)) for v in np.unique(m)}
        assert shown == {0, 2}
