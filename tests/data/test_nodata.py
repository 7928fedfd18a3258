"""Pixels without data are ignored wherever masks are counted, kept or served."""

import numpy as np
import pytest

from aerialseg.errors import DataError
from aerialseg.report.data_table import _sizes
from helpers.grouped_data import IDS, data_module
from helpers.rasters import values_of, write_band_folders, write_tiff
from helpers.tiny_data import mask, random_image, save, write_folders

HOLE = np.s_[4:10, :8]


def _with_alpha(root, of_hole=0):
    """The images as PNG, each with a hole."""
    for seed, key in enumerate(IDS):
        (root / f"images/{key}.jpg").unlink(missing_ok=True)
        alpha = np.full((24, 32), 255, np.uint8)
        alpha[HOLE] = of_hole
        save(root / f"images/{key}.png", np.dstack([random_image(seed=seed), alpha]))
    return root


def _served(module):
    return [item["mask"].numpy() for item in module.train_dataloader().dataset]


def test_transparent_pixels_are_not_counted_kept_or_served(tmp_path):
    root = _with_alpha(write_folders(tmp_path / "f", IDS))
    module = data_module(root, image_min_size=None)
    labels = module.contents.labels
    for row, seed in zip(labels.classes, range(len(IDS)), strict=True):
        wanted = mask(seed=seed).copy()
        wanted[HOLE] = 255
        assert row.tolist() == [(wanted == index).sum() for index in range(3)]
    assert labels.nodata.tolist() == labels.ignored.tolist() == [6 * 8] * len(IDS)
    for kept in (
        _served(module),
        _served(data_module(root, image_min_size=None, mask_memory_mb=0)),
    ):
        for sample, found in zip(module.samples("train"), kept, strict=True):
            wanted = mask(seed=IDS.index(sample.id)).copy()
            wanted[HOLE] = 255
            assert np.array_equal(found, wanted)
    assert f"nodata: {48 / 768:.2%} of the area, in {len(IDS)} images" in _sizes(module.contents)


def test_masks_in_memory_follow_the_holes_of_the_images(tmp_path):
    root = _with_alpha(write_folders(tmp_path / "f", IDS))
    assert all((found[HOLE] == 255).all() for found in _served(data_module(root)))
    _with_alpha(root, of_hole=1)
    assert not any((found[HOLE] == 255).any() for found in _served(data_module(root)))


def test_an_opaque_alpha_changes_nothing(tmp_path):
    plain, opaque = (write_folders(tmp_path / name, IDS) for name in ("p", "o"))
    _with_alpha(opaque, of_hole=255)
    for seed, key in enumerate(IDS):
        (plain / f"images/{key}.jpg").unlink()
        save(plain / f"images/{key}.png", random_image(seed=seed))
    first, second = data_module(plain), data_module(opaque)
    assert np.array_equal(first.contents.counts, second.contents.counts)
    for one, other in zip(first.dataset("train"), second.dataset("train"), strict=True):
        assert np.array_equal(one["image"], other["image"])
        assert np.array_equal(one["mask"], other["mask"])


def test_a_typed_value_is_part_of_what_is_learnt_from(tmp_path):
    root = write_folders(tmp_path / "f", IDS)
    assert data_module(root).fingerprint != data_module(root, nodata=0).fingerprint


def test_another_image_of_one_size_makes_other_data(tmp_path):
    root = write_band_folders(tmp_path / "f", IDS)
    settings = {"bands": [1, 2], "value_range": [0, 10_000]}
    first = data_module(root, **settings)
    path = root / f"images/{IDS[0]}.tif"
    size = first.images_fingerprint and path.stat().st_size
    write_tiff(path, values_of(seed=99))
    second = data_module(root, **settings)
    assert path.stat().st_size == size
    assert second.fingerprint == first.fingerprint
    assert second.images_fingerprint != first.images_fingerprint


def test_bands_of_other_kinds_in_one_data_set_are_one_line(tmp_path):
    root = write_band_folders(tmp_path / "f", IDS)
    settings = {"bands": [1, 2], "value_range": [0, 10_000]}
    data_module(root, **settings).prepare()
    write_tiff(root / f"images/{IDS[0]}.tif", values_of(5))
    with pytest.raises(DataError) as error:
        data_module(root, **settings).prepare()
    (line,) = error.value.problems
    assert "1 image (" in line
    assert "with 5 bands of uint16" in line
    assert "with 4 bands of uint16; wanted one kind in a data set" in line


def test_percentiles_of_training_images_or_of_a_checkpoint_are_served(tmp_path):
    root = write_band_folders(tmp_path / "f", IDS)
    module = data_module(
        root, image_min_size=None, bands=[4, 2], value_range={"percentiles": [0, 50]}
    )
    train = module.samples("train")
    values = np.stack([values_of(seed=IDS.index(sample.id)) for sample in train])
    wanted = np.percentile(values[..., [3, 1]].reshape(-1, 2), [0, 50], axis=0).T
    assert np.allclose(module.served.ranges, wanted)
    assert module.dataset("train")[0]["image"].shape == (2, 24, 32)
    module.ranges.take(((0, 100), (0, 10_000)))
    image = module.dataset("train")[0]["image"].numpy()
    assert np.array_equal(image[0], np.minimum(np.rint(values[0, ..., 3] * 2.55), 255))


@pytest.mark.parametrize("megabytes", [0, 512])
def test_windows_have_the_holes_of_their_image(tmp_path, megabytes):
    root = _with_alpha(write_folders(tmp_path / "f", IDS))
    settings = {"image_min_size": None, "window": 16, "mask_memory_mb": megabytes}
    module = data_module(root, **settings)
    assert module.contents.labels.nodata.sum() == 6 * 8 * len(IDS)
    for sample, found in zip(module.samples("train"), _served(module), strict=True):
        wanted = mask(seed=IDS.index(sample.id.partition("@")[0])).copy()
        wanted[HOLE] = 255
        assert np.array_equal(found, sample.window.box.of(wanted))
