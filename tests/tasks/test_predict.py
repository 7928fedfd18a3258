from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.errors import DataError
from aerialseg.inference.predictor import Predictor
from aerialseg.models.networks import lraspp_mobilenet_v3_large
from aerialseg.storage.checkpoints import describe, write_checkpoint
from aerialseg.tasks.predict import find_images, predict
from helpers.composing import experiment
from helpers.tiny_training import CLASSES, describe_run


def image_file(path: Path, size=(20, 30), seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def line_of(call, *arguments):
    with pytest.raises(DataError) as error:
        call(*arguments)
    (line,) = error.value.problems
    return line


def test_one_image(tmp_path):
    path = image_file(tmp_path / "deep" / "a.b.png")
    assert find_images(str(path)) == {path: "a.b"}


def test_a_folder_is_searched_recursively_and_its_structure_kept(tmp_path):
    paths = [image_file(tmp_path / name) for name in ("b.JPG", "a.png", "x/a.png", "x/y/c.tif")]
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "looks_like.png").mkdir()
    found = find_images(str(tmp_path))
    assert found == dict(zip(paths, ["b", "a", "x/a", "x/y/c"], strict=True))
    assert list(found) == sorted(paths)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.png", ["a", "b"]),
        ("?.png", ["a", "b"]),
        ("**/*.png", ["a", "b", "x/c"]),
        ("x/*", ["c"]),
        ("[ab].*", ["a", "b"]),
    ],
)
def test_a_glob_finds_what_a_shell_would(tmp_path, pattern, names):
    for name in ("a.png", "b.png", "x/c.png"):
        image_file(tmp_path / name)
    assert list(find_images(str(tmp_path / pattern)).values()) == names


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path):
    path = image_file(tmp_path / "a[1].png")
    image_file(tmp_path / "a1.png")
    assert find_images(str(path)) == {path: "a[1]"}


def test_relative_paths_and_the_home_folder(tmp_path, monkeypatch):
    image_file(tmp_path / "in" / "a.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_images("in") == {Path("in/a.png"): "a"}
    assert find_images("in/*.png") == {Path("in/a.png"): "a"}
    assert find_images("~/in") == {tmp_path / "in/a.png": "a"}


@pytest.mark.parametrize("source", ["missing.png", "missing/*.png", "empty", "empty/*"])
def test_nothing_found_says_what_was_looked_for(tmp_path, source):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".gitkeep").write_text("")
    line = line_of(find_images, str(tmp_path / source))
    assert line == (
        f"input: {tmp_path / source} is not an image, a folder or a glob of images "
        "(.bmp, .jpeg, .jpg, .png, .tif, .tiff, .webp)"
    )


def test_two_images_that_would_write_the_same_masks_are_refused(tmp_path):
    first, second = image_file(tmp_path / "x/a.jpg"), image_file(tmp_path / "x/a.png")
    image_file(tmp_path / "a.png")
    assert line_of(find_images, str(tmp_path)) == (
        f"input: {first} and {second} would both write x/a_index.png; rename one of them"
    )


def test_no_glob_names_masks_outside_their_folder(tmp_path, monkeypatch):
    for name in ("in/x.png", "in/a/y.png", "in/b/c/d/w.png", "z.png"):
        image_file(tmp_path / name)
    monkeypatch.chdir(tmp_path / "in")
    assert list(find_images("*/../../*.png").values()) == ["z"]
    # One pattern with files inside and outside the working directory.
    assert sorted(find_images("**/../*.png").values()) == ["in/x", "z"]


def test_hidden_files_of_file_managers_are_skipped(tmp_path):
    path = image_file(tmp_path / "a.jpg")
    (tmp_path / "._a.jpg").write_bytes(b"resource fork")
    assert find_images(str(tmp_path)) == {path: "a"}


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    network = lraspp_mobilenet_v3_large(3)
    arguments = {
        "_target_": "aerialseg.models.networks.lraspp_mobilenet_v3_large",
        "num_classes": 3,
    }
    content = {"state_dict": {f"network.{k}": v for k, v in network.state_dict().items()}}
    describe(content, describe_run(network=arguments))
    write_checkpoint(tmp_path / "best.ckpt", content)
    return tmp_path / "best.ckpt"


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


def test_orientation_is_ignored_and_the_size_has_a_limit(tmp_path, checkpoint):
    path = image_file(tmp_path / "a.jpg", (20, 30))
    exif = Image.Exif()
    exif[274] = 6  # rotated by 90 degrees
    Image.open(path).save(path, exif=exif)
    predict(config_for(path, checkpoint), output_dir=str(tmp_path / "out"))
    assert {Image.open(mask).size for mask in (tmp_path / "out").iterdir()} == {(30, 20)}
    limited = config_for(path, checkpoint, "+data.max_megapixels=0.0005")
    with pytest.raises(DataError, match=r"has 30x20 pixels.* raise data\.max_megapixels"):
        predict(limited, output_dir=str(tmp_path / "out"))
