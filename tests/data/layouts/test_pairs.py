import sys

import pytest

from aerialseg.data.layouts import pairs
from aerialseg.data.layouts.path_patterns import PathPattern
from aerialseg.errors import ConfigError, DataError
from helpers.tiny_data import random_image, save, text

IMAGES, MASKS = "{part}/src/{name}", "{part}/gt/{name}_lab"
PARTS = {"train": "train", "val": "val", "test": "test"}
SOURCE = "https://example.org"
ADVICE = (
    f"get the data set from {SOURCE} and give its folder: data.root=PATH "
    "(docs/public_data.md shows the folders)"
)


def files(root, *paths):
    for path in paths:
        save(root / path, random_image((4, 5)))
    return root


def tree(root, *, test_masks=True):
    paths = ["train/src/a.JPG", "train/src/b.jpeg", "val/src/c.tif", "test/src/d.png"]
    paths += ["train/gt/a_lab.png", "train/gt/b_lab.png", "val/gt/c_lab.png"]
    return files(root, *paths, *(["test/gt/d_lab.png"] if test_masks else []))


def listed(root, cache, **arguments):
    given = {"images": IMAGES, "masks": MASKS, "source": SOURCE, "parts": PARTS, **arguments}
    return pairs(root, cache, **given).samples


def problems(root, cache, **arguments):
    with pytest.raises((DataError, ConfigError)) as error:
        listed(root, cache, **arguments)
    assert all("\n" not in line for line in error.value.problems)
    return list(error.value.problems)


def test_ids_are_what_the_placeholders_stand_for(tmp_path, cache, caplog):
    caplog.set_level("INFO")
    root = tree(tmp_path)
    samples = {sample.id: sample for sample in listed(root, cache)}
    assert {key: sample.split for key, sample in samples.items()} == {
        "test/d": "test",
        "train/a": "train",
        "train/b": "train",
        "val/c": "val",
    }
    assert samples["train/a"].image == root / "train/src/a.JPG"
    assert samples["train/a"].mask == root / "train/gt/a_lab.png"
    assert caplog.messages == [f"{root}: official split by folders: train 2, val 1, test 1"]


def test_masks_of_the_test_split_are_all_there_or_none(tmp_path, cache):
    root = tree(tmp_path, test_masks=False)
    assert [s.mask for s in listed(root, cache) if s.split == "test"] == [None]
    files(root, "test/src/e.png", "test/gt/e_lab.png")
    assert problems(root, cache) == [
        f"{root}: 1 image (test/d) without a mask; add the mask or take the image out"
    ]


def test_unpaired_files_are_all_reported_at_once(tmp_path, cache):
    root = tree(tmp_path)
    (root / "train/gt/a_lab.png").unlink()
    (root / "val/src/c.tif").unlink()
    files(root, "val/src/x.png", "val/gt/x_lab.png")
    assert problems(root, cache) == [
        f"{root}: 1 image (train/a) without a mask; add the mask or take the image out",
        f"{root}: 1 mask (val/c) without an image; add the image or take it out",
    ]


def test_what_is_left_out_need_not_be_paired(tmp_path, cache, caplog):
    caplog.set_level("INFO")
    root = tree(tmp_path)
    (root / "train/gt/a_lab.png").unlink()
    assert "train/a" not in {s.id for s in listed(root, cache, leave_out=["train/a", "train/z"])}
    assert f"{root}: 1 image (train/a) left out by data.layout.leave_out" in caplog.messages


def test_a_part_that_is_absent_is_named_with_its_folder(tmp_path, cache):
    root = tree(tmp_path)
    for kind in ("src/c.tif", "gt/c_lab.png"):
        (root / "val" / kind).unlink()
    assert problems(root, cache) == [f"{root}: has no images of val (val); {ADVICE}"]


def test_a_root_a_level_too_high_or_too_low_is_named(tmp_path, cache):
    root = tree(tmp_path / "set")
    wanted = f"at {IMAGES}, where {{part}} is train or val or test"
    for wrong in (tmp_path, root / "train"):
        (line,) = problems(wrong, cache)
        assert line == f"{wrong}: has no images {wanted}; {root} has: set data.root={root}"
    (tmp_path / "empty/inner").mkdir(parents=True)
    (line,) = problems(tmp_path / "empty/inner", cache)
    assert line == f"{tmp_path / 'empty/inner'}: has no images {wanted}; {ADVICE}"


def test_a_root_that_is_absent_says_where_to_get_it(tmp_path, cache):
    assert problems(tmp_path / "x", cache) == [f"{tmp_path / 'x'}: no such folder; {ADVICE}"]


def test_masks_and_other_files_in_the_folder_of_images_are_no_images(tmp_path, cache):
    names = ["p1", "p1_colour", "p1_number", "p2", "p2_colour"]
    root = files(tmp_path, *(f"all/{name}.png" for name in names))
    found = listed(
        *(root, cache),
        **{"images": "all/{name}", "masks": "all/{name}_colour", "parts": None},
        others=["all/{name}_number"],
    )
    assert [(s.id, s.split) for s in found] == [("p1", None), ("p2", None)]


def test_lists_are_the_split_and_what_is_in_none_is_named(tmp_path, cache, caplog):
    root = files(tmp_path, *(f"{kind}/{key}.png" for kind in ("i", "m") for key in "abc"))
    files(root, "m/z.png")
    text(root / "train.txt", "a")
    text(root / "val.txt", "b.png")
    lists = {"train": "train.txt", "val": "val.txt"}
    given = {"images": "i/{name}", "masks": "m/{name}", "parts": None}
    found = listed(root, cache, **given, split=lists)
    assert [(s.id, s.split, s.origin) for s in found] == [
        ("a", "train", "train.txt line 1"),
        ("b", "val", "val.txt line 1"),
    ]
    (line,) = [m for m in caplog.messages if "not used" in m]
    assert (
        line == f"{root}: some of it is not used: in no list of the data set: 2 (i/c.png, m/z.png)"
    )
    (root / "i/b.png").unlink()
    assert problems(root, cache, **given, split=lists) == [
        f"{root}: 1 id (b) without an image; add it or drop the id"
    ]


def test_the_first_pattern_that_fits_counts(tmp_path, cache):
    root = files(tmp_path, "new/a.png", "new/b.png", "old/c.png", "m/a.png", "m/b.png")
    found = listed(
        *(root, cache),
        **{"images": ["none/{name}", "new/{name}", "old/{name}"], "masks": "m/{name}"},
        parts=None,
    )
    assert [sample.id for sample in found] == ["a", "b"]


def test_two_files_of_one_id(tmp_path, cache):
    root = files(tree(tmp_path), "train/src/a.png")
    assert problems(root, cache) == [
        f"{root}: more than one file for 1 id (train/a); keep one of each"
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_links_are_followed_and_a_folder_of_two_names_counts_once(tmp_path, cache):
    tree(tmp_path / "elsewhere")
    root = tmp_path / "set"
    root.mkdir()
    for part in PARTS:
        (root / part).symlink_to(tmp_path / "elsewhere" / part)
    (root / "training").symlink_to(root / "train")
    found = listed(root, cache, parts={**PARTS, "training": "train"})
    assert [s.id for s in found] == ["test/d", "train/a", "train/b", "val/c"]


def test_what_is_not_used_is_named_and_hidden_files_are_passed_over(tmp_path, cache, caplog):
    root = files(tree(tmp_path), "train/src/.hidden.png", "old/src/q.png", "old/gt/q_lab.png")
    text(root / "train/src/notes.txt", "x")
    files(root, "train/gt/a.png", "train/src/folder.png/deep.png")
    assert len(listed(root, cache)) == 4
    assert caplog.messages == [
        f"{root}: some of it is not used: fits no pattern: 1 (train/gt/a.png); suffix .txt: 1 "
        "(train/src/notes.txt)"
    ]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (
            {"masks": "{part}/gt/{id}"},
            f"data.layout: '{{part}}/gt/{{id}}' has not the placeholders of '{IMAGES}'; images and "
            "masks are paired by them, so use the same",
        ),
        (
            {"images": "train/src/a", "masks": "train/gt/a"},
            "data.layout: 'train/src/a' is no pattern of paths; write folders below the root and "
            "last the name of a file without its suffix, as in images/{name}",
        ),
        ({"images": "/data/{name}"}, "data.layout: '/data/{name}' is no pattern of paths; "),
        ({"images": "../{name}"}, "data.layout: '../{name}' is no pattern of paths; "),
        ({"images": "{name}/{"}, "data.layout: '{name}/{' has a brace that belongs to no "),
        ({"images": []}, "data.layout: images and masks each need a pattern, as in images/{name}"),
        (
            {"split": "postdam"},
            "data.layout.split: there is no published split 'postdam'; did you mean 'potsdam'?",
        ),
        (
            {"parts": {"train": "train"}, "images": "i/{name}", "masks": "m/{name}"},
            "data.layout.parts: says what {part} stands for, but 'i/{name}' has no {part}; put it "
            "in the place of the folder's name, or set parts to null",
        ),
    ],
)
def test_bad_settings_are_one_line(tmp_path, cache, arguments, wanted):
    (line,) = problems(tree(tmp_path), cache, **arguments)
    assert line.startswith(wanted)


def test_a_placeholder_that_occurs_again_stands_for_the_same(tmp_path):
    files(tmp_path, "a/a-img/1.png", "a/b-img/2.png", "b/b-img/b.png", "x_x.png", "x_y.png")
    found = PathPattern("{part}/{part}-img/{name}").files(tmp_path)
    assert [dict(match.values) for match in found] == [
        {"part": "a", "name": "1"},
        {"part": "b", "name": "b"},
    ]
    (match,) = PathPattern("{name}_{name}").files(tmp_path)
    assert match.path == tmp_path / "x_x.png"
