"""Positions in EXIF data, from JPEG files to findings: they propose pairs that pixels confirm."""

import csv

import numpy as np
import pytest
from PIL import Image

from aerialseg.data.checks import overlap_candidates
from aerialseg.report.inspection_files import write_inspection
from helpers.inspections import codes, inspect, the
from helpers.surveys import window
from helpers.tiny_data import mask, save

METRES_PER_DEGREE = 6_371_000 * np.pi / 180
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf drone:RelativeAltitude="{}"/></x:xmpmeta>'
FRAMES = {"train/a": (0, 20), "val/b": (0, 180), "train/c": (1, 20), "val/d": (2, 20)}
"""The place and the column of each frame; only the first two overlap, by half."""


def as_exif(degrees):
    """Whole degrees and minutes, and seconds with fractions, as cameras write them."""
    whole, rest = divmod(abs(degrees), 1)
    minutes, rest = divmod(rest * 60, 1)
    return whole, minutes, rest * 60


def photo(path, image, position=None, height=None):
    """A JPEG of a drone that says where it is, in degrees, and how high, in metres."""
    exif = Image.Exif()
    exif[271], exif[272] = "DJI", "FC6310"
    if position is not None:
        latitude, longitude = position
        gps = exif.get_ifd(34853)
        gps[1], gps[2] = "N" if latitude >= 0 else "S", as_exif(latitude)
        gps[3], gps[4] = "E" if longitude >= 0 else "W", as_exif(longitude)
        exif[34853] = gps
    xmp = {} if height is None else {"xmp": XMP.format(height).encode()}
    save(path, image, quality=95, exif=exif, **xmp)


def survey(root, *, apart=60.0, height=None, start=(-33.9, 18.4), is_located=True):
    """The frames, each so many metres east of the one before it."""
    for number, (key, (place, left)) in enumerate(FRAMES.items()):
        east = number * apart / (METRES_PER_DEGREE * np.cos(np.radians(start[0])))
        position = (start[0], start[1] + east) if is_located else None
        image = window(place, left=left)
        photo(root / f"images/{key}.jpg", image, position, height)
        save(root / f"masks/{key}.png", mask(image.shape[:2], number))
    return root


@pytest.fixture
def without_index(monkeypatch):
    """No pair is proposed by descriptors, as where too few of an overlap's corners meet."""
    monkeypatch.setattr(overlap_candidates, "_votes", lambda *_, **__: np.empty((0, 3), int))


def found(root):
    return inspect(root, group_pattern=None, image_min_size=None)


def test_frames_that_are_close_are_compared_and_confirmed(tmp_path, without_index):
    inspection = found(survey(tmp_path / "d"))
    assert the(inspection, "leakage").pairs == (("val/b", "train/a"),)
    ((one, other, share),) = [
        (p.one.sample.id, p.other.sample.id, p.share) for p in inspection.pairs
    ]
    assert {one, other} == {"train/a", "val/b"}
    assert share == pytest.approx(0.5, abs=0.05)


def test_without_positions_the_same_frames_are_not_compared(tmp_path, without_index):
    inspection = found(survey(tmp_path / "d", is_located=False))
    assert inspection.pairs == ()
    assert ("error", "leakage") not in codes(inspection)


@pytest.mark.parametrize(("height", "is_compared"), [(20, False), (100, True), (None, False)])
def test_how_far_frames_may_be_apart_follows_from_their_height(
    tmp_path, without_index, height, is_compared
):
    # 120 m: within one and a half times 100 m, but not 20 m, nor 60 m where no height is said.
    inspection = found(survey(tmp_path / "d", apart=120.0, height=height))
    assert [p.other.sample.id for p in inspection.pairs] == (["val/b"] if is_compared else [])


def test_the_index_finds_them_wherever_they_say_they_are(tmp_path):
    assert len(found(survey(tmp_path / "d", apart=5000.0)).pairs) == 1


def test_the_table_of_images_has_camera_position_and_height(tmp_path):
    write_inspection(found(survey(tmp_path / "d", apart=100.0, height=80.5)), tmp_path)
    with (tmp_path / "images.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["camera"] for row in rows} == {"DJI FC6310"}
    assert {float(row["height_above_takeoff"]) for row in rows} == {80.5}
    longitudes = [float(next(r for r in rows if r["image"] == key)["longitude"]) for key in FRAMES]
    metres = np.diff(longitudes) * METRES_PER_DEGREE * np.cos(np.radians(33.9))
    assert metres == pytest.approx([100.0] * 3, abs=0.1)
    assert {round(float(row["latitude"]), 6) for row in rows} == {-33.9}
