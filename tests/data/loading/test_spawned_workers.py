"""Workers as Windows and macOS start them: everything they need is pickled."""

from multiprocessing import get_all_start_methods

import albumentations
import numpy as np
import pytest
import torch

from aerialseg.data.cache.features import write_features
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import folders
from helpers.tiny_data import CLASSES, write_folders

IDS = [f"{number}" for number in range(10)]


@pytest.fixture(params=["images", pytest.param("features", marks=pytest.mark.slow)])
def data(request, tmp_path):
    """A data module whose workers read images and augment them, or read features."""
    root = write_folders(tmp_path / "f", IDS)
    flip = albumentations.Compose([albumentations.HorizontalFlip(p=0.5)])
    data = AerialSegDataModule(
        root,
        folders,
        cache_dir=tmp_path / "cache",
        classes=CLASSES,
        image_min_size=24,
        batch_size=2,
        num_workers=2,
        augmentation=flip if request.param == "images" else None,
    )
    if request.param == "features":
        rows = [
            (split, index, {"out": np.full((2, 3, 4), index, dtype=np.float16)})
            for split in ("train", "val")
            for index in range(len(data.samples(split)))
        ]
        data.loaders.serve_features(write_features(tmp_path / "features", rows))
    return data


def assert_equal(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, second[name])
        elif isinstance(value, dict):
            assert_equal(value, second[name])
        else:
            assert value == second[name]


def test_spawned_workers_serve_what_forked_ones_do(data):
    batches = {}
    for method in {"spawn", *get_all_start_methods()} - {"forkserver"}:
        loader = data.train_dataloader()
        loader.multiprocessing_context = method
        iterator = iter(loader)
        batches[method] = list(iterator)
        assert set(loader.dataset.notes()) == {worker.pid for worker in iterator._workers}
    for batch, *others in zip(*batches.values(), strict=True):
        for other in others:
            assert_equal(batch, other)
    assert any(batch["mask"].any() for batch in batches["spawn"])
