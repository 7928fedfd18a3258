"""A JPEG that was cut between two scans is refused, whole ones of every kind are not."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from aerialseg.data.images.reading import read_image, read_resized
from aerialseg.errors import DataError
from aerialseg.scenes import render_scene

SCAN, END = b"\xff\xda", b"\xff\xd9"


@pytest.fixture(scope="module")
def scene():
    return Image.fromarray(render_scene(1, (96, 128), sequence=0)[0])


def encoded(image, **options):
    buffer = BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def cut_between_scans(data):
    """The JPEG without its last scan, its last two and so on, each with an end marker."""
    place = data.find(SCAN)
    while (place := data.find(SCAN, place + 2)) >= 0:
        tables = data.rfind(b"\xff\xc4", 0, place)
        previous = data.rfind(SCAN, 0, place)
        yield data[: tables if tables > previous else place] + END


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_every_cut_between_scans_is_refused(tmp_path, scene, mode, subsampling):
    path = tmp_path / "a.jpg"
    data = encoded(scene.convert(mode), progressive=True, subsampling=subsampling, quality=90)
    path.write_bytes(data)
    whole = read_image(path)
    cuts = list(cut_between_scans(data))
    assert len(cuts) >= 5
    for part in cuts:
        assert not np.array_equal(cv2.imdecode(np.frombuffer(part, np.uint8), 1), whole)
        for content in (part, part + bytes(50), part.removesuffix(END)):
            path.write_bytes(content)
            with pytest.raises(DataError, match=r"scans are missing|cut short"):
                read_image(path)
            with pytest.raises(DataError, match=r"scans are missing|cut short"):
                read_resized(path, 48)


def test_a_preview_behind_it_does_not_bring_what_is_missing(tmp_path, scene):
    path = tmp_path / "a.jpg"
    data = encoded(scene, progressive=True)
    for part in cut_between_scans(data):
        path.write_bytes(part + data)
        with pytest.raises(DataError, match="scans are missing"):
            read_image(path)
    path.write_bytes(data + next(cut_between_scans(data)))
    assert read_image(path).shape == (96, 128, 3)


@pytest.mark.parametrize("quality", [1, 50, 95, 100])
@pytest.mark.parametrize("restart", [0, 3])
@pytest.mark.parametrize("progressive", [False, True])
def test_whole_ones_are_read(tmp_path, scene, quality, restart, progressive):
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    options += [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive), cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    for image in (np.asarray(scene), np.zeros((9, 7, 3), np.uint8), np.asarray(scene)[..., 0]):
        data = cv2.imencode(".jpg", image, options)[1].tobytes()
        (tmp_path / "a.jpg").write_bytes(data)
        wanted = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert np.array_equal(read_image(tmp_path / "a.jpg"), wanted)
