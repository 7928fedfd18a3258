"""Which images are meant, and what their masks are called."""

import logging
from pathlib import Path

import pytest

from aerialseg.errors import DataError
from aerialseg.inference import inputs
from helpers.tiny_data import image_file


def find_images(source, output_dir="predictions"):
    return inputs.find_images(source, output_dir=output_dir)


def line_of(call, *arguments):
    with pytest.raises(DataError) as error:
        call(*arguments)
    (line,) = error.value.problems
    return line


def test_one_image(tmp_path):
    path = image_file(tmp_path / "deep" / "a.b.png")
    assert find_images(str(path)) == {path: "a.b"}


def test_a_folder_is_searched_recursively_and_its_structure_kept(tmp_path):
    paths = [image_file(tmp_path / name) for name in ("b.JPG", "a.png", "x/a.png", "x/y/c.tif")]
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "looks_like.png").mkdir()
    found = find_images(str(tmp_path))
    assert found == dict(zip(paths, ["b", "a", "x/a", "x/y/c"], strict=True))
    assert list(found) == sorted(paths)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.png", ["a", "b"]),
        ("?.png", ["a", "b"]),
        ("**/*.png", ["a", "b", "x/c"]),
        ("x/*", ["c"]),
        ("[ab].*", ["a", "b"]),
    ],
)
def test_a_glob_finds_what_a_shell_would(tmp_path, pattern, names):
    for name in ("a.png", "b.png", "x/c.png"):
        image_file(tmp_path / name)
    assert list(find_images(str(tmp_path / pattern)).values()) == names


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path):
    path = image_file(tmp_path / "a[1].png")
    image_file(tmp_path / "a1.png")
    assert find_images(str(path)) == {path: "a[1]"}


def test_relative_paths_and_the_home_folder(tmp_path, monkeypatch):
    image_file(tmp_path / "in" / "a.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_images("in") == {Path("in/a.png"): "a"}
    assert find_images("in/*.png") == {Path("in/a.png"): "a"}
    assert find_images("~/in") == {tmp_path / "in/a.png": "a"}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("missing.png", "does not exist"),
        ("missing/*.png", "matches no file"),
        ("empty", "holds no image"),
        ("empty/*.png", "matches no file"),
    ],
)
def test_nothing_found_says_what_was_looked_for(tmp_path, source, reason):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".gitkeep").write_text("")
    line = line_of(find_images, str(tmp_path / source))
    assert line == (
        f"input: {tmp_path / source} {reason}; wanted an image, a folder of images "
        "(.bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp) or a quoted glob of images"
    )


def test_two_images_that_would_write_the_same_masks_are_refused(tmp_path):
    first, second = image_file(tmp_path / "x/a.jpg"), image_file(tmp_path / "x/a.png")
    image_file(tmp_path / "a.png")
    assert line_of(find_images, str(tmp_path)) == (
        f"input: {first} and {second} would both write x/a_index.png; rename one of them"
    )


def test_names_in_two_cases_are_one_where_the_masks_are_written(tmp_path):
    first, second = image_file(tmp_path / "in/A.jpg"), image_file(tmp_path / "in/a.JPG")
    if first.samefile(second):
        pytest.skip("this disk ignores case")
    assert find_images(str(tmp_path / "in"), tmp_path / "out" / "x") == {first: "A", second: "a"}
    (tmp_path / "out").mkdir()
    (tmp_path / "OUT").symlink_to("out")  # as if the disk ignored case
    assert line_of(find_images, str(tmp_path / "in"), tmp_path / "out" / "x") == (
        f"input: {first} and {second} would both write a_index.png; rename one of them"
    )


@pytest.mark.parametrize("name", ["a.JPG", "a.PNG", "a.TIF", "a.gif"])
def test_suffixes_in_either_case_are_images(tmp_path, name):
    path = image_file(tmp_path / name)
    assert find_images(str(tmp_path)) == find_images(str(path)) == {path: "a"}


def test_no_glob_names_masks_outside_their_folder(tmp_path, monkeypatch):
    for name in ("in/x.png", "in/a/y.png", "in/b/c/d/w.png", "z.png"):
        image_file(tmp_path / name)
    monkeypatch.chdir(tmp_path / "in")
    assert list(find_images("*/../../*.png").values()) == ["z"]
    # One pattern with files inside and outside the working directory.
    assert sorted(find_images("**/../*.png").values()) == ["in/x", "z"]


def test_hidden_files_and_folders_of_file_managers_are_skipped(tmp_path):
    path = image_file(tmp_path / ".runs" / "a.jpg")
    tmp_path = path.parent
    image_file(tmp_path / ".thumbnails" / "a.jpg")
    (tmp_path / "._a.jpg").write_bytes(b"resource fork")
    assert find_images(str(tmp_path)) == {path: "a"}


def test_earlier_results_are_no_input(tmp_path, caplog):
    path = image_file(tmp_path / "a.png")
    image_file(tmp_path / "out" / "a_index.png")
    with caplog.at_level(logging.WARNING):
        assert find_images(str(tmp_path), tmp_path / "out") == {path: "a"}
    assert f"1 image in {tmp_path / 'out'}, where the masks are written, left out" in caplog.text


def test_images_in_a_folder_below_that_of_the_results_are_input(tmp_path):
    path = image_file(tmp_path / "in" / "a.png")
    assert find_images(str(tmp_path / "in"), tmp_path) == {path: "a"}
    assert find_images(str(path), tmp_path / "in") == {path: "a"}


def test_masks_beside_images_are_warned_of(tmp_path, caplog):
    for name in ("images/a.png", "images/b.png", "masks/a.png"):
        image_file(tmp_path / name)
    with caplog.at_level(logging.WARNING):
        assert len(find_images(str(tmp_path))) == 3
    assert "1 of 3 images are in folders named masks" in caplog.text
    assert f"input={tmp_path / 'images'}" in caplog.text
