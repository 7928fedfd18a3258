import unicodedata
from pathlib import Path

import pytest

from aerialseg.data.annotations.findings import Findings
from aerialseg.data.annotations.image_files import locate_images, names_of
from aerialseg.data.annotations.shapes import AnnotatedImage, Annotations
from aerialseg.errors import DataError
from helpers.tiny_data import text


def touch(root, *names):
    for name in names:
        text(root / name)


def located(root, *names, folder=None, format="COCO", file="c.json", source=None, findings=None):
    images = tuple(AnnotatedImage(name, root / file, None, ()) for name in names)
    annotations = Annotations(format, {}, images)
    found = locate_images(annotations, source or root, folder, findings or Findings())
    return [Path(path).resolve().relative_to(root.resolve()).as_posix() for path in found]


def problems_of(call, *arguments, **options):
    with pytest.raises(DataError) as error:
        call(*arguments, **options)
    return list(error.value.problems)


@pytest.mark.parametrize(
    ("file", "name", "options", "there"),
    [
        ("c.json", "a.jpg", {}, "a.jpg"),
        ("c.json", "north/a.jpg", {}, "north/a.jpg"),
        ("c.json", "a.jpg", {}, "images/a.jpg"),
        ("annotations/c.json", "a.jpg", {}, "images/a.jpg"),
        ("annotations/c.json", "a.jpg", {}, "train2017/a.jpg"),  # the root was given
        ("annotations/c.json", "a.jpg", {"source": "annotations/c.json"}, "images/a.jpg"),
        ("labels/a.json", "../photos/a.jpg", {"format": "LabelMe"}, "photos/a.jpg"),
        ("labels/a.json", "a.jpg", {"format": "LabelMe"}, "photos/a.jpg"),
        ("c.json", "/data/upload/1/a.jpg", {}, "images/a.jpg"),
        ("c.json", "C:/flights/north/a.jpg", {}, "north/a.jpg"),
        ("c.xml", "train/a.jpg", {"format": "CVAT"}, "images/train/a.jpg"),
        ("c.json", "a.jpg", {"folder": "photos"}, "photos/a.jpg"),
        ("c.json", "north/a.jpg", {"folder": "photos"}, "photos/north/a.jpg"),
        ("c.json", "a.jpg", {"folder": "photos"}, "photos/deep/a.jpg"),
    ],
)
def test_where_images_are_found(tmp_path, file, name, options, there):
    touch(tmp_path, there, file)
    paths = {key: tmp_path / options[key] for key in ("folder", "source") if key in options}
    assert located(tmp_path, name, file=file, **(options | paths)) == [there]


def test_of_several_files_the_one_in_the_named_folder_is_taken(tmp_path):
    touch(tmp_path, "x/north/a.jpg", "x/south/a.jpg")
    names = ["D:/job/south/a.jpg", "D:/job/north/a.jpg"]
    assert located(tmp_path, *names) == ["x/south/a.jpg", "x/north/a.jpg"]


def test_what_was_found_by_its_name_alone_is_said(tmp_path):
    touch(tmp_path, "images/a.jpg", "images/b.jpg", "images/c.jpg")
    findings = Findings()
    located(tmp_path, "/data/1/a.jpg", "b.jpg", findings=findings)
    assert list(findings.lines()) == [
        "images found by their file name, not in the folder that the annotations name: 1 case "
        "(/data/1/a.jpg)",
        "images without annotations, left out: 1 case (c.jpg)",
    ]


def test_a_name_that_every_flight_has_is_not_enough(tmp_path):
    touch(tmp_path, "images/DJI_0001.jpg")
    (line,) = problems_of(located, tmp_path, "north/DJI_0001.jpg", "south/DJI_0001.jpg")
    assert line.startswith("2 images (north/DJI_0001.jpg, south/DJI_0001.jpg) not found in ")
    assert line.endswith("; give the folder of the images: task.images=FOLDER")


def test_missing_and_ambiguous_images_are_said_at_once(tmp_path):
    touch(tmp_path, "a.jpg", "images/a.jpg", "x/b.jpg", "y/b.jpg")
    several, other, missing = problems_of(located, tmp_path, "a.jpg", "b.jpg", "c.jpg")
    assert "a.jpg could be " in several
    assert " or " in several
    assert "b.jpg could be " in other
    assert missing.startswith("1 image (c.jpg) not found in ")


def test_hidden_files_are_no_images(tmp_path):
    touch(tmp_path, ".thumbs/a.jpg", "x/._a.jpg", "x/a.txt")
    assert "1 image (a.jpg) not found" in problems_of(located, tmp_path, "a.jpg")[0]


def test_an_image_that_is_described_twice(tmp_path):
    touch(tmp_path, "a.jpg")
    (line,) = problems_of(located, tmp_path, "a.jpg", "./a.jpg")
    assert "a.jpg: is described by " in line


def test_names_begin_below_the_folder_that_all_share(tmp_path):
    paths = [tmp_path / name for name in ("x/a.jpg", "x/north/b.png", "x/north/../c.JPG")]
    assert names_of(paths) == ["a.jpg", "north/b.png", "c.JPG"]
    assert names_of([tmp_path / "x/a.jpg"]) == ["a.jpg"]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["a.jpg", "a.png"], "a.jpg and a.png would have one mask (on some systems); rename one"),
        (["a.jpg", "A.jpg"], "a.jpg and A.jpg would have one mask (on some systems); rename one"),
        (["a.jpg", ".b.jpg"], "'.b.jpg' is hidden or cannot be printed; rename it"),
        (["a.jpg", "b\u202e.jpg"], "is hidden or cannot be printed; rename it"),
        (["a.jpg", "b.jfif"], "the name b.jfif does not end in .bmp, .gif, .jpeg, .jpg, .png, "),
    ],
)
def test_names_that_the_data_set_could_not_have(tmp_path, names, wanted):
    (line,) = problems_of(names_of, [tmp_path / name for name in names])
    assert line.startswith(f"{tmp_path}: ")
    assert wanted in line


@pytest.mark.parametrize(("stored", "named"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_accents_may_be_stored_in_another_form(tmp_path, stored, named):
    there = [unicodedata.normalize(stored, name) for name in ("x/süd/été.jpg", "x/nord/été.jpg")]
    touch(tmp_path, *there)
    names = [unicodedata.normalize(named, name) for name in ("süd/été.jpg", "nord/été.jpg")]
    assert located(tmp_path, *names) == there
