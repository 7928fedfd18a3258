import shutil
import sys
import types

import pytest

from aerialseg.data.layouts import aeroscapes, demo, folders, kaggle
from aerialseg.errors import DataError
from helpers.tiny_data import (
    random_image,
    save,
    text,
    write_aeroscapes,
    write_folders,
    write_kaggle,
)

FRAMES = ["001_007", "NA", "003_001"]


def _problems(layout, root, cache, **arguments) -> list[str]:
    with pytest.raises(DataError) as error:
        layout(root, cache, **arguments)
    assert all("\n" not in problem for problem in error.value.problems)
    return list(error.value.problems)


def test_kaggle_lists_what_the_csv_files_name(tmp_path, cache):
    root = write_kaggle(tmp_path / "k", FRAMES, ["009_001"])
    submission = text(root / "sampleSubmission.csv", "ImageID,EncodedPixels")
    listing = kaggle(root, cache)
    assert [sample.id for sample in listing.samples] == [*FRAMES, "009_001"]
    assert [sample.split for sample in listing.samples] == [None, None, None, "test"]
    first, last = listing.samples[0], listing.samples[-1]
    assert first.image == root / "imgs/imgs/001_007.jpg"
    assert first.mask == root / "masks/masks/001_007.png"
    assert last.mask is None
    assert (first.origin, last.origin) == ("train.csv row 2", "test.csv row 2")
    assert listing.sample_submission == submission


def test_kaggle_works_without_test_images(tmp_path, cache):
    root = write_kaggle(tmp_path / "k", FRAMES)
    (root / "test.csv").unlink()
    listing = kaggle(root, cache)
    assert len(listing.samples) == 3
    assert listing.sample_submission is None


def test_kaggle_reads_a_csv_with_byte_order_mark(tmp_path, cache):
    root = write_kaggle(tmp_path / "k", FRAMES)
    rows = 'Note,ImageID\r\n"two\r\nlines",001_007\r\n,NA\r\n'
    (root / "train.csv").write_bytes(b"\xef\xbb\xbf" + rows.encode())
    assert [sample.id for sample in kaggle(root, cache).samples] == ["001_007", "NA"]


def test_kaggle_reads_the_zip_once(tmp_path, cache, monkeypatch):
    root = write_kaggle(tmp_path / "k", FRAMES, ["009_001"])
    shutil.make_archive(str(tmp_path / "round2"), "zip", root)
    first = kaggle(tmp_path / "round2.zip", cache)
    assert [sample.id for sample in first.samples] == [*FRAMES, "009_001"]
    assert all(sample.image.is_relative_to(cache / "archives") for sample in first.samples)
    monkeypatch.setattr("zipfile.ZipFile.extractall", None)
    assert kaggle(tmp_path / "round2.zip", cache) == first


def test_kaggle_finds_files_packed_with_their_folder(tmp_path, cache):
    write_kaggle(tmp_path / "packed" / "inner", FRAMES)
    shutil.make_archive(str(tmp_path / "round2"), "zip", tmp_path / "packed")
    assert len(kaggle(tmp_path / "round2.zip", cache).samples) == 3


def test_kaggle_reports_all_missing_files_at_once(tmp_path, cache):
    root = write_kaggle(tmp_path / "k", ["a", "b", "c", "d", "e"])
    (root / "imgs/imgs/a.jpg").unlink()
    for key in "bcde":
        (root / f"masks/masks/{key}.png").unlink()
    save(root / "masks/masks/z.png", random_image()[..., 0])
    assert _problems(kaggle, root, cache) == [
        f"{root}: 1 id (a) without an image; add it or drop the id",
        f"{root}: 4 images (b, c, d, ...) without a mask; add the mask or take the image out",
        f"{root}: 1 mask (z) without an image; add the image or take it out",
    ]


def test_kaggle_reports_missing_test_images(tmp_path, cache):
    root = write_kaggle(tmp_path / "k", FRAMES, ["t1", "t2"])
    (root / "imgs/imgs/t2.jpg").unlink()
    (line,) = _problems(kaggle, root, cache)
    assert line == f"{root / 'test.csv'}: 1 id (t2) without imgs/imgs/ID.jpg; add it"


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (["ImageId", "a"], "has no column 'ImageID' (columns: 'ImageId'); rename its id column"),
        ([], "has no column 'ImageID' (columns: none); rename its id column"),
        (["ImageID", "a", "b", "a"], "row 4: id 'a' is in train.csv row 2 already; drop one"),
        (["ImageID", "../a"], "row 2: id '../a' points outside the folder; correct it"),
        (["ImageID", "/etc/a"], "row 2: id '/etc/a' points outside the folder; correct it"),
        (["ImageID", "..\\a"], "row 2: id '..\\\\a' points outside the folder; correct it"),
        (["ImageID", "C:a"], "row 2: id 'C:a' points outside the folder; correct it"),
        (["ImageID,Note", "a,", ",x"], "row 3 has no id; write one or drop the row"),
        (["ImageID"], "lists nothing; wanted one id per row in the column ImageID"),
    ],
)
def test_a_bad_csv_is_one_line(tmp_path, cache, rows, wanted):
    root = write_kaggle(tmp_path / "k", ["a", "b"])
    for folder in ("imgs/imgs/a.jpg", "imgs/imgs/b.jpg", "masks/masks/a.png", "masks/masks/b.png"):
        if not rows[1:]:
            (root / folder).unlink()
    path = text(root / "train.csv", *rows)
    assert _problems(kaggle, root, cache) == [f"{path}: {wanted}"]


def test_a_csv_that_is_missing_or_not_text(tmp_path, cache):
    root = write_kaggle(tmp_path / "k", ["a"])
    (root / "train.csv").write_bytes(b"ImageID\n\xff\xfe")
    assert "train.csv: cannot be read as UTF-8 text" in _problems(kaggle, root, cache)[0]
    (root / "train.csv").unlink()
    assert "train.csv: no such file" in _problems(kaggle, root, cache)[0]


def test_an_image_cannot_be_in_train_and_test(tmp_path, cache):
    root = write_kaggle(tmp_path / "k", ["a", "b"], ["b"])
    (line,) = _problems(kaggle, root, cache)
    assert "train.csv: 1 id (b) also in test.csv" in line


def test_only_the_first_bad_rows_are_listed(tmp_path, cache):
    root = write_kaggle(tmp_path / "k", ["a"])
    text(root / "train.csv", "ImageID", *["a"] * 10)
    problems = _problems(kaggle, root, cache)
    assert len(problems) == 6
    assert problems[-1] == "and 4 more problems of this kind"


def test_aeroscapes_keeps_the_official_lists(tmp_path, cache):
    root = write_aeroscapes(tmp_path / "a", ["000001_001", "000001_002"], ["000002_001"])
    listing = aeroscapes(root, cache)
    assert [(sample.id, sample.split) for sample in listing.samples] == [
        ("000001_001", "train"),
        ("000001_002", "train"),
        ("000002_001", "val"),
    ]
    assert listing.samples[2].origin == "val.txt line 1"


def test_aeroscapes_names_what_is_wrong(tmp_path, cache):
    root = write_aeroscapes(tmp_path / "a", ["a", "b"], ["c"])
    text(root / "ImageSets/val.txt", "c", "", "b")
    assert "trn.txt: 1 id (b) also in val.txt" in _problems(aeroscapes, root, cache)[0]
    (root / "ImageSets/val.txt").unlink()
    assert "val.txt: no such file" in _problems(aeroscapes, root, cache)[0]


def test_folders_pair_by_name_at_any_depth(tmp_path, cache):
    root = write_folders(tmp_path / "f", ["b", "site/a"])
    save(root / "unseen" / "x.PNG", random_image())
    text(root / "images" / "notes.txt", "no image")
    save(root / "images" / "._b.jpg", random_image())  # as created by macOS
    listing = folders(root, cache, test_images="unseen")
    assert [(sample.id, sample.split) for sample in listing.samples] == [
        ("b", None),
        ("site/a", None),
        ("x", "test"),
    ]
    assert listing.samples[1].mask == root / "masks/site/a.png"


def test_folders_report_unpaired_duplicate_and_missing_files(tmp_path, cache):
    root = write_folders(tmp_path / "f", ["a", "b", "c"])
    (root / "masks/a.png").unlink()
    (root / "images/b.jpg").unlink()
    assert _problems(folders, root, cache) == [
        f"{root}: 1 image (a) without a mask; add the mask or take the image out",
        f"{root}: 1 mask (b) without an image; add the image or take it out",
    ]
    save(root / "images/c.png", random_image())
    (line,) = _problems(folders, root, cache)
    assert line == f"{root / 'images'}: more than one file for 1 id (c); keep one of each"
    (line,) = _problems(folders, root, cache, images="photos")
    assert line.endswith(
        "photos: no such folder; make it, or name yours: data.layout.images=FOLDER; "
        "there: images, masks"
    )


def test_a_name_that_would_break_a_line_is_refused(tmp_path, cache):
    root = write_folders(tmp_path / "f", ["a\nb"])
    (line,) = _problems(folders, root, cache)
    assert line == f"{root / 'images'}: 1 name ('a\\nb') that cannot be printed; rename it"


def test_ids_like_formulas_are_kept_as_text(tmp_path, cache):
    ids = ["=1+1", "+a", "-33.86_151.2", "@x", "NA", "007"]
    root = write_kaggle(tmp_path / "k", ids)
    assert [sample.id for sample in kaggle(root, cache).samples] == ids


def test_folders_without_images(tmp_path, cache):
    (tmp_path / "f/images").mkdir(parents=True)
    (tmp_path / "f/masks").mkdir()
    (line,) = _problems(folders, tmp_path / "f", cache)
    assert "images: lists nothing; wanted images" in line


@pytest.mark.parametrize(
    ("layout", "advice"),
    [
        (kaggle, "Kaggle community competition"),
        (aeroscapes, "github.com/ishann/aeroscapes"),
        (folders, "docs/datasets.md"),
    ],
)
def test_a_missing_root_says_how_to_get_the_data(tmp_path, cache, layout, advice):
    (line,) = _problems(layout, tmp_path / "nowhere", cache)
    assert line.startswith(f"{tmp_path / 'nowhere'}: no such folder; ")
    assert advice in line
    assert "data.root=PATH" in line


def test_a_root_of_another_data_set_says_how_to_get_this_one(tmp_path, cache):
    root = write_folders(tmp_path / "f", ["a"])
    assert "Kaggle" in _problems(kaggle, root, cache)[0]
    assert "JPEGImages: no such folder" in _problems(aeroscapes, root, cache)[0]


def test_demo_draws_its_scenes_in_the_kaggle_layout(tmp_path, cache, monkeypatch):
    calls = []

    def write_scenes(root, *, count, test_count, size, seed):
        calls.append((count, test_count, size, seed))
        write_kaggle(root, ["s1_1", "s1_2", "s2_1"], ["s3_1"])

    scenes = types.ModuleType("aerialseg.scenes")
    monkeypatch.setattr(scenes, "write_scenes", write_scenes, raising=False)
    monkeypatch.setitem(sys.modules, "aerialseg.scenes", scenes)
    listing = demo(tmp_path / "d", cache, count=3, test_count=1, size=[24, 32], seed=4)
    assert calls == [(3, 1, (24, 32), 4)]
    assert [sample.split for sample in listing.samples] == [None, None, None, "test"]


def test_one_folder_too_deep_names_the_one_above(tmp_path):
    root = write_folders(tmp_path / "field", ["a", "b"])
    for name in ("images", "masks"):
        with pytest.raises(DataError) as error:
            folders(root / name, tmp_path)
        assert str(error.value) == (
            f"{root / name / 'images'}: no such folder; {root} has images and masks: set "
            f"data.root={root}"
        )
