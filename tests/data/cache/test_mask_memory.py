import logging
import os
import pickle
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.cache.mask_memory import keep_masks
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.dataset import SampleError
from aerialseg.data.layouts import folders
from helpers.spoilt_masks import SPOILT_MASKS
from helpers.tiny_data import CLASSES, mask, random_image, save, write_folders

IDS = [f"{sequence}_{frame}" for sequence in "abcd" for frame in range(2)]


@pytest.fixture
def root(tmp_path):
    return write_folders(tmp_path / "f", IDS)


def _module(root, **changes):
    arguments = {
        "layout": folders,
        "classes": CLASSES,
        "cache_dir": root.parent / "cache",
        "image_min_size": 12,
        "batch_size": 4,
        "num_workers": 0,
        **changes,
    }
    return AerialSegDataModule(root, **arguments)


def _served(root, **changes):
    """The training data as the loader reads it."""
    return _module(root, **changes).train_dataloader().dataset


def _masks(dataset):
    return [dataset[index]["mask"] for index in range(len(dataset))]


def _all_equal(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def _entry(root):
    (folder,) = (root.parent / "cache" / "masks").iterdir()
    return folder


def _bytes(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _no_reading(monkeypatch):
    monkeypatch.setattr("aerialseg.data.loading.sample_files.read_mask", None)


@pytest.mark.parametrize("image_min_size", [None, 24, 12, 17, 48])
def test_what_is_kept_is_what_the_files_hold(root, image_min_size, monkeypatch):
    module = _module(root, image_min_size=image_min_size)
    from_files = {split: _masks(module.dataset(split)) for split in ("train", "val")}
    train, val = module.train_dataloader().dataset, module.val_dataloader().dataset
    _no_reading(monkeypatch)
    assert _all_equal(_masks(train), from_files["train"])
    assert _all_equal(_masks(val), from_files["val"])
    assert _all_equal([val.mask(index) for index in range(len(val))], from_files["val"])


def test_colour_masks_are_kept_as_ids(root, classes: ClassTable, monkeypatch):
    wanted = _masks(_module(root).dataset("train"))
    for key in IDS:
        path = root / "masks" / f"{key}.png"
        save(path, classes.palette[mask(seed=IDS.index(key))])
    dataset = _served(root, mask_format="colour")
    _no_reading(monkeypatch)
    assert _all_equal(_masks(dataset), wanted)


@pytest.mark.parametrize(
    ("meaning", "lookup"),
    [
        ({"mask_values": {0: "tree", 1: "car", 2: "ground"}}, [2, 1, 0]),
        ({"mask_values": {0: "car", 2: "tree"}, "ignore_values": [1]}, [1, 255, 2]),
        ({"mask_values": {0: "car", 1: "car", 2: "ground"}}, [1, 1, 0]),
        ({}, [0, 1, 2]),
    ],
)
def test_masks_that_mean_something_else_are_kept_anew(root, meaning, lookup, monkeypatch):
    as_ids = _masks(_served(root))
    dataset = _served(root, **meaning)
    _no_reading(monkeypatch)
    wanted = [torch.tensor(lookup, dtype=torch.uint8)[ids.long()] for ids in as_ids]
    assert _all_equal(_masks(dataset), wanted)


def test_masks_are_kept_upright_if_orientations_are_applied(root):
    exif = Image.Exif()
    exif[274] = 3
    for key in IDS:
        path = root / "masks" / f"{key}.png"
        save(path, mask(seed=IDS.index(key)), exif=exif)
    for orientation in ("ignore", "apply", "ignore"):
        module = _module(root, exif_orientation=orientation, image_min_size=None)
        for dataset in (module.dataset("train"), module.train_dataloader().dataset):
            for index, sample in enumerate(dataset.samples):
                stored = mask(seed=IDS.index(sample.id))
                wanted = stored[::-1, ::-1] if orientation == "apply" else stored
                assert np.array_equal(dataset[index]["mask"], wanted)


def test_the_next_stage_starts_at_once(root, monkeypatch):
    wanted = _masks(_served(root))
    _no_reading(monkeypatch)
    assert _all_equal(_masks(_served(root)), wanted)


def test_without_a_budget_masks_are_read_from_their_files(root):
    dataset = _served(root, mask_memory_mb=0)
    assert _all_equal(_masks(dataset), _masks(_module(root).dataset("train")))
    assert not (root.parent / "cache" / "masks").exists()


def test_what_does_not_fit_is_read_from_its_file(tmp_path, cache):
    samples = folders(write_folders(tmp_path / "f", IDS[:5], size=(300, 400)), cache).samples
    stored = {sample.mask: mask((300, 400), seed) for seed, sample in enumerate(samples)}
    memory = keep_masks(
        samples,
        lambda sample: stored[sample.mask],
        made_with=None,
        image_min_size=None,
        megabytes=1,  # a mask of noise takes 0.32
        cache_dir=cache,
    )
    assert memory.held.tolist() == [True, True, True, False, False]
    for index, sample in enumerate(samples):
        kept = memory.read(index, sample.mask, (300, 400))
        assert kept is None if index >= 3 else np.array_equal(kept, stored[sample.mask])
    (folder,) = (cache / "masks").iterdir()
    assert (folder / "runs.u32").stat().st_size <= 1_000_000
    assert (folder / "table.u32").stat().st_size == 5 * 5 * 4


def test_images_without_a_mask_are_passed_over(root):
    save(root / "extra" / "t.jpg", random_image())
    module = _module(root, layout=partial(folders, test_images="extra"))
    (batch,) = module.test_dataloader()
    assert "mask" not in batch
    assert module.train_dataloader().dataset.mask_memory.held.all()


@pytest.mark.parametrize("name", ["runs.u32", "table.u32", "index.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign"])
def test_a_damaged_file_is_made_again(root, name, damage, caplog):
    wanted = _masks(_served(root))
    entry = _entry(root)
    before = _bytes(entry)
    whole = before[name]
    middle = len(whole) // 2
    (entry / name).write_bytes(
        {
            "flip": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "cut": whole[:middle],
            "empty": b"",
            "foreign": b"not ours",
        }[damage]
    )
    assert _all_equal(_masks(_served(root)), wanted)
    assert caplog.messages == [f"{entry / name} is damaged; the masks are encoded again"]
    assert _bytes(entry) == before


def test_a_cache_of_the_previous_format_is_not_found(root, caplog):
    wanted = _masks(_served(root))
    entry = _entry(root)
    entry.rename(entry.with_suffix(".kept"))
    entry.with_suffix(".runs").write_bytes(b"a file as earlier versions wrote it")
    assert _all_equal(_masks(_served(root)), wanted)
    assert entry.is_dir()
    assert not caplog.messages


def test_a_mask_that_has_changed_is_encoded_again(root, caplog, monkeypatch):
    dataset = _served(root)
    entry = _entry(root)
    changed = save(dataset.samples[1].mask, mask(seed=99))
    wanted = _masks(_module(root).dataset("train"))
    again = _served(root)
    _no_reading(monkeypatch)
    assert _all_equal(_masks(again), wanted)
    assert _entry(root) == entry  # replaced, not beside the old one
    os.utime(changed, ns=(1, 1))
    with pytest.raises(TypeError):  # the reader that was taken away is asked
        again[1]
    assert not caplog.messages


def test_a_mask_that_changes_in_use_is_served_as_it_is(root):
    module = _module(root)
    dataset, plain = module.train_dataloader().dataset, module.dataset("train")
    save(dataset.samples[0].mask, mask(seed=99))
    assert torch.equal(dataset[0]["mask"], plain[0]["mask"])
    assert np.isin(dataset[0]["mask"].numpy(), [0, 1, 2]).all()


@pytest.mark.parametrize(("spoil", "message"), SPOILT_MASKS)
@pytest.mark.parametrize("when", ["before it is kept", "after it is kept"])
def test_a_bad_mask_is_named_as_if_it_were_read(root, spoil, message, when):
    module = _module(root)
    module.prepare()
    sample = module.samples("train")[2]
    if when == "before it is kept":
        spoil(sample)
    dataset = module.train_dataloader().dataset
    if when == "after it is kept":
        spoil(sample)
    with pytest.raises(SampleError, match=rf"^sample '{sample.id}': .*{message}") as error:
        dataset[2]
    assert len(error.value.problems) == 1
    assert dataset[1]["mask"].shape == (12, 16)


def test_workers_get_the_place_and_not_the_masks(root):
    dataset = _served(root)
    memory, entry = dataset.mask_memory, _entry(root)
    sent = pickle.dumps(memory)
    assert len(sent) < 1000 < (entry / "runs.u32").stat().st_size
    sample, size = dataset.samples[0], (24, 32)
    assert np.array_equal(
        pickle.loads(sent).read(0, sample.mask, size), memory.read(0, sample.mask, size)
    )
    for key in IDS:  # another run fills it anew before a worker has started
        save(root / "masks" / f"{key}.png", mask(seed=50))
    _served(root)
    assert pickle.loads(sent).read(0, sample.mask, size) is None
    shutil.rmtree(entry)
    assert pickle.loads(sent).read(0, sample.mask, size) is None


def test_evaluation_at_the_original_size_reads_the_files(root):
    module = _module(root)
    module.train_dataloader()
    dataset = module.dataset("val", original_size=True)
    assert dataset.mask_memory is None
    assert dataset[0]["mask"].shape == (24, 32)


def test_nothing_is_kept_before_there_is_a_loader(root):
    module = _module(root)
    module.prepare()
    module.dataset("train")[0]
    assert not (root.parent / "cache" / "masks").exists()


def test_what_a_run_is_does_not_depend_on_the_budget(root):
    assert _module(root, mask_memory_mb=0).fingerprint == _module(root).fingerprint


def test_a_long_first_pass_is_announced(root, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("aerialseg.data.cache.mask_memory._MANY", 8)
    _served(root)
    _served(root)
    assert caplog.messages == ["encoding 8 masks as run lengths, once; the result is kept"]


def test_a_cache_that_cannot_be_written_to_costs_one_warning(root, tmp_path, caplog):
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING):
        without = _served(root, cache_dir=tmp_path / "file")
    assert _all_equal(_masks(without), _masks(_served(root)))
    (line,) = (each for each in caplog.messages if "paths.cache_dir" in each)
    assert line.startswith(f"paths.cache_dir: {tmp_path / 'file'} cannot be written to: ")
    assert without.__class__ is pickle.loads(pickle.dumps(without)).__class__
