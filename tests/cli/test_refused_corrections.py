"""Corrections that do not fit their review: one line each, and nothing is written."""

from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from helpers.commands import run_command
from helpers.label_reviews import (
    CHECKPOINT,
    DATA,
    apply,
    copied,
    correct,
    pixels,
    review_of,
    reviewed,
    rows_of,
)
from helpers.tiny_data import save


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return reviewed(tmp_path_factory.mktemp("labels"), "index")


@pytest.fixture
def folder(template, tmp_path):
    return copied(template, tmp_path / "w")


def nothing_to_apply(folder, rows):
    return "corrected: holds no corrected mask; copy crops from "


def as_it_was(folder, rows):
    correct(folder, rows[0], "mask")
    return "corrected: says what the masks say, so nothing would change"


def another_mask(folder, rows):
    correct(folder, rows[0])
    path = folder / "d" / rows[0]["mask"]
    save(path, 1 - np.minimum(pixels(path), 1))
    return f"{path}: has changed since the review (sha256 "


def no_mask(folder, rows):
    correct(folder, rows[0])
    (folder / "d" / rows[0]["mask"]).unlink()
    return "is not there any more; inspect again"


def another_size(folder, rows):
    path = correct(folder, rows[0])
    save(path, pixels(path)[:-1])
    width, height = rows[0]["crop_width"], int(rows[0]["crop_height"])
    return f"is {width}x{height - 1} pixels, and the crop of the mask {width}x{height}; edit that"


def another_class(folder, rows):
    path = correct(folder, rows[0])
    save(path, np.full_like(pixels(path), 9))
    return f"{path.name}: id 9 ("


def another_kind(folder, rows):
    path = correct(folder, rows[0])
    save(path, np.full((*pixels(path).shape, 3), (1, 2, 3), np.uint8))
    return f"{path.name}: has the colour #010203 ("


def no_image(folder, rows):
    correct(folder, rows[0]).write_text("what?")
    return "corrected/"


def another_palette(folder, rows):
    path = correct(folder, rows[0])
    image = Image.open(path)
    image.putpalette([(7 * value) % 256 for value in range(768)])
    image.save(path)
    return "its palette gives value "


def another_name(folder, rows):
    path = correct(folder, rows[0])
    path.rename(path.with_name(f"{path.stem}_done.png"))
    return "_done.png: is not the name of a crop in runs/default/inspect/review/masks; did you"


def masks_are_there(folder, rows):
    correct(folder, rows[0])
    (folder / "d/masks_corrected").mkdir()
    return "task.masks: {root}/masks_corrected is there already; choose another name with"


def no_record(folder, rows):
    (review_of(folder) / "review.json").unlink()
    return "task.review: runs/default/inspect/review holds no review.json; give the folder that"


def damaged_record(folder, rows):
    (review_of(folder) / "review.json").write_text('{"format": 1}', "utf-8")
    return "review.json: is damaged: "


def no_data(folder, rows):
    correct(folder, rows[0])
    (folder / "d").rename(folder / "moved")
    return "which is not there any more; put it back"


FAULTS = (
    *(nothing_to_apply, as_it_was, another_mask, no_mask, another_size, another_class),
    *(another_kind, no_image, another_palette, another_name, masks_are_there),
    *(no_record, damaged_record, no_data),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_what_does_not_fit_is_one_line_and_nothing_is_written(fault, folder):
    wanted = fault(folder, rows_of(folder)).format(root=folder / "d")
    there = {path for path in folder.rglob("*") if "cache" not in path.parts}
    done = apply(folder)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("data error: ")
    assert wanted in line
    assert {path for path in folder.rglob("*") if "cache" not in path.parts} == there


def test_crops_that_contradict_each_other_are_refused(folder):
    pairs = combinations(rows_of(folder), 2)
    pair = next(p for p in pairs if p[0]["image"] == p[1]["image"] and both_change(folder, *p))
    for each, index in zip(pair, (1, 2), strict=True):
        path = correct(folder, each)
        save(path, np.full_like(pixels(path), index))
    done = apply(folder)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert f"another class than {pair[0]['corrected_crop'].split('/')[1]} does" in line


def both_change(folder, one, other):
    """Whether both crops change a common pixel, counted on an empty sheet."""
    mask = pixels(folder / "d" / one["mask"])
    sheets = []
    for row, index in ((one, 1), (other, 2)):
        sheet = np.zeros(mask.shape, bool)
        top, left = int(row["crop_top"]), int(row["crop_left"])
        sheet[top : top + int(row["crop_height"]), left : left + int(row["crop_width"])] = True
        sheets.append(sheet & (mask != index))
    return bool((sheets[0] & sheets[1]).any())


def test_corrections_are_never_lost_to_a_new_review(folder):
    path = correct(folder, rows_of(folder)[0])
    done = run_command("task=inspect", f"checkpoint={CHECKPOINT}", folder=folder)
    assert done.returncode == 1
    assert "holds corrected masks, which a new review would remove" in done.stderr
    assert path.is_file()


def test_what_inspect_cannot_judge_by_is_said_before_anything_is_read(folder):
    done = run_command("task=inspect", *DATA, "checkpoint=[a.ckpt,b.ckpt]", folder=folder)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "config error: checkpoint: a.ckpt does not exist; check the path",
        "config error: checkpoint: b.ckpt does not exist; check the path",
    ]
    done = run_command("task=extract_backbone", f"checkpoint=[{CHECKPOINT}]", folder=folder)
    assert done.returncode == 1
    assert (
        "config error: checkpoint: is a list; task=extract_backbone reads one checkpoint"
        in done.stderr
    )
    merged = ("data.map_classes={roof: building, pool: building}", "run_name=merged")
    done = run_command("task=inspect", *DATA, *merged, f"checkpoint={CHECKPOINT}", folder=folder)
    assert done.returncode == 1
    assert "data.map_classes: makes one class of roof and pool" in done.stderr
