import pytest
from PIL import Image

from aerialseg.data.checks.camera_data import camera_data
from helpers.tiny_data import random_image, save

NORTH = {1: "N", 2: (47.0, 30.0, 36.0), 3: "E", 4: (8.0, 15.0, 0.0)}


def written(path, gps=None, make="DJI", model="FC6310", xmp=None):
    exif = Image.Exif()
    exif[271], exif[272] = make, model
    if gps:
        exif.get_ifd(34853).update(gps)
        exif[34853] = exif.get_ifd(34853)
    return save(path, random_image((64, 64)), exif=exif, **({"xmp": xmp} if xmp else {}))


def test_camera_and_position(tmp_path):
    found = camera_data(written(tmp_path / "a.jpg", NORTH))
    assert found.camera == "DJI FC6310"
    assert found.channels == 3
    assert found.position.latitude == pytest.approx(47.51)
    assert found.position.longitude == pytest.approx(8.25)
    assert found.position.height is None


def test_south_and_west_are_negative(tmp_path):
    found = camera_data(written(tmp_path / "a.jpg", {**NORTH, 1: "S", 3: "W"}))
    assert found.position.latitude == pytest.approx(-47.51)
    assert found.position.longitude == pytest.approx(-8.25)


def test_the_height_above_the_take_off(tmp_path):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf drone:RelativeAltitude="+80.30"/></x:xmpmeta>'
    found = camera_data(written(tmp_path / "a.jpg", NORTH, xmp=xmp))
    assert found.position.height == pytest.approx(80.3)


def test_a_make_in_the_model_is_said_once(tmp_path):
    path = written(tmp_path / "a.jpg", make="Canon", model="Canon EOS R5")
    assert camera_data(path).camera == "Canon EOS R5"


@pytest.mark.parametrize(
    "gps",
    [
        None,
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
        {1: "N", 2: (47.0, 30.0, 36.0)},
        {**NORTH, 2: (147.0, 0.0, 0.0)},
    ],
    ids=["none", "no fix", "half", "no latitude"],
)
def test_what_is_no_position(tmp_path, gps):
    assert camera_data(written(tmp_path / "a.jpg", gps)).position is None


def test_files_without_camera_data(tmp_path):
    assert camera_data(save(tmp_path / "a.png", random_image())).camera == ""
    (tmp_path / "b.jpg").write_bytes(b"nothing")
    assert camera_data(tmp_path / "b.jpg").channels is None
