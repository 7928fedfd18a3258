"""A map, from training to areas: by real processes, one of them killed."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.crs import CRS
from rasterio.transform import Affine

from aerialseg.inference.predictor import Predictor
from helpers.commands import run_command
from helpers.processes import RUN
from helpers.rasters import write_tiff

pytestmark = pytest.mark.slow

CHECKPOINT = "runs/demo/full/train/checkpoints/best.ckpt"
PREDICT = ("task=predict", f"checkpoint={CHECKPOINT}", "input=map.tif", "trainer=cpu")
PLACE = {"crs": CRS.from_epsg(32633), "transform": Affine(0.1, 0, 500_000, 0, -0.1, 4_000_000)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network of some epochs, and validation scenes side by side as a map."""
    folder = tmp_path_factory.mktemp("maps")
    options = ("task.measure=false", "task.report=false", "logger=none", "recipe.scale=0.3")
    done = run_command("task=curriculum", "experiment=demo", *options, folder=folder)
    assert done.returncode == 0, done.stderr
    with (folder / "runs/demo/full/evaluate/images.csv").open(newline="") as table:
        ids = sorted(row["id"] for row in csv.DictReader(table))[:16]
    grids = []
    for kind, suffix in (("imgs/imgs", "jpg"), ("masks/masks", "png")):
        parts = [np.asarray(Image.open(folder / f"data/demo/{kind}/{i}.{suffix}")) for i in ids]
        grids.append(np.vstack([np.hstack(parts[row : row + 4]) for row in range(0, 16, 4)]))
    write_tiff(folder / "map.tif", grids[0], **PLACE)
    np.save(folder / "truth.npy", grids[1])
    done = run_command(*PREDICT, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


def mean_iou(mask, truth):
    ious = []
    for index in np.unique(truth[truth != 255]):
        found, true = mask[truth != 255] == index, truth[truth != 255] == index
        ious.append((found & true).sum() / (found | true).sum())
    return np.mean(ious)


def read(path):
    with rasterio.open(path) as file:
        return file.read(1)


def test_tiles_know_more_than_the_whole_image_resized(folder):
    mask, truth = read(folder / "predictions/map_index.tif"), np.load(folder / "truth.npy")
    with rasterio.open(folder / "map.tif") as file:
        image = np.moveaxis(file.read(), 0, -1)
    whole = Predictor(folder / CHECKPOINT).predict(image)
    assert mean_iou(mask, truth) >= mean_iou(whole, truth)
    assert mean_iou(mask, truth) > 0.25


def test_another_place_of_the_tiles_says_nearly_the_same(folder):
    options = ("task.disagreement=true", "task.output_dir=shifted")
    done = run_command(*PREDICT, *options, folder=folder)
    assert done.returncode == 0, done.stderr
    assert (read(folder / "shifted/map_disagreement.tif") == 0).mean() > 0.8


def test_a_killed_prediction_goes_on_and_ends_alike(folder):
    command = [sys.executable, str(RUN), *PREDICT, "task.output_dir=killed"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    first = folder / "killed/map.partial/mask/000000.png"
    while not first.exists() and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (folder / "killed/map_index.tif").exists()
    done = run_command(*PREDICT, "task.output_dir=killed", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "goes on where it was stopped" in done.stdout + done.stderr
    for name in ("map_index.tif", "map_areas.csv"):
        undisturbed = (folder / "predictions" / name).read_bytes()
        assert (folder / "killed" / name).read_bytes() == undisturbed
    assert sorted(path.name for path in (folder / "killed").iterdir()) == [
        *("map_areas.csv", "map_index.tif", "map_index.tif.aux.xml"),
    ]
