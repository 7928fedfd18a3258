"""Suffixes in upper case, as cameras write them, in every layout and in lists."""

import pytest

from aerialseg.data.layouts import aeroscapes, folders, kaggle
from aerialseg.errors import DataError
from helpers.tiny_data import text, write_aeroscapes, write_folders, write_kaggle


def with_upper_case(folder):
    """The same files with upper-case suffixes."""
    for path in [path for path in folder.rglob("*") if path.suffix in (".jpg", ".png")]:
        path.rename(path.with_suffix(path.suffix.upper()))
    return folder


WRITERS = {
    "folders": (folders, lambda root: write_folders(root, ["a", "b", "c"])),
    "kaggle": (kaggle, lambda root: write_kaggle(root, ["a", "b"], ["c"])),
    "aeroscapes": (aeroscapes, lambda root: write_aeroscapes(root, ["a", "b"], ["c"])),
}


@pytest.mark.parametrize("name", WRITERS)
def test_suffixes_may_be_in_upper_case(tmp_path, cache, name):
    layout, write = WRITERS[name]
    samples = layout(with_upper_case(write(tmp_path / "d")), cache).samples
    assert [sample.id for sample in samples] == ["a", "b", "c"]
    assert {sample.image.suffix for sample in samples} == {".JPG"}
    assert {sample.mask.suffix for sample in samples if sample.mask} == {".PNG"}


@pytest.mark.parametrize("suffix", [".jpg", ".JPG"])
@pytest.mark.parametrize("upper", [False, True])
def test_lists_may_have_suffixes_in_either_case(tmp_path, cache, suffix, upper):
    change = with_upper_case if upper else lambda root: root
    root = change(write_folders(tmp_path / "f", ["a", "b"]))
    text(root / "S.CSV", "image,split", f"a{suffix},train", f"b{suffix},val")
    assert [(s.id, s.split) for s in folders(root, cache, split="S.CSV").samples] == [
        ("a", "train"),
        ("b", "val"),
    ]
    root = change(write_aeroscapes(tmp_path / "a", ["a", "c"], ["b"]))
    text(root / "ImageSets/trn.txt", f"a{suffix}", "c")
    samples = aeroscapes(root, cache).samples
    assert [(s.id, s.image.stem, s.mask.stem) for s in samples] == [
        (f"a{suffix}", "a", "a"),
        ("c", "c", "c"),
        ("b", "b", "b"),
    ]
    root = change(write_kaggle(tmp_path / "k", ["a", "b"], ["c"]))
    text(root / "train.csv", "ImageID", f"a{suffix}", f"b{suffix}")
    text(root / "test.csv", "ImageID", f"c{suffix}")
    samples = kaggle(root, cache).samples
    # Ids stay as they are listed, as a submission must repeat them.
    assert [s.id for s in samples] == [f"{name}{suffix}" for name in "abc"]
    assert [s.image.stem for s in samples] == ["a", "b", "c"]


def test_a_name_that_is_listed_with_and_without_its_suffix_is_not_two_images(tmp_path, cache):
    root = write_aeroscapes(tmp_path / "a", ["a", "c"], ["b"])
    text(root / "ImageSets/val.txt", "b", "a.JPG")
    with pytest.raises(DataError, match=r"1 id \(a\) without an image"):
        aeroscapes(root, cache)


def test_one_name_in_both_cases_is_two_files_for_one_id(tmp_path, cache):
    root = write_folders(tmp_path / "f", ["a", "b"])
    (root / "images/b.jpg").rename(root / "images/a.JPG")
    if (root / "images/a.jpg").samefile(root / "images/a.JPG"):
        pytest.skip("this disk ignores case")
    with pytest.raises(DataError, match=r"images: more than one file for 1 id \(a\); keep one"):
        folders(root, cache)


def test_an_id_in_another_case_is_named_with_the_one_that_is_there(tmp_path, cache):
    root = write_folders(tmp_path / "f", ["img_1", "b"])
    text(root / "s.csv", "image,split", "IMG_1.JPG,train", "b.jpg,val")
    with pytest.raises(DataError) as error:
        folders(root, cache, split="s.csv")
    assert error.value.problems[0] == (
        f"{root}: 1 id (IMG_1) without an image; 'IMG_1' and 'img_1' differ in upper and lower "
        "case; add it or drop the id"
    )
