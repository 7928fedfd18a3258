"""Two runs side by side, as real processes."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from helpers.commands import run_command

SMALL = (
    *("stage=full", "data=demo", "recipe=seed", "stage.previous=null"),
    *("stage.init_checkpoint=null", "data.root=scenes", "stage.epochs=2"),
    *("data.layout.count=16", "data.layout.test_count=0", "data.layout.size=[64,96]"),
    *("data.image_min_size=48", "data.batch_size=4", "data.val_fraction=0.4"),
    *("data.group_pattern=null", "model=lraspp_mobilenet_v3_large", "model.weights=none"),
    "trainer=cpu",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of the runs one, two, of another seed, and three, of another split."""
    folder = tmp_path_factory.mktemp("compared")
    for name, *more in (
        ("one",),
        ("two", "seed=1", "stage.learning_rate=0.01"),
        ("three", "data.split_seed=3"),
    ):
        done = run_command(*SMALL, f"run_name={name}", *more, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def compared(trained):
    """What the comparison of one and two said, and its folder."""
    done = run_command("task=compare", "task.runs=[one,two]", folder=trained)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, trained / "runs/compare/one_vs_two"


def numbers_of(folder):
    return json.loads((folder / "compare.json").read_text(encoding="utf-8"))


def test_each_score_is_that_of_the_evaluation(trained, compared):
    found = numbers_of(compared[1])
    for side, name in (("a", "one"), ("b", "two")):
        run_command("task=evaluate", "stage=full", f"run_name={name}", folder=trained)
        wanted = json.loads((trained / f"runs/{name}/full/evaluate/metrics.json").read_text())
        shown = {score["name"]: score[side] for score in found["scores"]}
        assert shown["Dice"] == pytest.approx(wanted["dice"], abs=1e-12)
        assert shown["mIoU"] == pytest.approx(wanted["miou"], abs=1e-12)
        assert shown["accuracy"] == pytest.approx(wanted["accuracy"], abs=1e-12)
        classes = {each["name"]: each["iou"][side] for each in found["classes"]}
        assert classes["road"] == pytest.approx(wanted["iou_road"], abs=1e-12)
        assert found["images"] == wanted["images"]
    assert found["notes"] == []
    for score in found["scores"]:
        assert score["difference"] == pytest.approx(score["b"] - score["a"], abs=1e-12)


def test_the_table_is_that_of_the_record_without_colour_or_escape_codes(compared):
    said, folder = compared
    found = numbers_of(folder)
    assert "\033" not in said
    assert "a: one/full, b: two/full" in said
    rows = dict(re.findall(r"│ (Dice|mIoU|IoU \w+) +│(.+)", said))
    for score in found["scores"][:2]:
        cells = [cell.strip() for cell in rows[score["name"]].split("│")][:5]
        low, high = score["interval"]
        assert cells == [
            f"{score['a']:.4f}",
            f"{score['b']:.4f}",
            f"{score['difference']:+.4f}",
            f"{low:+.4f} to {high:+.4f}",
            score["verdict"],
        ]
    assert len(rows) == 2 + 12
    assert re.search(r"│ seed, data.seed +│ 0 +│ 1 ", said)
    assert re.search(r"│ optimizer.function.lr, stage.learning_rate +│ 0.004 │ 0.01", said)
    last = said.splitlines()[-1]
    assert last.endswith("images that differ most, and numbers: runs/compare/one_vs_two")


def test_the_page_has_the_numbers_of_the_record(compared):
    _, folder = compared
    page, found = (folder / "compare.html").read_text(encoding="utf-8"), numbers_of(folder)
    for each in [*found["scores"], *(row["iou"] for row in found["classes"])]:
        if each["difference"] is not None:
            assert f"<td>{each['a']:.4f}</td><td>{each['b']:.4f}</td>" in page
            assert f"<td>{each['difference']:+.4f}" in page
    gallery = json.loads(re.search(r'id="data-gallery">(.*?)</script>', page)[1])
    each_image = {image["id"]: image for image in found["each_image"]}
    assert {image["id"] for image in gallery["images"]} == set(each_image)
    for image in gallery["images"]:
        wanted = each_image[image["id"]]
        assert image["scores"]["a"] == pytest.approx(wanted["dice"]["a"], abs=1e-4)
        apart = sum(wanted["only_right"].values())
        assert image["scores"]["apart"] == pytest.approx(apart, abs=1e-4)
        assert (folder / image["file"]).is_file()
    order = [sum(image["only_right"].values()) for image in found["each_image"]]
    assert order == sorted(order, reverse=True)
    curves = {(row["run"], row["epoch"]) for row in found["curves"]}
    assert curves == {("a", 1), ("a", 2), ("b", 1), ("b", 2)}
    assert found["runs"]["b"]["seconds"] > 0


def test_only_one_right_is_counted_from_the_predicted_masks(trained, compared):
    name = numbers_of(compared[1])["each_image"][0]
    (image,) = trained.glob(f"scenes/**/{name['id']}.jpg")
    masks = []
    for run in ("one", "two"):
        more = (f"checkpoint=runs/{run}/full/train/checkpoints/best.ckpt", f"input={image}")
        done = run_command("task=predict", *more, f"task.output_dir={run}_masks", folder=trained)
        assert done.returncode == 0, done.stdout + done.stderr
        (path,) = (trained / f"{run}_masks").glob("*_index.png")
        masks.append(np.asarray(Image.open(path)))
    (path,) = (each for each in trained.glob(f"scenes/**/{name['id']}.png"))
    truth = np.asarray(Image.open(path))
    a, b = (mask == truth for mask in masks)
    labelled = truth != 255
    assert name["only_right"] == pytest.approx(
        {
            "a": (a & ~b & labelled).sum() / labelled.sum(),
            "b": (b & ~a & labelled).sum() / labelled.sum(),
        }
    )


def test_other_splits_are_said_and_only_what_neither_trained_on_is_scored(trained):
    done = run_command("task=compare", "task.runs=[one,three]", folder=trained)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a and b validated on different images: a on " in done.stdout
    found = numbers_of(trained / "runs/compare/one_vs_three")
    validated, trained_on = zip(
        *(images_of(trained / f"runs/{n}") for n in ("one", "three")), strict=True
    )
    wanted = (validated[0] | validated[1]) - trained_on[0] - trained_on[1]
    assert {image["id"] for image in found["each_image"]} == wanted
    assert len(wanted) < len(validated[0])
    left_out = len((validated[0] | validated[1]) & trained_on[0])
    assert f"left out: {left_out} images that a was trained on" in done.stdout.replace(
        "image ", "images "
    )


def images_of(run):
    """The ids that a run validated on and was trained on, as its checkpoint has them."""
    import torch

    content = torch.load(run / "full/train/checkpoints/best.ckpt", weights_only=True)["aerialseg"]
    return tuple(
        {name for ids in content[key].values() for name in ids}
        for key in ("validated_images", "trained_images")
    )


@pytest.mark.parametrize(
    ("runs", "line"),
    [
        ("[one,tow]", "task.runs: there is no run 'tow' in runs; did you mean 'two'?"),
        ("[one,one/full]", "task.runs: both are one/full, in runs/one/full/train; "),
        ("[one]", "task.runs: ['one'] is out of range, wanted 2 values"),
        ("one", "task.runs: 'one' is not a list"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_writes_nothing(trained, tmp_path, runs, line):
    shutil.copytree(trained / "runs/one", tmp_path / "runs/one")
    shutil.copytree(trained / "runs/two", tmp_path / "runs/two")
    done = run_command("task=compare", f"task.runs={runs}", folder=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"config error: {line}")
    assert not (tmp_path / "runs/compare").exists()


def test_other_classes_are_one_line_that_names_them(trained):
    done = run_command(*SMALL, "run_name=merged", "+data.map_classes={bike: car}", folder=trained)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run_command("task=compare", "task.runs=[one,merged]", folder=trained)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "checkpoint error: runs/one/full/train/checkpoints/best.ckpt (a) and "
        "runs/merged/full/train/checkpoints/best.ckpt (b) were trained on different classes, so "
        "their scores cannot be compared; 1 class of a only: bike"
    ]


def test_no_image_in_common_is_one_line_that_says_why(trained):
    for name, seed in (("upper", "1"), ("lower", "3")):
        done = run_command(
            *SMALL,
            f"run_name={name}",
            f"data.split_seed={seed}",
            "data.val_fraction=0.15",
            folder=trained,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    sides = [images_of(trained / f"runs/{name}")[0] for name in ("upper", "lower")]
    assert not sides[0] & sides[1]
    done = run_command("task=compare", "task.runs=[upper,lower]", folder=trained)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "there is no image on which both upper/full and lower/full may be scored" in line
    assert f"left out: {len(sides[1])} images that a was trained on" in line


def test_a_run_on_windows_is_compared_with_one_on_whole_images_pixel_by_pixel(trained):
    done = run_command(
        *SMALL, "run_name=cut", "data.window=48", "data.image_min_size=null", folder=trained
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done = run_command("task=compare", "task.runs=[one,cut]", folder=trained)
    assert done.returncode == 0, done.stdout + done.stderr
    found = numbers_of(trained / "runs/compare/one_vs_cut")
    run_command("task=evaluate", "stage=full", "run_name=cut", folder=trained)
    wanted = json.loads((trained / "runs/cut/full/evaluate/metrics.json").read_text())
    assert wanted["windows"] > wanted["images"] == found["images"]
    shown = {score["name"]: score["b"] for score in found["scores"]}
    assert shown["mIoU"] == pytest.approx(wanted["miou"], abs=1e-12)
    assert shown["accuracy"] == pytest.approx(wanted["accuracy"], abs=1e-12)
