import hashlib
import shutil
from functools import partial

import albumentations
import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.dataset import SampleError
from aerialseg.data.layouts import folders, kaggle
from aerialseg.errors import DataError
from helpers.tiny_data import CLASSES, mask, random_image, save, text, write_folders, write_kaggle

IDS = [f"{sequence}_{frame}" for sequence in "abcdef" for frame in range(3)]


@pytest.fixture
def root(tmp_path):
    return write_folders(tmp_path / "f", IDS)


def _module(root, layout=folders, **changes):
    arguments = {
        "classes": CLASSES,
        "cache_dir": root.parent / "cache",
        "image_min_size": 24,
        "batch_size": 4,
        "num_workers": 0,
        "group_pattern": r"^(.+)_\d$",
        **changes,
    }
    return AerialSegDataModule(root, layout, **arguments)


def _flips():
    return albumentations.Compose(
        [albumentations.HorizontalFlip(p=0.5), albumentations.ColorJitter(p=0.5)]
    )


@pytest.mark.parametrize("kind", ["images", "masks"])
def test_an_image_or_mask_with_too_many_pixels_is_found_before_training(root, kind):
    _module(root, max_megapixels=0.001).prepare()  # 24x32 pixels are 0.000768 million
    suffix = {"images": "jpg", "masks": "png"}[kind]
    save(root / kind / f"a_0.{suffix}", mask((40, 40)))
    with pytest.raises(
        DataError, match=rf"{kind}/a_0\.{suffix}: has 40x40 pixels, 0\.0016 million"
    ):
        _module(root, max_megapixels=0.001).prepare()


def test_the_limit_holds_for_what_is_served_too(root):
    module = _module(root)
    module.prepare()
    module = _module(root, max_megapixels=0.0005)
    module.prepare()  # from what was counted before
    with pytest.raises(
        SampleError, match=r"has 32x24 pixels, 0\.000768 million; wanted at most 0\.0005"
    ):
        module.dataset("train")[0]


def test_everything_is_known_before_there_is_a_trainer(root):
    module = _module(root)
    module.prepare()
    train, val = module.samples("train"), module.samples("val")
    assert len(train) + len(val) == 18
    assert {sample.id[0] for sample in train}.isdisjoint(sample.id[0] for sample in val)
    assert module.samples("test") == ()
    assert module.classes.names == ("ground", "car", "tree")
    assert module.sample_submission is None
    by_hand = [np.bincount(mask(seed=IDS.index(s.id)).ravel(), minlength=3) for s in train]
    assert np.array_equal(module.class_counts, by_hand)


def test_the_class_table_can_be_a_file(root):
    path = text(root / "classes.yaml", *(f"{name}: {rgb}" for name, rgb in CLASSES.items()))
    assert _module(root, classes=str(path)).classes == _module(root).classes
    with pytest.raises(DataError, match=r"gone\.yaml: no such file"):
        _module(root, classes=str(root / "gone.yaml")).prepare()


def test_a_missing_folder_is_reported_before_its_class_table(tmp_path):
    module = _module(tmp_path / "nowhere", classes=str(tmp_path / "nowhere/classes.yaml"))
    with pytest.raises(DataError, match=r"nowhere: no such folder; put your images"):
        module.prepare()


def test_only_training_is_augmented_and_shuffled(root):
    module = _module(root, augmentation=_flips())
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
    alone = _passes(_module(root, augmentation=_flips()))
    assert _passes(_module(root, augmentation=_flips(), **changes)) == alone
    assert alone[0] != alone[1]
    assert any(alone[0, key] != alone[1, key] for key in alone[0])


def test_loading_leaves_the_global_random_state_alone(root):
    module = _module(root, augmentation=_flips())
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    for loader in (module.train_dataloader(), module.val_dataloader()):
        list(loader)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_damaged_image_is_one_line_even_from_a_worker(root, num_workers):
    module = _module(root, num_workers=num_workers)
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
    module = _module(root)
    seen = 0
    for batch in module.val_dataloader():
        seen += len(batch["id"])
        assert (batch["mask"] != 255).all()
    assert seen == len(module.samples("val"))


def test_test_images_have_ids_and_no_masks(tmp_path):
    root = write_kaggle(tmp_path / "k", IDS, ["t_1", "t_2"])
    submission = text(root / "sampleSubmission.csv", "ImageID")
    module = _module(root, kaggle)
    (batch,) = list(module.test_dataloader())
    assert batch["id"] == ["t_1", "t_2"]
    assert "mask" not in batch
    assert module.sample_submission == submission
    assert len(module.class_counts) == len(module.samples("train"))


@pytest.mark.parametrize("per_split", [1, 2, 3, 5, 100])
def test_reduced_data_are_a_few_samples_spread_over_each_split(root, tmp_path, per_split):
    module = _module(root, val_fraction=0.35, augmentation=_flips(), batch_size=2)
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
    assert settings.keys() >= {"image_min_size", "batch_size", "val_fraction", "group_pattern"}
    assert few.augmentation is module.augmentation
    assert few.classes == module.classes


def test_reduced_data_keep_what_they_compute_where_they_are_told(root, tmp_path):
    module = _module(root)
    module.prepare()
    kept = sorted((root.parent / "cache").rglob("*"))
    list(module.reduced(2, cache_dir=tmp_path / "few").train_dataloader())
    assert sorted((root.parent / "cache").rglob("*")) == kept
    assert module.reduced(2).cache_dir == module.cache_dir


def test_a_data_set_without_a_test_split_says_so(root):
    with pytest.raises(DataError, match="has no test split"):
        _module(root).test_dataloader()


def test_the_fingerprint_survives_a_copy_and_nothing_else(root, tmp_path):
    first = _module(root).fingerprint
    shutil.copytree(root, tmp_path / "copy", copy_function=shutil.copyfile)
    moved = _module(tmp_path / "copy", cache_dir=tmp_path / "elsewhere", batch_size=2)
    assert moved.fingerprint == first
    others = {
        _module(root, image_min_size=None).fingerprint,
        _module(root, seed=1).fingerprint,
        _module(root, classes={**CLASSES, "sky": [0, 0, 255]}).fingerprint,
        _module(root, classes={**CLASSES, "tree": [0, 0, 255]}).fingerprint,
    }
    ids = mask(seed=0)
    ids[0, 0] = (ids[0, 0] + 1) % 3
    save(root / "masks" / f"{IDS[0]}.png", ids)
    others.add(_module(root).fingerprint)
    save(root / "masks" / f"{IDS[0]}.png", mask(seed=0))
    assert _module(root).fingerprint == first
    save(root / "images" / f"{IDS[0]}.jpg", random_image(seed=99), quality=50)
    others.add(_module(root).fingerprint)
    assert len(others | {first}) == 7


class _Recorder(pl.LightningModule):
    """Learns nothing and notes every sample it sees."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def training_step(self, batch, index):
        digest = hashlib.sha256(batch["image"].numpy().tobytes()).hexdigest()
        self.seen.append((self.current_epoch, tuple(batch["id"]), digest))
        return self.weight.sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def _trainer(epochs):
    return pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


@pytest.mark.filterwarnings("ignore")  # Lightning comments on the number of workers
def test_a_resumed_run_sees_what_an_uninterrupted_one_sees(root, tmp_path):
    settings = {"num_workers": 1, "augmentation": _flips()}
    straight, before, after = _Recorder(), _Recorder(), _Recorder()
    _trainer(4).fit(straight, datamodule=_module(root, **settings))
    trainer = _trainer(2)
    trainer.fit(before, datamodule=_module(root, **settings))
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    _trainer(4).fit(
        after, datamodule=_module(root, **settings), ckpt_path=str(tmp_path / "half.ckpt")
    )
    assert before.seen + after.seen == straight.seen
    orders = {ids for _, ids, _ in straight.seen}
    assert len(orders) == len(straight.seen)


def test_own_folder_names_are_arguments_of_the_layout(root):
    (root / "images").rename(root / "pictures")
    assert len(_module(root, partial(folders, images="pictures")).samples("train")) > 0
