"""Predictions of maps that were stopped."""

import logging
import shutil

import numpy as np
import pytest
import rasterio

from aerialseg.errors import AerialsegError
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.tiles.finished_strips import FinishedStrips
from aerialseg.storage.claims import exclusive
from helpers.rasters import write_tiff
from helpers.scene_maps import PLACE, in_tiles, run, scene
from helpers.tiny_training import write_network


@pytest.fixture
def checkpoint(tmp_path):
    return write_network(tmp_path / "best.ckpt")


@pytest.fixture
def stopped(tmp_path, checkpoint, monkeypatch, caplog):
    """A map of which two of the strips are finished, and its file."""
    path = write_tiff(tmp_path / "area.tif", scene(8, 1), **PLACE)
    add = FinishedStrips.add

    def stop(self, mask):
        if len(self) == 2:
            raise AerialsegError("the disk is full")
        add(self, mask)

    with monkeypatch.context() as patch:
        patch.setattr(FinishedStrips, "add", stop)
        with pytest.raises(AerialsegError, match="the disk is full"):
            run(path, checkpoint, tmp_path / "out", confidence=True)
    kept = f"2 of 5 parts are kept in {tmp_path / 'out/area.partial'}; the same command goes on"
    assert kept in caplog.text
    assert not (tmp_path / "out/area_index.tif").exists()
    return path


def tiles_seen(monkeypatch):
    seen = []
    ask = Predictor.batch_logits

    def counted(self, images):
        seen.extend(images)
        return ask(self, images)

    monkeypatch.setattr(Predictor, "batch_logits", counted)
    return seen


def test_what_was_stopped_goes_on_and_says_the_same(
    tmp_path, checkpoint, stopped, monkeypatch, caplog
):
    seen = tiles_seen(monkeypatch)
    with caplog.at_level(logging.INFO):
        run(stopped, checkpoint, tmp_path / "out", confidence=True)
    rest = len(seen)
    assert "goes on where it was stopped; 2 of 5 parts are there already" in caplog.text
    run(stopped, checkpoint, tmp_path / "other", confidence=True)
    assert rest < len(seen) - rest
    for name in ("area_index.tif", "area_areas.csv", "area_confidence.tif"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert not list((tmp_path / "out").glob("*.partial"))


@pytest.mark.parametrize("change", ["checkpoint", "image", "overlap"])
def test_what_was_made_otherwise_is_not_gone_on_with(tmp_path, checkpoint, stopped, change):
    options = {}
    if change == "checkpoint":
        shutil.copyfile(write_network(tmp_path / "o.ckpt", mean=[0.1, 0.2, 0.3]), checkpoint)
    elif change == "image":
        write_tiff(stopped, scene(8, 1)[::-1], **PLACE)
    else:
        options["overlap"] = 0.5
    run(stopped, checkpoint, tmp_path / "out", **options)
    image = scene(8, 1)[::-1] if change == "image" else scene(8, 1)
    with rasterio.open(tmp_path / "out/area_index.tif") as file:
        assert np.array_equal(file.read(1), in_tiles(image, checkpoint, **options))


def test_two_processes_do_not_predict_one_map_at_once(tmp_path, checkpoint, stopped):
    with exclusive(tmp_path / "out/.area.partial.lock"):
        with pytest.raises(AerialsegError, match="another process predicts this map into the same"):
            run(stopped, checkpoint, tmp_path / "out")
        assert list((tmp_path / "out/area.partial/mask").glob("*.png"))
    run(stopped, checkpoint, tmp_path / "out")
    assert not list((tmp_path / "out").glob(".*"))
