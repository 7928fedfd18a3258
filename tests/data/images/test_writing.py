from pathlib import Path

import numpy as np
import pytest

from aerialseg.data.images.reading import read_image
from aerialseg.data.images.writing import write_image, write_mask
from aerialseg.errors import AerialsegError, DataError
from helpers.tiny_data import mask, random_image


def test_images_survive_writing(tmp_path):
    path = tmp_path / "new" / "a.png"
    write_image(path, random_image())
    assert np.array_equal(read_image(path), random_image())
    assert [child.name for child in path.parent.iterdir()] == ["a.png"]


def test_a_failed_write_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    write_image(path, random_image(seed=1))

    def broken(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(AerialsegError, match=r"a\.png: cannot be written: No space left"):
        write_image(path, random_image(seed=2))
    assert np.array_equal(read_image(path), random_image(seed=1))
    assert [child.name for child in tmp_path.iterdir()] == ["a.png"]


def test_names_that_would_lose_something_are_refused(tmp_path):
    with pytest.raises(DataError, match="masks are written as PNG"):
        write_mask(tmp_path / "m.jpg", mask())
    with pytest.raises(DataError, match=r"a\.txt: unknown image format"):
        write_image(tmp_path / "a.txt", random_image())
