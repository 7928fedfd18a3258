import hashlib
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.data.dataset import SampleError
from aerialseg.data.layouts import folders, kaggle
from aerialseg.data.layouts.listing import Listing
from aerialseg.errors import ConfigError, DataError
from helpers.grouped_data import IDS, data_module, flips
from helpers.tiny_data import CLASSES, mask, random_image, save, text, write_folders, write_kaggle


@pytest.fixture
def root(tmp_path):
    return write_folders(tmp_path / "f", IDS)


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        ([1, 2, 3], "returns a list; wanted an aerialseg.data.layouts.listing.Listing"),
        (None, "returns a NoneType; wanted an aerialseg.data.layouts.listing.Listing"),
        (
            Listing((("a", "a.jpg"),)),
            "returns a Listing with a tuple among its samples; wanted "
            "aerialseg.data.layouts.listing.Sample only",
        ),
    ],
)
def test_a_layout_that_returns_no_listing_is_named(root, returned, got):
    with pytest.raises(ConfigError) as error:
        data_module(root, lambda root, cache_dir: returned).prepare()
    assert error.value.problems == (f"data.layout: {got}",)


@pytest.mark.parametrize("kind", ["images", "masks"])
def test_an_image_or_mask_with_too_many_pixels_is_found_before_training(root, kind):
    data_module(root, max_megapixels=0.001).prepare()  # 24x32 pixels are 0.000768 million
    suffix = {"images": "jpg", "masks": "png"}[kind]
    save(root / kind / f"a_0.{suffix}", mask((40, 40)))
    with pytest.raises(
        DataError, match=rf"{kind}/a_0\.{suffix}: has 40x40 pixels, 0\.0016 million"
    ):
        data_module(root, max_megapixels=0.001).prepare()


def test_the_limit_holds_for_what_is_served_too(root):
    module = data_module(root)
    module.prepare()
    module = data_module(root, max_megapixels=0.0005)
    module.prepare()  # from what was counted before
    with pytest.raises(
        SampleError, match=r"has 32x24 pixels, 0\.000768 million; wanted at most 0\.0005"
    ):
        module.dataset("train")[0]


@pytest.mark.parametrize("image_min_size", [None, 12])
def test_sizes_are_known_without_opening_a_file_again(root, image_min_size):
    module = data_module(root, image_min_size=image_min_size)
    headers = {split: module.dataset(split).sizes() for split in ("train", "val")}
    shutil.rmtree(root)
    for split, sizes in headers.items():
        assert module.served_sizes(split) == sizes
    assert headers["val"][0] == ((24, 32) if image_min_size is None else (12, 16))


def test_loaders_read_no_header_again(root, monkeypatch):
    module = data_module(root)
    module.prepare()
    monkeypatch.setattr("aerialseg.data.loading.sample_files.read_size", None)
    loaders = [module.val_dataloader(), *map(module.frozen_batches, ("train", "val"))]
    splits = ("val", "train", "val")
    for loader, split in zip(loaders, splits, strict=True):
        found = [name for batch in loader for name in batch["id"]]
        assert found == [sample.id for sample in module.samples(split)]


def test_known_sizes_are_those_of_turned_images(root):
    for name in IDS:
        exif = Image.Exif()
        exif[274] = 6  # a quarter turn
        save(root / f"images/{name}.jpg", random_image((32, 24)), exif=exif)
        save(root / f"masks/{name}.png", mask((24, 32)))
    module = data_module(root, exif_orientation="apply")
    assert module.served_sizes("train") == module.dataset("train").sizes()
    assert module.served_sizes("train")[0] == (24, 32)


def test_everything_is_known_before_there_is_a_trainer(root):
    module = data_module(root)
    module.prepare()
    train, val = module.samples("train"), module.samples("val")
    assert len(train) + len(val) == 18
    assert {sample.id[0] for sample in train}.isdisjoint(sample.id[0] for sample in val)
    assert module.samples("test") == ()
    assert module.classes.names == ("ground", "car", "tree")
    assert module.contents.sample_submission is None
    by_hand = [np.bincount(mask(seed=IDS.index(s.id)).ravel(), minlength=3) for s in train]
    assert np.array_equal(module.counts_of("train"), by_hand)


def test_what_values_mean_is_part_of_the_fingerprint(root):
    table = {"mask_values": {0: "ground", 1: "car", 2: "tree"}}
    meanings = [
        {"mask_values": {0: "ground", 1: "tree", 2: "car"}},
        {"mask_values": {0: "ground", 1: "car"}, "ignore_values": [2]},
        {"exif_orientation": "apply"},
        {"exif_orientation": "ignore"},
    ]
    prints = {data_module(root, **meaning).fingerprint for meaning in meanings}
    assert len(prints) == len(meanings)
    assert data_module(root).fingerprint not in prints
    assert data_module(root, **table).fingerprint == data_module(root).fingerprint


def test_a_part_of_the_data_keeps_what_values_mean_and_is_not_judged(root, caplog):
    for key in IDS:
        pixels = np.zeros((24, 32), np.uint8)
        pixels[0] = 100 * (key in ("a_0", "b_1"))
        save(root / "masks" / f"{key}.png", pixels)
    module = data_module(root, mask_values={0: "ground", 100: "car"}, ignore_values=[7])
    module.prepare()
    caplog.clear()
    few = module.reduced(1)
    few.prepare()
    assert [set(few.dataset("train")[0]["mask"].unique().tolist())] in ([{0}], [{0, 1}])
    assert caplog.messages == []


def test_a_wrong_mask_value_is_found_before_any_mask_is_read(root):
    (root / "masks/a_0.png").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"data\.mask_values\.3: there is no class 'car2'; did"):
        data_module(root, mask_values={0: "ground", 3: "car2"}).prepare()


def test_the_class_table_can_be_a_file(root):
    path = text(root / "classes.yaml", *(f"{name}: {rgb}" for name, rgb in CLASSES.items()))
    assert data_module(root, classes=str(path)).classes == data_module(root).classes
    with pytest.raises(DataError, match=r"gone\.yaml: no such file"):
        data_module(root, classes=str(root / "gone.yaml")).prepare()


def test_a_missing_folder_is_reported_before_its_class_table(tmp_path):
    module = data_module(tmp_path / "nowhere", classes=str(tmp_path / "nowhere/classes.yaml"))
    with pytest.raises(DataError, match=r"nowhere: no such folder; put your images"):
        module.prepare()


def test_only_training_is_augmented_and_shuffled(root):
    module = data_module(root, augmentation=flips())
    plain, augmented = module.dataset("train"), module.dataset("train", augment=True)
    same = [torch.equal(plain[i]["image"], augmented[i]["image"]) for i in range(len(plain))]
    assert not all(same)
    (first,) = [batch["index"].tolist() for batch in module.val_dataloader()][:1]
    assert first == list(range(len(first)))
    val = module.dataset("val")
    for batch in module.val_dataloader():
        for image, index in zip(batch["image"], batch["index"].tolist(), strict=True):
            assert torch.equal(image, val[index]["image"])


def _passes(module, epochs=2):
    seen = {}
    loader = module.train_dataloader()
    for epoch in range(epochs):
        loader.batch_sampler.sampler.set_epoch(epoch)
        order = []
        for batch in loader:
            order += batch["id"]
            for key, image, target in zip(
                *(batch[k] for k in ("id", "image", "mask")), strict=True
            ):
                content = image.numpy().tobytes() + target.numpy().tobytes()
                seen[epoch, key] = hashlib.sha256(content).hexdigest()
        seen[epoch] = order
    return seen


@pytest.mark.parametrize("changes", [{"num_workers": 1}, {"num_workers": 2}, {"batch_size": 3}])
def test_workers_and_batch_size_change_no_sample(root, changes):
    alone = _passes(data_module(root, augmentation=flips()))
    assert _passes(data_module(root, augmentation=flips(), **changes)) == alone
    assert alone[0] != alone[1]
    assert any(alone[0, key] != alone[1, key] for key in alone[0])


def test_loading_leaves_the_global_random_state_alone(root):
    module = data_module(root, augmentation=flips())
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    for loader in (module.train_dataloader(), module.val_dataloader()):
        list(loader)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_damaged_image_is_one_line_even_from_a_worker(root, num_workers):
    module = data_module(root, num_workers=num_workers)
    module.prepare()
    broken = module.samples("train")[0]
    loader = module.train_dataloader()
    broken.image.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(SampleError) as error:
        list(loader)
    if loader._iterator is not None:  # the traceback holds it, and collecting it so takes seconds
        loader._iterator._shutdown_workers()
    (line,) = error.value.problems
    assert line.startswith(f"sample '{broken.id}': {broken.image}: cannot be decoded: ")
    assert "\n" not in line
    assert "Traceback" not in line


def test_images_of_several_sizes_are_not_padded_in_validation(root):
    for key in IDS[::2]:
        save(root / "images" / f"{key}.jpg", random_image((24, 40)))
        save(root / "masks" / f"{key}.png", mask((24, 40)))
    module = data_module(root)
    seen = 0
    for batch in module.val_dataloader():
        seen += len(batch["id"])
        assert (batch["mask"] != 255).all()
    assert seen == len(module.samples("val"))


def test_test_images_have_ids_and_no_masks(tmp_path):
    root = write_kaggle(tmp_path / "k", IDS, ["t_1", "t_2"])
    submission = text(root / "sampleSubmission.csv", "ImageID")
    module = data_module(root, kaggle)
    (batch,) = list(module.test_dataloader())
    assert batch["id"] == ["t_1", "t_2"]
    assert "mask" not in batch
    assert module.contents.sample_submission == submission
    assert len(module.counts_of("train")) == len(module.samples("train"))


def test_a_data_set_without_a_test_split_says_so(root):
    with pytest.raises(DataError, match="has no test split"):
        data_module(root).test_dataloader()


def test_the_fingerprint_survives_a_copy_and_nothing_else(root, tmp_path):
    first = data_module(root).fingerprint
    shutil.copytree(root, tmp_path / "copy", copy_function=shutil.copyfile)
    moved = data_module(tmp_path / "copy", cache_dir=tmp_path / "elsewhere", batch_size=2)
    assert moved.fingerprint == first
    others = {
        data_module(root, image_min_size=None).fingerprint,
        data_module(root, split_seed=1).fingerprint,
        data_module(root, classes={**CLASSES, "sky": [0, 0, 255]}).fingerprint,
        data_module(root, classes={**CLASSES, "tree": [0, 0, 255]}).fingerprint,
    }
    assert data_module(root, seed=1).fingerprint == first, "the seed decides no split"
    ids = mask(seed=0)
    ids[0, 0] = (ids[0, 0] + 1) % 3
    save(root / "masks" / f"{IDS[0]}.png", ids)
    others.add(data_module(root).fingerprint)
    save(root / "masks" / f"{IDS[0]}.png", mask(seed=0))
    assert data_module(root).fingerprint == first
    save(root / "images" / f"{IDS[0]}.jpg", random_image(seed=99), quality=50)
    others.add(data_module(root).fingerprint)
    assert len(others | {first}) == 7


def test_own_folder_names_are_arguments_of_the_layout(root):
    (root / "images").rename(root / "photos")
    assert len(data_module(root, partial(folders, images="photos")).samples("train")) > 0
