import csv
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.metrics.scores import summarise
from aerialseg.report.evaluation import ImageResult, print_classes, write_images, write_tables
from aerialseg.viz.sheets import PredictionRow

# Rows are the truth. Ground: 3 right, 1 taken for car. Car: 4 right, 2 taken for ground.
FIRST = torch.tensor([[3, 1, 0], [2, 4, 0], [0, 0, 0]])
SECOND = torch.tensor([[10, 0, 0], [0, 0, 0], [0, 0, 0]])
TOTAL = FIRST + SECOND
TABLE = ClassTable(("ground", "car", "tree"), ((1, 2, 3), (200, 0, 0), (0, 200, 0)))
RESULTS = [ImageResult(0, "007_001", FIRST), ImageResult(1, "007_002", SECOND)]


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path):
    scores = summarise(TOTAL, TABLE.names)
    write_tables(tmp_path, TOTAL, RESULTS, TABLE.names, {"checkpoint": "a.ckpt", **scores})
    return tmp_path


def test_the_confusion_matrix_has_a_row_for_each_true_class(folder):
    assert read(folder / "confusion_matrix.csv") == [
        {"truth": "ground", "ground": "13", "car": "1", "tree": "0"},
        {"truth": "car", "ground": "2", "car": "4", "tree": "0"},
        {"truth": "tree", "ground": "0", "car": "0", "tree": "0"},
    ]


def test_class_scores_are_those_counted_by_hand(folder):
    # ground: 2 * 13 / (14 + 15), 13 / 16; car: 2 * 4 / (6 + 5), 4 / 7
    assert read(folder / "classes.csv") == [
        {"class": "ground", "pixel_share": "0.700000", "dice": "0.8966", "iou": "0.8125"},
        {"class": "car", "pixel_share": "0.300000", "dice": "0.7273", "iou": "0.5714"},
        {"class": "tree", "pixel_share": "0.000000", "dice": "", "iou": ""},
    ]


def test_image_scores_are_those_counted_by_hand(folder):
    first, second = read(folder / "images.csv")
    assert first["id"] == "007_001"
    assert float(first["dice"]) == round((2 * 3 / 9 + 2 * 4 / 11) / 2, 4)
    assert float(first["iou"]) == round((3 / 6 + 4 / 7) / 2, 4)
    assert first["accuracy"] == "0.7000"
    assert second == {"id": "007_002", "dice": "1.0000", "iou": "1.0000", "accuracy": "1.0000"}


def test_the_metrics_say_both_conventions_for_absent_classes(folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    dice = (26 / 29 + 8 / 11) / 2
    assert metrics["checkpoint"] == "a.ckpt"
    assert metrics["dice"] == pytest.approx(dice)
    assert metrics["dice_absent_one"] == pytest.approx((2 * dice + 1) / 3)
    assert metrics["accuracy"] == pytest.approx(17 / 20)
    assert "iou_tree" not in metrics


def test_an_image_without_a_single_pixel_to_judge_has_no_score():
    scores = ImageResult(0, "a", torch.zeros(3, 3, dtype=torch.int64)).scores()
    assert all(math.isnan(value) for value in scores.values())


def test_names_with_commas_and_quotes_survive(tmp_path):
    names = ('a,"b"', "car", "tree")
    write_tables(tmp_path, TOTAL, RESULTS, names, {})
    assert [row["truth"] for row in read(tmp_path / "confusion_matrix.csv")] == list(names)
    assert [row["class"] for row in read(tmp_path / "classes.csv")] == list(names)


def test_the_table_on_the_screen_names_every_class(capsys):
    print_classes(summarise(TOTAL, TABLE.names), TOTAL, TABLE.names, title="val: 2 images")
    shown = capsys.readouterr().out
    assert "val: 2 images" in shown
    lines = {line.split()[1]: line for line in shown.splitlines() if len(line.split()) > 1}
    assert all(text in lines["ground"] for text in ("70.00%", "0.8966", "0.8125"))
    assert lines["tree"].count("absent") == 2
    assert "85.00%" in shown
    assert f"{((26 / 29 + 8 / 11) + 1) / 3:.4f}" in shown
    assert "mean, an absent class counts as 1" in shown


def test_the_mean_is_shown_once_where_no_class_is_absent(capsys):
    matrix = FIRST[:2, :2]
    print_classes(summarise(matrix, TABLE.names[:2]), matrix, TABLE.names[:2], title="val")
    shown = capsys.readouterr().out
    assert "mean of present classes" in shown
    assert "absent class" not in shown


def test_images_are_written(tmp_path):
    image = np.zeros((40, 50, 3), dtype=np.uint8)
    mask = np.zeros((40, 50), dtype=np.uint8)
    row = PredictionRow("a", image, mask, mask, dice=1.0, iou=1.0, accuracy=1.0)
    write_images(tmp_path, TOTAL, [row], TABLE)
    names = {"confusion_counts.png", "confusion_normalised.png", "predictions.png"}
    assert {path.name for path in tmp_path.iterdir()} == names
    images = [np.array(Image.open(tmp_path / name)) for name in sorted(names)]
    assert all(image.ndim == 3 and image.std() > 0 for image in images)
    assert not np.array_equal(images[0], images[1])


def test_what_a_spreadsheet_would_work_out_is_text(tmp_path):
    names = ("=cmd|' /C calc'!A0", "@car", "[/red]")
    results = [ImageResult(i, name, FIRST) for i, name in enumerate(("=1+1", "-33.9", "+a", "a-b"))]
    write_tables(tmp_path, FIRST, results, names, {})
    assert [row["id"] for row in read(tmp_path / "images.csv")] == ["'=1+1", "'-33.9", "'+a", "a-b"]
    classes = [f"'{names[0]}", f"'{names[1]}", names[2]]
    assert [row["class"] for row in read(tmp_path / "classes.csv")] == classes
    assert list(read(tmp_path / "confusion_matrix.csv")[0]) == ["truth", *classes]


def test_a_class_may_be_called_like_markup(capsys):
    names = ("[/red]", "[bold]car", "tree")
    print_classes(summarise(FIRST, names), FIRST, names, title="val: 1 image")
    assert "[/red]" in (shown := capsys.readouterr().out)
    assert "[bold]car" in shown


def test_each_of_several_data_sets_has_its_own_scores(tmp_path):
    north = [ImageResult(0, "north/1", FIRST, "north"), ImageResult(1, "north/2", SECOND, "north")]
    results = [*north, ImageResult(2, "south/1", FIRST, "south")]
    write_tables(tmp_path, TOTAL + FIRST, results, TABLE.names, {"split": "val"})

    # The sums of each: north 26 / 29 and 8 / 11, 13 / 16 and 4 / 7; south 6 / 9 and 8 / 11.
    assert read(tmp_path / "sets.csv") == [
        {"set": "north", "images": "2", "dice": "0.8119", "miou": "0.6920", "accuracy": "0.8500"},
        {"set": "south", "images": "1", "dice": "0.6970", "miou": "0.5357", "accuracy": "0.7000"},
    ]
    sets = json.loads((tmp_path / "metrics.json").read_text())["sets"]
    assert sets["south"]["images"] == 1
    assert sets["south"]["miou"] == pytest.approx((3 / 6 + 4 / 7) / 2)


def test_one_data_set_has_no_table_of_sets(folder):
    assert not (folder / "sets.csv").exists()
    assert "sets" not in json.loads((folder / "metrics.json").read_text())
