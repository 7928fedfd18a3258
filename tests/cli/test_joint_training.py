"""Training on two data sets of other classes, from the command line."""

import csv
import json

import yaml

from aerialseg.storage.checkpoints import read_checkpoint, read_description
from helpers.commands import run_command
from helpers.tiny_data import CLASSES, write_folders

TABLE = {"ground": [1, 2, 3], "vehicle": [200, 0, 0]}
"""Of the south, whose ids are not those of the north: 0 means no label, 1 ground, 2 vehicle."""
JOINT = ("data=joint", "data.sets={north: folders, south: folders}")


def test_two_data_sets_are_trained_on_and_scored_together(tmp_path):
    for name, table in (("north", CLASSES), ("south", TABLE)):
        write_folders(tmp_path / name, [f"{name}_{number}" for number in range(5)])
        (tmp_path / name / "classes.yaml").write_text(yaml.safe_dump(table, sort_keys=False))
    settings = (
        *("data.parts.north.root=north", "data.parts.south.root=south"),
        "data.parts.north.map_classes={car: vehicle, tree: ground}",
        "data.parts.south.mask_values={1: ground, 2: vehicle}",
        "data.parts.south.ignore_values=[0]",
    )
    done = run_command(
        *(*JOINT, *settings, "data.image_min_size=24", "data.batch_size=4", "data.num_workers=0"),
        *("stage=head", "stage.epochs=1", "model=lraspp_mobilenet_v3_large", "model.weights=none"),
        *("run_name=both", "trainer=cpu", "optimizer=adamw", "stage.learning_rate=1e-3"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "data.parts.north.map_classes: ground = ground + tree; vehicle = car" in done.stdout
    run = tmp_path / "runs/both/head"
    path = run / "train/checkpoints/best.ckpt"
    classes = read_description(read_checkpoint(path), path).classes
    assert classes == {"ground": CLASSES["ground"], "vehicle": CLASSES["car"]}

    done = run_command("task=evaluate", "run_name=both", "trainer=cpu", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "data.sets={north: folders, south: folders} data.parts.north.root=north" in done.stdout
    assert "differs" not in done.stdout
    scores = json.loads((run / "evaluate/metrics.json").read_text())
    assert {name: each["images"] for name, each in scores["sets"].items()} == {
        "north": 1,
        "south": 1,
    }
    with (run / "evaluate/images.csv").open() as file:
        assert {row["id"].partition("/")[0] for row in csv.DictReader(file)} == {"north", "south"}


def test_one_of_the_sets_is_scored_with_the_classes_of_all(tmp_path):
    tables = {"north": CLASSES, "south": {"roof": [9, 9, 9], "ground": [1, 2, 3], "car": [0, 0, 0]}}
    for name, table in tables.items():
        size = (24, 32) if name == "north" else (30, 40)
        write_folders(tmp_path / name, [f"{name}_{number}" for number in range(5)], size)
        (tmp_path / name / "classes.yaml").write_text(yaml.safe_dump(table, sort_keys=False))
    done = run_command(
        *(*JOINT, "data.parts.north.root=north", "data.parts.south.root=south"),
        *("data.classes=union", "data.weights={north: 1, south: 3}", "data.image_min_size=24"),
        *("data.batch_size=4", "data.num_workers=0", "stage=head", "stage.epochs=1"),
        *("model=lraspp_mobilenet_v3_large", "model.weights=none", "trainer=cpu"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "an epoch shows, 2 of north, each 0.5 times; 6 of south, each 1.5 times" in done.stdout

    evaluate = ("task=evaluate", "stage=head", "trainer=cpu")
    both = run_command(*evaluate, folder=tmp_path)
    assert both.returncode == 0, both.stderr
    together = json.loads((tmp_path / "runs/default/head/evaluate/metrics.json").read_text())
    done = run_command(*evaluate, "data.sets=[south]", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    alone = json.loads((tmp_path / "runs/default/head/evaluate/metrics.json").read_text())
    assert alone["accuracy"] == together["sets"]["south"]["accuracy"]
    assert alone["images"] == 1
