"""The score without leakage, of a trained network on generated scenes with planted copies."""

import logging
import shutil

import pytest

from aerialseg.data.checks import seen_places as search
from aerialseg.storage.seen_images import SeenImages
from aerialseg.tasks.inspect import inspect
from helpers.leaking_network import TRAIN, VAL, Scenes, config
from helpers.leaking_scenes import scene, write_sample

NOT_INSPECTED = "was not inspected as it is now"


@pytest.fixture(autouse=True)
def _all_lines(caplog):
    caplog.set_level(logging.INFO)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return Scenes(tmp_path_factory.mktemp("scenes"))


@pytest.fixture(scope="module")
def inspected(scenes):
    scenes.inspect()
    return scenes


def test_the_score_without_leakage_is_that_of_the_clean_split(inspected, tmp_path, capsys, caplog):
    metrics, rows = inspected.score(tmp_path)
    clean, _ = inspected.score(tmp_path / "clean", root=inspected.clean)
    left = metrics["without_leakage"]
    assert abs(left["miou"] - clean["miou"]) <= 0.005
    assert metrics["miou"] > clean["miou"] + 0.02  # what leaks is what the network knows
    assert (left["images"], left["images_left_out"]) == (VAL, len(inspected.planted))
    assert {row["id"]: row["seen_in"] for row in rows if row["seen_in"]} == inspected.planted
    assert set(left) - {"images", "images_left_out"} == {
        key for key in metrics if key.startswith(("accuracy", "miou", "dice", "iou"))
    }
    shown = capsys.readouterr().out
    assert f"val: 14 images, {VAL} without leakage" in shown
    assert f"{metrics['miou']:.4f}" in shown
    assert f"{left['miou']:.4f}" in shown
    assert "9 of 14 scored images show places that training images show too" in caplog.text


def test_nothing_is_said_where_nothing_leaks(inspected, tmp_path, capsys, caplog):
    root = inspected.clean
    inspect(config(root, "task=inspect", cache="clean_cache"))
    seen = SeenImages(
        trained=inspected.seen.trained,
        validated={k: v for k, v in inspected.seen.validated.items() if "copy" not in v[0]},
    )
    clean = inspected.written(seen)
    caplog.clear()
    metrics, rows = inspected.score(tmp_path, root=root, checkpoint=clean, cache="clean_cache")
    assert "without_leakage" not in metrics
    assert "seen_in" not in rows[0]
    assert "leakage" not in capsys.readouterr().out
    assert "training images show" not in caplog.text
    assert NOT_INSPECTED not in caplog.text


def test_without_an_inspection_one_line_says_how_to_get_one(scenes, tmp_path, caplog):
    metrics, _ = scenes.score(tmp_path, cache="no_cache")
    assert "without_leakage" not in metrics
    (line,) = [each for each in caplog.messages if NOT_INSPECTED in each]
    assert line.startswith(f"{scenes.root}: {NOT_INSPECTED}")
    assert "run python run.py task=inspect" in line


def test_an_inspection_of_other_data_says_nothing(scenes, tmp_path, caplog):
    # The same names and sizes, but all scenes are of other places.
    other = tmp_path / "d"
    shutil.copytree(scenes.root, other)
    for number, name in enumerate(scenes.planted):
        write_sample(other, name, *scene(50 + number))
    inspect(config(other, "task=inspect"))
    (tmp_path / "d").rename(tmp_path / "moved")
    shutil.copytree(scenes.root, other)
    metrics, _ = scenes.score(tmp_path / "out", root=other)
    assert NOT_INSPECTED in caplog.text
    assert "without_leakage" not in metrics


def test_an_image_that_was_added_since_makes_the_inspection_one_of_other_data(
    scenes, tmp_path, caplog
):
    root = tmp_path / "d"
    shutil.copytree(scenes.root, root)
    scenes.inspect(root)
    assert "without_leakage" in scenes.score(tmp_path / "out", root=root)[0]
    write_sample(root, "val/new", *scene(40))
    assert "without_leakage" not in scenes.score(tmp_path / "out", root=root)[0]
    assert NOT_INSPECTED in caplog.text


def test_the_split_of_the_run_counts_not_that_of_the_inspection(inspected, tmp_path):
    # This network was trained on what the inspection's split validates on, the other way round.
    turned = inspected.written(
        SeenImages(trained=inspected.seen.validated, validated=inspected.seen.trained)
    )
    metrics, rows = inspected.score(tmp_path, checkpoint=turned)
    leaking = {row["id"] for row in rows if row["seen_in"]}
    assert leaking == set(inspected.planted.values())
    assert metrics["without_leakage"]["images"] == TRAIN - len(leaking)
    assert all(row["seen_in"] in ("", *inspected.planted) for row in rows)


def test_the_pairs_of_an_inspection_with_the_split_of_the_run_are_used_again(
    inspected, tmp_path, monkeypatch
):
    monkeypatch.setattr(search, "kept_measurements", None)
    monkeypatch.setattr(search, "find_overlaps", None)
    assert "without_leakage" in inspected.score(tmp_path)[0]


def test_all_images_leave_those_out_that_were_trained_on(inspected, tmp_path, caplog):
    metrics, rows = inspected.score(tmp_path, split="all")
    assert metrics["without_leakage"]["images"] == VAL
    assert {row["id"]: row["seen_in"] for row in rows if row["seen_in"]} == {
        **inspected.planted,
        **{row["id"]: row["id"] for row in rows if row["id"].startswith("train/")},
    }
    expected = "Of 22 scored images 8 were trained on and 9 show places"
    assert expected in caplog.text
    assert "without_leakage" not in inspected.score(tmp_path / "train", split="train")[0]


def test_images_that_were_never_seen_may_leak_too(inspected, tmp_path):
    validated = {k: v for k, v in inspected.seen.validated.items() if "copy" not in v[0]}
    checkpoint = inspected.written(SeenImages(inspected.seen.trained, validated))
    metrics, rows = inspected.score(tmp_path, checkpoint=checkpoint, split="unseen")
    assert {row["id"] for row in rows} == set(inspected.planted)
    assert metrics["without_leakage"] == {"images": 0, "images_left_out": len(rows)}


def test_where_all_images_leak_that_is_said_instead_of_a_score(inspected, tmp_path, caplog, capsys):
    validated = {k: v for k, v in inspected.seen.validated.items() if "copy" in v[0]}
    checkpoint = inspected.written(SeenImages(inspected.seen.trained, validated))
    metrics, _ = inspected.score(tmp_path, checkpoint=checkpoint)
    assert metrics["without_leakage"] == {"images": 0, "images_left_out": 9}
    assert "none is left for a score without leakage" in caplog.text
    shown = capsys.readouterr().out
    assert "val: 9 images, none without leakage" in shown
    assert "without leakage: Dice" not in shown


def test_test_images_that_show_what_was_trained_on(scenes, tmp_path):
    root = tmp_path / "d"
    shutil.copytree(scenes.root, root)
    for kind in ("images", "masks"):
        (root / kind / "val").rename(root / kind / "test")
        (root / kind / "val").mkdir()
        for path in sorted((root / kind / "test").glob("w*"))[:2]:
            path.rename(root / kind / "val" / path.name)
    scenes.inspect(root)
    seen = {
        k: [each.replace("val/", "test/") for each in v] for k, v in scenes.seen.trained.items()
    }
    checkpoint = scenes.written(SeenImages(trained=seen, validated={}))
    metrics, rows = scenes.score(tmp_path / "out", root=root, checkpoint=checkpoint, split="test")
    assert metrics["images"] == 12
    assert metrics["without_leakage"]["images"] == VAL - 2
    found = {row["id"].replace("test/", "val/"): row["seen_in"] for row in rows if row["seen_in"]}
    assert found == scenes.planted


def test_windows_of_leaking_images_are_left_out_as_a_whole(inspected, tmp_path):
    whole = inspected.score(tmp_path, split="val")[1]
    metrics, rows = inspected.score(tmp_path, "data.window=[120,160]", split="val")
    assert metrics["windows"] > metrics["images"] == 14
    assert metrics["without_leakage"]["images"] == VAL
    ids = [[row["id"] for row in each if row["seen_in"]] for each in (rows, whole)]
    assert ids[0] == ids[1] == sorted(inspected.planted)


def test_training_images_that_are_gone_are_counted(inspected, tmp_path, caplog):
    root = tmp_path / "d"
    shutil.copytree(inspected.root, root)
    for number in (0, 7):
        (root / f"images/train/w{number:02}.jpg").unlink()
        (root / f"masks/train/w{number:02}.png").unlink()
    inspected.inspect(root)
    metrics, _ = inspected.score(tmp_path / "out", root=root)
    assert "holds 6 of 8 images that" in caplog.text
    assert metrics["without_leakage"]["images_left_out"] == 6
    for name in ("images/train", "masks/train"):
        shutil.rmtree(root / name)
    metrics, _ = inspected.score(tmp_path / "out", root=root)
    assert "holds none of 8 images that" in caplog.text
    assert "without_leakage" not in metrics


def test_copies_with_the_same_bytes_leak(inspected, tmp_path):
    root = tmp_path / "d"
    shutil.copytree(inspected.root, root)
    for kind, end in (("images", "jpg"), ("masks", "png")):
        shutil.copy(root / kind / f"train/w05.{end}", root / kind / f"val/same.{end}")
    inspected.inspect(root)
    (digest,) = [key for key, ids in inspected.seen.trained.items() if ids == ["train/w05"]]
    validated = {**inspected.seen.validated, digest: ["val/same"]}
    checkpoint = inspected.written(SeenImages(inspected.seen.trained, validated))
    _, rows = inspected.score(tmp_path / "out", root=root, checkpoint=checkpoint)
    (row,) = [each for each in rows if each["id"] == "val/same"]
    assert (row["seen_in"], row["overlap"]) == ("train/w05", "1.0000")
