import errno
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.data.annotations import conversion
from aerialseg.data.annotations.conversion import convert
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading import read_mask
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts import folders
from aerialseg.errors import DataError
from aerialseg.stopping import Stopped
from helpers.annotations import SQUARE, coco, cvat, flat, images, labelme, wishes

BOX = [[9, 0], [12, 0], [12, 2], [9, 2]]
"""6 pixels."""


def refused(*arguments, **changes):
    with pytest.raises(DataError) as error:
        convert(*arguments, wishes(**changes))
    return "\n".join(error.value.problems)


@pytest.fixture
def source(tmp_path):
    """Two labelled images, and one without shapes."""
    images(tmp_path / "in/images", "a.png", "north/b.jpg", "c.png")
    shapes = [(0, 1, [flat(SQUARE)]), (1, 2, [flat(BOX)])]
    names = ["a.png", "north/b.jpg", "c.png"]
    coco(tmp_path / "in/c.json", names=names, shapes=shapes, labels=["roof", "car"])
    return tmp_path / "in"


def test_the_folder_is_a_data_set(tmp_path, source):
    out = tmp_path / "out"
    done = convert(source, out, wishes())
    listing = folders(out, tmp_path)
    assert [sample.id for sample in listing.samples] == ["a", "north/b"]
    classes = ClassTable.read(out / "classes.yaml")
    assert classes == done.table.classes
    assert classes.names == ("background", "roof", "car")
    encoding = MaskEncoding(classes, "index")
    a, b = (read_mask(sample.mask, Reading(encoding)) for sample in listing.samples)
    wanted = np.zeros((12, 16), dtype=np.uint8)
    wanted[3:9, 2:7] = 1
    assert (a == wanted).all()
    assert (b == 2).sum() == 6
    assert done.counts.tolist() == [[162, 30, 0], [186, 0, 6]]
    assert (done.pixels, done.unlabelled, done.contested, done.shapes) == (384, 348, 0, 2)
    painted = np.asarray(Image.open(out / "masks/a.png").convert("RGB"))
    assert tuple(painted[5, 4]) == classes.colours[1]


def test_the_same_shapes_give_the_same_masks_in_every_format(tmp_path):
    images(tmp_path / "images", "a.png")
    points = ";".join(f"{x},{y}" for x, y in SQUARE)
    sources = [
        coco(tmp_path / "1/c.json", shapes=[(0, 1, [flat(SQUARE)])]),
        labelme(tmp_path / "2/a.json", ("roof", SQUARE)),
        cvat(tmp_path / "3/a.xml", f'<polygon label="roof" points="{points}"/>'),
    ]
    for number, each in enumerate(sources):
        convert(each, tmp_path / f"out{number}", wishes())
    masks = [np.asarray(Image.open(tmp_path / f"out{n}/masks/a.png")) for n in range(3)]
    wanted = np.zeros((12, 16), dtype=np.uint8)
    wanted[3:9, 2:7] = 1
    assert all((mask == wanted).all() for mask in masks)


def test_images_take_no_room_unless_they_are_copied(tmp_path, source):
    original = source / "images/a.png"
    assert convert(source, tmp_path / "1", wishes()).copied == 0
    assert (tmp_path / "1/images/a.png").samefile(original)
    assert convert(source, tmp_path / "2", wishes(copy_images=True)).copied == 2
    copy = tmp_path / "2/images/a.png"
    assert not copy.samefile(original)
    assert copy.read_bytes() == original.read_bytes()


def test_on_another_disk_images_are_copied(tmp_path, source, monkeypatch):
    def link(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", link)
    assert convert(source, tmp_path / "out", wishes()).copied == 2


def test_images_without_shapes(tmp_path, source):
    done = convert(source, tmp_path / "1", wishes())
    assert "images without shapes, left out" in "\n".join(done.findings.lines())
    done = convert(source, tmp_path / "2", wishes(empty_images="background"))
    assert done.counts.tolist()[2] == [192, 0, 0]


def test_unlabelled_pixels_can_be_ignored(tmp_path, source):
    convert(source, tmp_path / "out", wishes(unlabelled="ignore"))
    mask = np.asarray(Image.open(tmp_path / "out/masks/a.png"))
    assert ((mask == 255).sum(), (mask == 0).sum()) == (162, 30)
    assert ClassTable.read(tmp_path / "out/classes.yaml").names == ("roof", "car")


def test_masks_lie_on_images_as_viewers_turn_them(tmp_path):
    tags = Image.Exif()
    tags[274] = 6
    images(tmp_path / "in", "a.png", exif=tags)
    labelme(tmp_path / "in/a.json", ("roof", SQUARE), size=(16, 12))
    done = convert(tmp_path / "in", tmp_path / "out", wishes())
    assert done.exif_orientation == "apply"
    assert Image.open(tmp_path / "out/masks/a.png").size == (12, 16)


def test_names_of_classes_that_yaml_would_take_for_something_else(tmp_path):
    images(tmp_path / "in", "a.png")
    names = ["yes", "1", "null", "a: b", "#", "forêt"]
    shapes = [(0, i, [flat(SQUARE)]) for i in range(1, 7)]
    coco(tmp_path / "in/c.json", labels=names, shapes=shapes)
    convert(tmp_path / "in", tmp_path / "out", wishes())
    assert ClassTable.read(tmp_path / "out/classes.yaml").names == ("background", *names)


def test_what_is_there_already_is_not_touched(tmp_path, source):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("x")
    assert "out is there already; choose a new folder" in refused(source, out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    (out / "mine.txt").unlink()
    convert(source, out, wishes())  # an empty folder is as good as none
    assert "is there already" in refused(source, out)
    assert "lies in" in refused(source, source / "out")
    assert "is there already" in refused(source, source / "c.json")


def stop(numbers):
    yield numbers[0]
    raise Stopped(2)


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_stopped_conversion_leaves_nothing(tmp_path, source):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Stopped):
        convert(source, tmp_path / "out", wishes(), progress=stop)
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_leaves_nothing(tmp_path, source, monkeypatch):
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(shutil, "copyfile", full)
    line = refused(source, tmp_path / "out", copy_images=True)
    assert line.endswith("out cannot be written: no space left on device; choose another folder")
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_another_process_wrote_meanwhile_is_kept(tmp_path, source, monkeypatch):
    write = conversion._write

    def and_another(*arguments):
        (tmp_path / "out").mkdir()
        (tmp_path / "out/theirs").touch()
        return write(*arguments)

    monkeypatch.setattr(conversion, "_write", and_another)
    assert "is there already" in refused(source, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["theirs"]


def test_problems_are_found_before_anything_is_written(tmp_path, source):
    (source / "images/a.png").unlink()
    before = sorted(tmp_path.rglob("*"))
    assert "1 image (a.png) not found" in refused(source, tmp_path / "out")
    assert "none is not a folder" in refused(source, tmp_path / "out", images=tmp_path / "none")
    coco(source / "c.json", names=["c.png"])
    assert "1 image (c.png) and no shapes on any" in refused(source, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before
