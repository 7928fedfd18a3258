import random

import albumentations
import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.dataset import SampleError, SemSegDataset
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts import folders
from aerialseg.data.layouts.listing import Sample
from aerialseg.data.loading.batches import collate
from aerialseg.errors import ConfigError
from helpers.tiny_data import mask, random_image, save, write_folders


@pytest.fixture
def samples(tmp_path):
    return folders(write_folders(tmp_path / "f", ["a", "b", "c", "d"]), tmp_path).samples


def _flips() -> albumentations.Compose:
    nested = albumentations.Sequential([albumentations.VerticalFlip(p=0.5)], p=1.0)
    return albumentations.Compose([albumentations.HorizontalFlip(p=0.5), nested])


def test_a_sample_is_uint8_in_the_networks_order(samples, classes):
    item = SemSegDataset(samples, classes, image_min_size=None)[1]
    assert item["image"].shape == (3, 24, 32)
    assert item["mask"].shape == (24, 32)
    assert item["image"].dtype == item["mask"].dtype == torch.uint8
    assert np.array_equal(item["mask"].numpy(), mask(seed=1))
    assert (
        np.abs(item["image"].permute(1, 2, 0).numpy().astype(int) - random_image(seed=1)).mean() < 5
    )
    assert (item["id"], item["index"]) == ("b", 1)


def test_both_are_resized(samples, classes):
    dataset = SemSegDataset(samples, classes, image_min_size=12)
    assert dataset[0]["image"].shape == (3, 12, 16)
    assert dataset[0]["mask"].shape == (12, 16)
    assert dataset.sizes() == [(12, 16)] * 4


def test_a_sample_without_a_mask_has_none(samples, classes):
    dataset = SemSegDataset(
        [Sample("t", samples[0].image, None, "test")],
        classes,
        image_min_size=None,
        augmentation=_flips(),
    )
    assert set(dataset[0]) == {"image", "id", "index"}
    assert "mask" not in collate([dataset[0]])


def test_colour_masks_become_ids(samples, classes):
    for sample in samples:
        save(sample.mask, classes.palette[mask()])
    colours = Reading(MaskEncoding(classes, "colour"))
    dataset = SemSegDataset(samples, classes, image_min_size=None, reading=colours)
    assert np.array_equal(dataset[0]["mask"].numpy(), mask())


def test_a_data_set_can_be_walked_and_ends(samples, classes):
    dataset = SemSegDataset(samples, classes, image_min_size=None)
    assert [dataset[index]["id"] for index in range(len(dataset))] == ["a", "b", "c", "d"]
    for index in (4, -1):
        with pytest.raises(IndexError):
            dataset[index]


def test_augmentation_is_a_function_of_seed_epoch_and_index_alone(samples, classes):
    def walk(keys, seed=0):
        dataset = SemSegDataset(
            samples, classes, image_min_size=None, augmentation=_drone(), seed=seed
        )
        return {key: dataset[key]["image"].numpy().tobytes() for key in keys}

    keys = [(epoch, index) for epoch in range(3) for index in range(4)]
    straight = walk(keys)
    random.seed(1)  # what others do to the global states must not matter
    np.random.seed(1)
    shuffled = walk(random.sample(keys, len(keys)))
    assert shuffled == straight
    assert len(set(straight.values())) == len(keys)
    other_seed = walk(keys, seed=1)
    assert all(other_seed[key] != straight[key] for key in keys)


def test_transforms_draw_independently_of_each_other(samples, classes):
    """Two fair coins must fall on all four sides; with one seed for all they fall on two."""
    dataset = SemSegDataset(samples[:1], classes, image_min_size=None, augmentation=_flips())
    corner = np.zeros((24, 32), np.uint8)
    corner[0, 0] = 1
    save(samples[0].mask, corner)
    seen = [tuple(dataset[(epoch, 0)]["mask"].nonzero()[0].tolist()) for epoch in range(200)]
    shares = [seen.count((y, x)) / 200 for y in (0, 23) for x in (0, 31)]
    assert all(0.15 < share < 0.35 for share in shares)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1)])
def test_images_of_one_row_or_column_can_be_flipped(tmp_path, classes, size):
    pixels = np.arange(size[0] * size[1] * 3, dtype=np.uint8).reshape(*size, 3)
    image, labels = save(tmp_path / "i/a.png", pixels), save(tmp_path / "m/a.png", mask(size))
    dataset = SemSegDataset(
        [Sample("a", image, labels, "train")], classes, image_min_size=None, augmentation=_flips()
    )
    for epoch in range(8):
        item = dataset[(epoch, 0)]
        assert sorted(item["image"].flatten().tolist()) == sorted(pixels.flatten().tolist())


def test_image_and_mask_move_together(tmp_path):
    ids = np.repeat(np.repeat(np.arange(12, dtype=np.uint8).reshape(3, 4), 40, 0), 40, 1)
    image = save(tmp_path / "a.png", np.dstack([ids * 20] * 3))
    path = save(tmp_path / "m.png", ids)
    table = ClassTable(tuple("abcdefghijkl"), tuple((i, i, i) for i in range(12)))
    still = albumentations.Compose(_drone().transforms[2:])  # geometry without colour
    dataset = SemSegDataset(
        [Sample("a", image, path, "train")], table, image_min_size=None, augmentation=still
    )
    for epoch in range(20):
        item = dataset[(epoch, 0)]
        moved, wanted = item["image"][0].numpy(), item["mask"].numpy()
        assert set(np.unique(wanted)) <= {*range(12), 255}
        inside = wanted != 255
        agree = np.abs(moved[inside].astype(int) - wanted[inside].astype(int) * 20) <= 10
        assert agree.mean() > 0.95  # bilinear blends along the edges between ids


def test_what_the_camera_did_not_see_is_ignored(samples, classes):
    shift = albumentations.Compose(
        [albumentations.Affine(translate_percent={"x": 0.25, "y": 0.0}, fill_mask=255, p=1.0)]
    )
    item = SemSegDataset(samples, classes, image_min_size=None, augmentation=shift)[0]
    assert (item["mask"][:, :8] == 255).all()
    assert (item["mask"][:, 9:] != 255).all()


def test_an_empty_augmentation_costs_nothing(samples, classes):
    none = albumentations.Compose([])
    plain = SemSegDataset(samples, classes, image_min_size=None)
    empty = SemSegDataset(samples, classes, image_min_size=None, augmentation=none)
    assert torch.equal(plain[0]["image"], empty[0]["image"])
    assert empty._augmentation is None


def test_a_sample_that_cannot_be_loaded_is_named(samples, classes):
    samples[2].image.write_bytes(samples[2].image.read_bytes()[:-9])
    listed = [*samples[:2], Sample("c", samples[2].image, samples[2].mask, None, "train.csv row 4")]
    dataset = SemSegDataset(listed, classes, image_min_size=None)
    with pytest.raises(SampleError, match=r"^sample 'c' \(train\.csv row 4\): .*c\.jpg: cannot be"):
        dataset[2]


# How a file is stored so that its orientation turns it upright, by Pillow's own names.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("image_min_size", [None, 12])
@pytest.mark.parametrize("orientation", STORED)
def test_a_turned_image_meets_its_upright_mask(tmp_path, classes, orientation, image_min_size):
    shown, exif = Image.fromarray(random_image()), Image.Exif()
    exif[274] = orientation
    how = STORED[orientation]
    (shown if how is None else shown.transpose(how)).save(tmp_path / "a.png", exif=exif)
    shown.save(tmp_path / "b.png")
    mask_file = save(tmp_path / "m.png", mask())
    listed = [Sample(key, tmp_path / f"{key}.png", mask_file, "train") for key in "ab"]
    dataset = SemSegDataset(
        listed, classes, image_min_size=image_min_size, reading=Reading(exif_orientation="apply")
    )
    assert torch.equal(dataset[0]["image"], dataset[1]["image"])
    assert torch.equal(dataset[0]["mask"], dataset[1]["mask"])
    assert dataset.sizes()[0] == dataset.sizes()[1]


def test_a_mask_that_changed_since_it_was_counted_is_named(samples, classes):
    dataset = SemSegDataset(samples, classes, image_min_size=None)
    save(samples[0].mask, mask() + np.uint8(1))
    with pytest.raises(SampleError, match=r"sample 'a': .*a\.png: id 3 \(\d+ pixels, .*%\) is out"):
        dataset[0]
    save(samples[0].mask, np.full((24, 32), 255, np.uint8))
    assert (dataset[0]["mask"] == 255).all()
    save(samples[0].mask, mask((12, 16)))
    with pytest.raises(SampleError, match=r"a\.png: its size differs"):
        dataset[0]


def test_an_augmentation_that_fails_names_the_sample(samples, classes):
    too_large = albumentations.Compose([albumentations.RandomCrop(height=999, width=999, p=1.0)])
    dataset = SemSegDataset(samples, classes, image_min_size=None, augmentation=too_large)
    with pytest.raises(SampleError, match=r"sample 'a': augmentation failed: .*Error"):
        dataset[0]


def test_a_batch_keeps_what_it_is_made_of(samples, classes):
    dataset = SemSegDataset(samples, classes, image_min_size=None)
    batch = collate([dataset[2], dataset[0]])
    assert batch["image"].shape == (2, 3, 24, 32)
    assert torch.equal(batch["image"][0], dataset[2]["image"])
    assert torch.equal(batch["mask"][1], dataset[0]["mask"])
    assert batch["id"] == ["c", "a"]
    assert batch["index"].tolist() == [2, 0]


def test_smaller_images_are_padded_at_the_bottom_and_right():
    small = {"image": torch.full((3, 2, 5), 7, dtype=torch.uint8), "id": "s", "index": 0}
    large = {"image": torch.full((3, 4, 3), 9, dtype=torch.uint8), "id": "l", "index": 1}
    small["mask"], large["mask"] = torch.ones(2, 5, dtype=torch.uint8), torch.ones(4, 3)
    batch = collate([small, large], padding_colour=(1, 2, 3))
    assert batch["image"].shape == (2, 3, 4, 5)
    assert (batch["image"][0, :, :2] == 7).all()
    assert batch["image"][0, :, 2:].reshape(3, -1).unique(dim=1).flatten().tolist() == [1, 2, 3]
    assert batch["mask"][0].tolist() == [[1] * 5] * 2 + [[255] * 5] * 2
    assert batch["mask"][1].tolist() == [[1, 1, 1, 255, 255]] * 4


def test_the_class_table_is_that_of_the_reading(samples, classes):
    other = Reading(MaskEncoding(ClassTable(("a", "b"), ((1, 2, 3), (4, 5, 6)))))
    with pytest.raises(ConfigError, match=r"gives the classes a, b, but classes are "):
        SemSegDataset(samples, classes, image_min_size=None, reading=other)


def _drone() -> albumentations.Compose:
    return albumentations.Compose(
        [
            albumentations.ColorJitter(
                brightness=(0.7, 1.3), contrast=(1, 1), saturation=(1, 1), hue=(-0.1, 0.1), p=1.0
            ),
            albumentations.Equalize(p=0.2),
            albumentations.HorizontalFlip(p=0.5),
            albumentations.Affine(
                rotate=(-10, 10),
                translate_percent=(-0.2, 0.2),
                scale=(0.9, 1.4),
                keep_ratio=True,
                fill_mask=255,
                p=0.95,
            ),
        ]
    )
