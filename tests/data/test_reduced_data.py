"""A few samples of each split, for trials of a stage."""

import pytest

from helpers.grouped_data import IDS, data_module, flips
from helpers.tiny_data import write_folders


@pytest.fixture
def root(tmp_path):
    return write_folders(tmp_path / "f", IDS)


@pytest.mark.parametrize("per_split", [1, 2, 3, 5, 100])
def test_reduced_data_are_a_few_samples_spread_over_each_split(root, tmp_path, per_split):
    module = data_module(root, val_fraction=0.35, augmentation=flips(), batch_size=2)
    few = module.reduced(per_split, cache_dir=tmp_path / "few")
    for split in ("train", "val"):
        every, chosen = module.samples(split), few.samples(split)
        step = max(1, len(every) // per_split)
        assert [every.index(sample) for sample in chosen] == [
            index for index in range(0, len(every), step) if index // step < per_split
        ]
    assert few.samples("test") == ()
    assert few.dataset("train", augment=True)[0].keys() == {"image", "mask", "id", "index"}
    assert len(list(few.train_dataloader())) == len(few.train_dataloader())
    settings = {
        name: value for name, value in vars(module).items() if isinstance(value, int | float | str)
    }
    assert settings == {name: vars(few)[name] for name in settings}
    assert settings.keys() >= {"image_min_size", "batch_size", "seed"}
    assert few.augmentation is module.augmentation
    assert few.classes == module.classes


def test_reduced_data_keep_what_they_compute_where_they_are_told(root, tmp_path):
    module = data_module(root)
    module.prepare()
    kept = sorted((root.parent / "cache").rglob("*"))
    list(module.reduced(2, cache_dir=tmp_path / "few").train_dataloader())
    assert sorted((root.parent / "cache").rglob("*")) == kept
    assert module.reduced(2).cache_dir == module.cache_dir
