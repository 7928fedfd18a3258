"""Which images an evaluation scores; whatever it is told now, never silently those trained on."""

import logging
import shutil
from functools import partial

import pytest

from aerialseg.data.layouts import folders
from aerialseg.errors import CheckpointError, DataError
from aerialseg.storage.seen_images import SeenImages
from aerialseg.training.scored_images import scored_images
from helpers.tiny_training import make_data

CHECKPOINT = "runs/r/head/train/checkpoints/best.ckpt"


@pytest.fixture
def data(tmp_path):
    return make_data(tmp_path / "d", count=10)


@pytest.fixture
def seen(data):
    sides = (data.contents.ids_by_digest(split) for split in ("train", "val"))
    return SeenImages(*sides)


def again(data, layout=folders, **changes):
    """The same folder, as a later command reads it."""
    return type(data)(
        data.root,
        layout,
        classes=data.classes.to_mapping(),
        cache_dir=data.cache_dir,
        image_min_size=None,
        batch_size=2,
        num_workers=0,
        **changes,
    )


def ids(samples):
    return {sample.id for sample in samples}


def scored(data, split, seen):
    return scored_images(data, split, seen, CHECKPOINT)


def warnings(caplog):
    return [record.message for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize(
    "changes", [{}, {"split_seed": 1}, {"val_fraction": 0.5}, {"group_pattern": r"^(\d)"}]
)
def test_the_runs_own_split_is_scored_whatever_the_settings_say(data, seen, split, changes):
    chosen = scored(again(data, **changes), split, seen)
    assert ids(chosen.samples) == ids(data.samples(split))
    assert chosen.trained_on == (len(data.samples("train")) if split == "train" else 0)


def test_renamed_and_added_files_change_nothing(data, seen, caplog):
    for kind in ("images", "masks"):
        for path in (data.root / kind).iterdir():
            path.rename(path.with_name(f"x{path.name}"))
    extra = make_data(data.root.parent / "extra", count=14)
    for kind in ("images", "masks"):
        for number in range(10, 14):
            shutil.copy(extra.root / kind / f"{number}.png", data.root / kind)
    caplog.set_level(logging.INFO)
    chosen = scored(again(data), "val", seen)
    assert ids(chosen.samples) == {f"x{name}" for name in ids(data.samples("val"))}
    assert caplog.messages[-1] == (
        f"task.split=val: 2 images, of which {CHECKPOINT} was trained on none; it has never seen 4 "
        f"of the 14 labelled images in {data.root}"
    )
    unseen = scored(again(data), "unseen", seen)
    assert ids(unseen.samples) == {"10", "11", "12", "13"}
    assert unseen.trained_on == 0
    assert warnings(caplog) == []


def test_all_warns_of_what_was_trained_on(data, seen, caplog):
    chosen = scored(again(data), "all", seen)
    assert len(chosen.samples) == 10
    assert chosen.trained_on == 8
    assert warnings(caplog) == [
        f"task.split=all: 10 images, of which {CHECKPOINT} was trained on 8; it has seen all 10 "
        f"labelled images in {data.root}"
    ]


@pytest.mark.parametrize(
    ("count", "trained", "validated", "split", "wanted"),
    [
        (
            4,
            0,
            0,
            "all",
            "4 images, of which {} was trained on none; it has never seen any of the "
            "4 labelled images in {}",
        ),
        (
            4,
            0,
            0,
            "unseen",
            "4 images, of which {} was trained on none; it has never seen any of "
            "the 4 labelled images in {}",
        ),
        (
            4,
            4,
            0,
            "train",
            "4 images, of which {} was trained on all; it has seen all 4 labelled images in {}",
        ),
        (
            4,
            3,
            0,
            "unseen",
            "1 image, which {} was not trained on; it has never seen 1 of the 4 "
            "labelled images in {}",
        ),
        (
            4,
            1,
            3,
            "train",
            "1 image, which {} was trained on; it has seen all 4 labelled images in {}",
        ),
        (
            2,
            1,
            1,
            "all",
            "2 images, of which {} was trained on 1; it has seen all 2 labelled images in {}",
        ),
    ],
)
def test_the_line_says_none_and_all(tmp_path, caplog, count, trained, validated, split, wanted):
    data = make_data(tmp_path / "d", count=count)
    caplog.set_level(logging.INFO)
    by_digest = [(key, [name]) for name, key in data.checked.digests().items()]
    sides = by_digest[:trained], by_digest[trained : trained + validated]
    scored(data, split, SeenImages(*map(dict, sides)))
    assert caplog.messages[-1] == f"task.split={split}: {wanted.format(CHECKPOINT, data.root)}"


def test_none_of_the_runs_images_and_nothing_unseen(data, seen):
    everything = data.checked.digests().items()
    trained = {key: [name] for name, key in everything}
    with pytest.raises(DataError) as error:
        scored(data, "val", SeenImages(trained, {"0" * 16: ["a"], "1" * 16: ["b"]}))
    assert error.value.problems == (
        f"{data.root}: holds none of the 2 images that {CHECKPOINT} validated on, by the content "
        "of their files; task.split=all scores 10 labelled images, all of which it has seen",
    )


def test_an_image_of_the_split_that_was_trained_on_as_a_copy_is_counted(data, seen, caplog):
    digest = next(iter(seen.validated))
    seen.trained[digest] = ["copy"]
    chosen = scored(again(data), "val", seen)
    assert (len(chosen.samples), chosen.trained_on) == (2, 1)
    assert len(warnings(caplog)) == 1


def test_missing_images_are_counted(data, seen, caplog):
    gone = sorted(ids(data.samples("val")))[0]
    for kind in ("images", "masks"):
        (data.root / kind / f"{gone}.png").unlink()
    assert len(scored(again(data), "val", seen).samples) == 1
    assert warnings(caplog) == [
        f"{data.root}: 1 image ({gone}) of 2 that {CHECKPOINT} validated on are missing or have "
        "changed; the others are scored"
    ]


def test_none_of_the_runs_images_is_an_error_that_offers_what_there_is(data, seen):
    other = SeenImages({"0" * 16: ["a"]}, {"1" * 16: ["b"], "2" * 16: ["c"]})
    with pytest.raises(DataError) as error:
        scored(data, "val", other)
    assert error.value.problems == (
        f"{data.root}: holds none of the 2 images that {CHECKPOINT} validated on, by the content "
        "of their files; task.split=all scores 10 labelled images, task.split=unseen the 10 that "
        "it has never seen",
    )


@pytest.mark.parametrize("split", ["val", "train", "test", "all", "unseen"])
def test_without_a_mask_there_is_nothing_to_score(data, seen, split):
    shutil.rmtree(data.root / "masks")
    (data.root / "masks").mkdir()
    rows = "".join(f"{number},test\n" for number in range(10))
    (data.root / "split.csv").write_text(f"image,split\n{rows}", encoding="utf-8")
    bare = again(data, layout=partial(folders, split="split.csv"))
    with pytest.raises(DataError, match="has no image with a mask; nothing to evaluate"):
        scored(bare, split, seen)


def test_nothing_unseen_is_an_error(data, seen):
    with pytest.raises(DataError, match="was trained or validated on each of its 10 labelled"):
        scored(data, "unseen", seen)


def test_a_data_set_without_test_images_has_none_to_score(data, seen):
    with pytest.raises(DataError, match=r"has no test images, so .*; task\.split=all scores"):
        scored(data, "test", seen)


def test_data_that_cannot_be_split_can_be_scored(tmp_path, seen):
    held = make_data(tmp_path / "held", count=1)
    assert len(scored(held, "all", SeenImages({"0" * 16: ["a"]}, {})).samples) == 1


@pytest.mark.parametrize("split", ["train", "val", "all"])
def test_a_checkpoint_that_does_not_say_is_scored_by_the_settings(data, split, caplog):
    chosen = scored(data, split, None)
    expected = data.checked.samples if split == "all" else data.samples(split)
    assert ids(chosen.samples) == ids(expected)
    assert chosen.trained_on is None
    assert warnings(caplog) == [
        f"{CHECKPOINT}: does not say which images it was trained on, as checkpoints of today do; "
        f"the {split} images may be among them"
    ]


def test_what_is_unseen_by_such_a_checkpoint_is_not_guessed(data):
    with pytest.raises(CheckpointError, match=r"task\.split=unseen cannot be found"):
        scored(data, "unseen", None)
