import logging
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from aerialseg.errors import DataError
from aerialseg.inference.predictor import Predictor
from aerialseg.storage.checkpoints import read_checkpoint, write_checkpoint
from aerialseg.tasks.predict import predict
from helpers.commands import run_command
from helpers.composing import experiment
from helpers.tiny_data import image_file
from helpers.tiny_training import CLASSES, write_network


def line_of(call, *arguments):
    with pytest.raises(DataError) as error:
        call(*arguments)
    (line,) = error.value.problems
    return line


@pytest.fixture
def checkpoint(tmp_path):
    return write_network(tmp_path / "best.ckpt")


def config_for(source, checkpoint, *overrides):
    """The config of a command that predicts."""
    config = experiment("task=predict", "trainer=cpu", *overrides)
    return replace(config, input=str(source), checkpoint=str(checkpoint))


def test_predict_writes_three_images_for_each(tmp_path, checkpoint):
    paths = [
        image_file(tmp_path / "in/a.jpg", (21, 33)),
        image_file(tmp_path / "in/x/b.png", (40, 27), 1),
    ]
    config = config_for(tmp_path / "in", checkpoint)
    out = tmp_path / "out"
    predict(config, output_dir=str(out), overlay_opacity=0.0)
    assert {str(path.relative_to(out)) for path in out.rglob("*.png")} == {
        f"{stem}_{kind}.png" for stem in ("a", "x/b") for kind in ("index", "colour", "overlay")
    }
    predictor = Predictor(checkpoint)
    for path, stem in zip(paths, ("a", "x/b"), strict=True):
        image = np.array(Image.open(path))
        mask = predictor.predict(image)
        index = Image.open(out / f"{stem}_index.png")
        assert index.mode == "L"
        assert np.array_equal(np.array(index), mask)
        colour = Image.open(out / f"{stem}_colour.png")
        assert np.array_equal(np.array(colour), mask)
        painted = np.array(list(CLASSES.values()), dtype=np.uint8)[mask]
        assert np.array_equal(np.array(colour.convert("RGB")), painted)
        overlay = np.array(Image.open(out / f"{stem}_overlay.png"))
        assert overlay.shape == image.shape
        assert np.abs(overlay.astype(int) - image).max() <= 1, "opacity 0 shows the image"


def test_an_unreadable_image_is_named(tmp_path, checkpoint):
    path = tmp_path / "in" / "a.png"
    path.parent.mkdir()
    path.write_text("no image")
    config = config_for(path, checkpoint)
    with pytest.raises(DataError, match=str(path)):
        predict(config, output_dir=str(tmp_path / "out"))


def test_every_bad_image_is_named_before_any_mask_is_written(tmp_path, checkpoint):
    for name in "abcdefghijkl":
        path = image_file(tmp_path / "in" / f"{name}.jpg")
        path.write_bytes(path.read_bytes()[:-10])
    image_file(tmp_path / "in" / "aa.jpg")
    config = config_for(tmp_path / "in", checkpoint)
    with pytest.raises(DataError) as error:
        predict(config, output_dir=str(tmp_path / "out"))
    *lines, rest = error.value.problems
    assert len(lines) == 10
    assert all("cut short" in line for line in lines)
    assert rest == "and 2 more images"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("trained", "typed", "size"),
    [
        (None, None, (20, 30)),
        ("apply", None, (20, 30)),
        ("ignore", None, (30, 20)),
        ("ignore", "apply", (20, 30)),
        ("apply", "ignore", (30, 20)),
    ],
)
def test_orientation_is_treated_as_in_training_or_as_typed(
    tmp_path, checkpoint, trained, typed, size
):
    content = read_checkpoint(checkpoint)
    content["aerialseg"]["exif_orientation"] = trained
    write_checkpoint(tmp_path / "c.ckpt", content)
    path = image_file(tmp_path / "a.jpg", (20, 30))
    exif = Image.Exif()
    exif[274] = 6  # rotated by 90 degrees
    Image.open(path).save(path, exif=exif)
    overrides = [] if typed is None else [f"++data.exif_orientation={typed}"]
    config = config_for(path, tmp_path / "c.ckpt", *overrides)
    predict(config, output_dir=str(tmp_path / "out"))
    assert {Image.open(mask).size for mask in (tmp_path / "out").iterdir()} == {size}


def test_the_size_of_an_image_that_is_held_has_a_limit(tmp_path, checkpoint):
    path = image_file(tmp_path / "a.jpg", (20, 30))
    limited = config_for(path, checkpoint, "+data.max_megapixels=0.0005")
    with pytest.raises(DataError, match=r"has 30x20 pixels.* raise data\.max_megapixels"):
        predict(limited, output_dir=str(tmp_path / "out"), tile_size=None)


def test_a_typed_size_decides_and_is_named(tmp_path, checkpoint, caplog):
    path = image_file(tmp_path / "a.png", (96, 120))
    config = config_for(path, checkpoint)
    with caplog.at_level(logging.INFO):
        predict(config, output_dir=str(tmp_path / "as in training"))
        predict(config, output_dir=str(tmp_path / "typed"), image_min_size=96)
    assert "things in" in caplog.text.splitlines()[0], "a quarter of the size is warned of"
    assert "resized to 24 pixels (as in training)" in caplog.text
    assert "resized to 96 pixels (task.image_min_size)" in caplog.text
    image = np.array(Image.open(path))
    for folder, size in (("as in training", None), ("typed", 96)):
        mask = np.array(Image.open(tmp_path / folder / "a_index.png"))
        assert np.array_equal(mask, Predictor(checkpoint, image_min_size=size).predict(image))


def test_the_size_of_training_cannot_be_typed(tmp_path, checkpoint):
    path = image_file(tmp_path / "a.png")
    done = run_command(
        *("task=predict", f"checkpoint={checkpoint}", f"input={path}", "data.image_min_size=96"),
        folder=tmp_path,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "config error: data.image_min_size: 96 is not the size of training, 24, and predict does "
        "not train; set task.image_min_size=96"
    )
    assert not (tmp_path / "predictions").exists()
