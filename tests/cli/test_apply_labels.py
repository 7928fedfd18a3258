"""From a review to corrected masks, by real processes."""

import csv
import json
import re
import shlex
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from helpers.commands import run_command
from helpers.label_reviews import (
    CHECKPOINT,
    DATA,
    IMAGES,
    NAMES,
    TRAIN,
    apply,
    copied,
    correct,
    hashes,
    pixels,
    review_of,
    reviewed,
    rows_of,
    see_one_class,
)
from helpers.tiny_data import save, text


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return reviewed(tmp_path_factory.mktemp("labels"), "index")


@pytest.fixture
def folder(template, tmp_path):
    return copied(template, tmp_path / "w")


def test_the_review_says_what_is_where(folder):
    rows = rows_of(folder)
    assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
    seen = {row["image"]: row["trained_on"] for row in rows}
    assert set(seen.values()) <= {"no", "yes"}
    order = [row["trained_on"] for row in rows]
    assert order == sorted(order)  # "no" before "yes"
    for row in rows:
        mask = pixels(folder / "d" / row["mask"])
        box = [int(row[f"crop_{key}"]) for key in ("top", "left", "height", "width")]
        cut = mask[box[0] : box[0] + box[2], box[1] : box[1] + box[3]]
        assert np.array_equal(pixels(review_of(folder) / row["mask_crop"]), cut)
        image = pixels(folder / f"d/images/{row['image']}.png")
        cut_image = image[box[0] : box[0] + box[2], box[1] : box[1] + box[3]]
        assert np.array_equal(pixels(review_of(folder) / row["image_crop"]), cut_image)
        suggested = pixels(review_of(folder) / row["suggested_crop"])
        predicted = pixels(review_of(folder) / row["predicted_crop"])
        changed = suggested != cut
        assert np.array_equal(suggested[changed], predicted[changed])
        assert set(suggested[changed]) == {NAMES.index(row["predicted_class"])}
        assert set(cut[changed]) == {NAMES.index(row["mask_class"])}
        assert row["mask_sha256"] == hashes(folder / "d/masks")[f"{row['image']}.png"]
    page = (review_of(folder) / "index.html").read_text("utf-8")
    assert all(row["overview"] in page for row in rows)


def links_to_a_review(folder):
    page = (folder / "runs/default/inspect/inspection.html").read_text("utf-8")
    return re.findall(r'href="([^"]*review[^"]*)"', page)


def test_the_inspection_links_to_the_review_that_it_has_made_and_to_no_older_one(folder):
    assert links_to_a_review(folder) == ["review/index.html"]
    assert (folder / "runs/default/inspect/review/index.html").is_file()
    again = run_command("task=inspect", *DATA, "augmentation=none", folder=folder)
    assert again.returncode == 0, again.stderr
    assert (folder / "runs/default/inspect/review/index.html").is_file()
    assert links_to_a_review(folder) == []


@pytest.mark.parametrize("kind", ["palette", "colour", "values"])
def test_masks_of_every_kind_come_back_as_they_were_but_for_the_correction(kind, tmp_path):
    reviewed(tmp_path, kind)
    row = rows_of(tmp_path)[0]
    corrected = pixels(correct(tmp_path, row))
    before = hashes(tmp_path / "d/masks")
    done = apply(tmp_path)
    assert done.returncode == 0, done.stderr
    assert hashes(tmp_path / "d/masks") == before
    for name in IMAGES:
        old = pixels(tmp_path / f"d/masks/{name}.png")
        new = pixels(tmp_path / f"d/masks_corrected/{name}.png")
        wanted = old.copy()
        if name == row["image"]:
            top, left = int(row["crop_top"]), int(row["crop_left"])
            wanted[top : top + corrected.shape[0], left : left + corrected.shape[1]] = corrected
            assert not np.array_equal(wanted, old)
        assert np.array_equal(new, wanted)
        assert (
            Image.open(tmp_path / f"d/masks_corrected/{name}.png").mode
            == Image.open(tmp_path / f"d/masks/{name}.png").mode
        )


def test_the_log_says_what_was_changed_and_the_new_masks_are_trained_on(folder):
    row = rows_of(folder)[0]
    correct(folder, row)
    done = apply(folder)
    assert done.returncode == 0, done.stderr
    assert "to train on them, add data.layout.masks=masks_corrected" in done.stdout + done.stderr
    log = json.loads((folder / "d/masks_corrected.json").read_text("utf-8"))
    (change,) = log["changes"]
    (region,) = change["regions"]
    old, new = pixels(folder / "d" / row["mask"]), pixels(folder / "d" / change["new_mask"])
    assert (change["sha256_before"], change["sha256_after"]) == tuple(
        sha256((folder / "d" / name).read_bytes()).hexdigest()
        for name in (change["mask"], change["new_mask"])
    )
    changed = int((old != new).sum())
    assert region["pixels"] == changed > 0
    assert region["classes"] == [
        {"from": row["mask_class"], "to": row["predicted_class"], "pixels": changed}
    ]
    assert (log["masks_changed"], log["masks_copied"]) == (1, len(IMAGES) - 1)
    more = ("data.layout.masks=masks_corrected", "run_name=again")
    again = run_command(*DATA, *TRAIN, *more, folder=folder)
    assert again.returncode == 0, again.stderr


def write_competition(folder):
    """The images as the layout kaggle has them, one of them without a mask."""
    *labelled, unlabelled = IMAGES
    for name, (image, ids) in IMAGES.items():
        save(folder / f"d/imgs/imgs/{name}.jpg", image)
        if name != unlabelled:
            save(folder / f"d/masks/masks/{name}.png", ids)
    text(folder / "d/train.csv", "ImageID", *labelled)
    text(folder / "d/test.csv", "ImageID", unlabelled)


def splits_of(folder, run):
    path = folder / f"runs/{run}/inspect/images.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return {row["image"]: row["split"] for row in csv.DictReader(file)}


def test_where_the_layout_cannot_choose_masks_the_command_that_is_printed_can(tmp_path):
    write_competition(tmp_path)
    data = ("data=kaggle", "data.root=d", "data.image_min_size=64", "data.val_fraction=0.5")
    done = run_command(*data, "data.group_pattern=null", *TRAIN, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    see_one_class(tmp_path / CHECKPOINT)
    judged = ("task=inspect", f"checkpoint={CHECKPOINT}", "task.regions=3")
    run_command(*judged, folder=tmp_path)
    row = rows_of(tmp_path)[0]
    correct(tmp_path, row)
    done = apply(tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = [each for each in done.stdout.splitlines() if "no data.layout.masks" in each]
    command = shlex.split(line.partition("type python run.py ")[2])
    assert "data.image_min_size=64" in command
    again = run_command(*command, *TRAIN, "run_name=again", folder=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    run_command(*command, "task=inspect", "augmentation=none", "run_name=again", folder=tmp_path)
    before = splits_of(tmp_path, "default")
    assert splits_of(tmp_path, "again") == before
    assert sorted(before.values()).count("test") == 1
    assert pixels(tmp_path / f"d/masks_corrected/{row['image']}.png").any()


def test_a_crop_that_an_editor_saved_in_colours_means_the_same(folder):
    row = rows_of(folder)[0]
    path = correct(folder, row)
    wanted = pixels(path)
    Image.open(path).convert("RGB").save(path)
    done = apply(folder, "task.masks=by_colours")
    assert done.returncode == 0, done.stderr
    top, left = int(row["crop_top"]), int(row["crop_left"])
    new = pixels(folder / f"d/by_colours/{row['image']}.png")
    assert np.array_equal(new[top : top + wanted.shape[0], left : left + wanted.shape[1]], wanted)
