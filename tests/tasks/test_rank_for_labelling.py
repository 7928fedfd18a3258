"""``task=predict task.rank_for_labelling=true``: the table of what to label next."""

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.data.cache.image_facts import digest_of
from aerialseg.inference.predictor import Predictor
from aerialseg.models.networks import lraspp_mobilenet_v3_large
from aerialseg.storage.checkpoints import describe, write_checkpoint
from aerialseg.tasks.predict import predict
from helpers.commands import run_command
from helpers.composing import experiment
from helpers.surveys import window
from helpers.tiny_data import save
from helpers.tiny_training import describe_run

FRAMES = ("a/0.png", "a/1.png", "a/2.png", "a/3.png")
OTHERS = ("b.png", "c.png")


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """Four frames of one place that overlap by nine tenths, and two other places."""
    folder = tmp_path_factory.mktemp("flights") / "new"
    for frame, name in enumerate(FRAMES):
        save(folder / name, window(0, left=200 + 30 * frame))
    for place, name in enumerate(OTHERS, start=1):
        save(folder / name, window(place))
    return folder


def write_network(path, *, trained=None, validated=None):
    """A checkpoint; one that does not say what it has seen without either."""
    torch.manual_seed(0)
    network = lraspp_mobilenet_v3_large(3)
    arguments = {
        "_target_": "aerialseg.models.networks.lraspp_mobilenet_v3_large",
        "num_classes": 3,
    }
    content = {"state_dict": {f"network.{k}": v for k, v in network.state_dict().items()}}
    seen = {"trained_images": trained, "validated_images": validated}
    describe(content, describe_run(network=arguments, image_min_size=96, **seen))
    write_checkpoint(path, content)
    return path


def digests(source, names):
    return {digest_of(source / name).hex(): [name] for name in names}


def ranked(tmp_path, source, *, trained=(), validated=()):
    """The rows of the table, after a prediction of all images of a folder."""
    sides = {"trained": digests(source, trained), "validated": digests(source, validated)}
    checkpoint = write_network(tmp_path / "best.ckpt", **sides)
    config = experiment("task=predict", "trainer=cpu", f"paths.cache_dir={tmp_path / 'cache'}")
    config = replace(config, input=str(source), checkpoint=str(checkpoint))
    predict(config, output_dir=str(tmp_path / "out"), rank_for_labelling=True)
    with (tmp_path / "out" / "label_next.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def test_frames_of_a_place_count_once(tmp_path, flights):
    rows = ranked(tmp_path, flights)
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert {row["image"] for row in rows} == {str(flights / name) for name in FRAMES + OTHERS}
    first, later = rows[:3], rows[3:]
    assert all(row["mostly_shown_by"] == row["share"] == "" for row in first)
    assert {str(flights / name) for name in OTHERS} < {row["image"] for row in first}
    frames = {str(flights / name) for name in FRAMES}
    assert all(row["mostly_shown_by"] in frames for row in later)
    assert all(0.5 < float(row["share"]) <= 1 for row in later)


def test_the_table_names_the_mask_to_start_from_and_how_unsure_the_network_is(tmp_path, flights):
    for row in ranked(tmp_path, flights):
        path = tmp_path / "out" / row["prediction"]
        image = np.array(Image.open(row["image"]))
        predictor = Predictor(tmp_path / "best.ckpt")
        assert np.array_equal(np.array(Image.open(path)), predictor.predict(image))
        probabilities = predictor.logits(image).softmax(1)
        differ = 1 - probabilities.square().sum(1).mean()
        assert float(row["uncertainty"]) == pytest.approx(float(differ), abs=1e-4)


@pytest.mark.parametrize("side", ["trained", "validated"])
def test_what_is_labelled_is_left_out_and_its_place_waits(tmp_path, flights, caplog, side):
    caplog.set_level("INFO")
    rows = ranked(tmp_path, flights, **{side: FRAMES[1:2]})
    assert {row["image"] for row in rows[:2]} == {str(flights / name) for name in OTHERS}
    assert str(flights / FRAMES[1]) not in {row["image"] for row in rows}
    assert all(row["mostly_shown_by"] for row in rows[2:])
    assert "1 image left out, which the network was trained or validated on" in caplog.text


def test_a_renamed_copy_of_a_training_image_is_left_out_too(tmp_path, flights):
    source = tmp_path / "copies"
    source.mkdir()
    shutil.copyfile(flights / "b.png", source / "x.png")
    shutil.copyfile(flights / "c.png", source / "b.png")
    trained = digests(flights, ["b.png"])
    checkpoint = write_network(tmp_path / "best.ckpt", trained=trained, validated={})
    done = run_command(
        "task=predict",
        f"checkpoint={checkpoint}",
        f"input={source}",
        "task.rank_for_labelling=true",
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "label next: 1 image left out" in done.stdout
    assert "label next: b.png: 1 image, in predictions/label_next.csv" in done.stdout
    with (tmp_path / "predictions" / "label_next.csv").open(encoding="utf-8", newline="") as table:
        assert [row["image"] for row in csv.DictReader(table)] == [str(source / "b.png")]


def test_without_it_no_table_is_written(tmp_path, flights):
    checkpoint = write_network(tmp_path / "best.ckpt")
    config = replace(experiment("task=predict"), input=str(flights), checkpoint=str(checkpoint))
    predict(config, output_dir=str(tmp_path / "out"))
    assert not list((tmp_path / "out").rglob("*.csv"))
