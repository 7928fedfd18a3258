import json
import logging
import shlex

import pytest

from aerialseg.errors import ConfigError
from aerialseg.tasks.convert_annotations import convert_annotations
from helpers.annotations import SQUARE, coco, flat, images, labelme
from helpers.commands import run_command
from helpers.composing import experiment, lines

TINY = [
    *("trainer=cpu", "data.num_workers=0", "model=lraspp_mobilenet_v3_large", "model.weights=none"),
    *("data.batch_size=1", "data.image_min_size=null", "stage.epochs=1", "run_name=r"),
]


def write(folder, number=3, size=(12, 16)):
    names = [f"f_{index}.png" for index in range(number)]
    images(folder / "images", *names, size=size)
    roof = [flat(SQUARE)]
    shapes = [(index, 1 + index % 2, roof) for index in range(number)]
    return coco(folder / "c.json", names=names, size=size, shapes=shapes, labels=["roof", "car"])


def converted(source, caplog, *overrides, **options):
    """The lines that are logged."""
    config = experiment("task=convert_annotations", f"input={source}", *overrides)
    with caplog.at_level(logging.INFO):
        convert_annotations(config, **options)
    return [record.getMessage() for record in caplog.records]


def test_the_last_line_is_the_command_to_type_next(tmp_path, caplog):
    source = write(tmp_path / "in")
    said = converted(source, caplog, output_dir=str(tmp_path / "my out"))
    share = 100 * (1 - 30 / 192)
    assert said == [
        f"{share:.2f}% of the pixels are under no shape and are class 'background'; "
        "task.unlabelled=ignore would leave them out of training",
        "3 images (COCO) with 3 shapes: masks, classes.yaml and linked images in "
        f"{tmp_path}/my out",
        f"next: python run.py task=check data=folders 'data.root={tmp_path}/my out'",
    ]
    typed = shlex.split(said[-1].removeprefix("next: python run.py "))
    assert lines(*typed) == []


def test_ignored_pixels_and_turned_images_are_in_the_next_command(tmp_path, caplog):
    source = write(tmp_path / "in")
    said = converted(source, caplog, output_dir=str(tmp_path / "o"), unlabelled="ignore")
    assert said[-1].endswith("/o 'data.ignore_values=[255]'")
    assert "are ignored (255); task.unlabelled=background would make them a class" in said[0]
    assert lines(*shlex.split(said[-1].removeprefix("next: python run.py "))) == []


def test_findings_are_warnings(tmp_path, caplog):
    source = write(tmp_path / "in")
    content = json.loads(source.read_text())
    content["categories"].append({"id": 3, "name": "pool"})
    content["annotations"][0]["segmentation"] = [[0, 0, 9, 0, 20, 9, 0, 9]]
    content["annotations"].append(
        {"id": 9, "image_id": 0, "category_id": 2, "segmentation": [flat(SQUARE)]}
    )
    source.write_text(json.dumps(content))
    converted(source, caplog, output_dir=str(tmp_path / "o"))
    warned = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert warned == [
        "shapes that reach outside their image by more than a pixel, cut at its edge: 1 case "
        "(f_0.png annotation 1)",
        "classes that no shape has, kept for their ids: pool",
    ]
    assert any("under shapes of several classes; task.order" in each for each in caplog.messages)


def test_a_second_conversion_has_the_ids_of_the_first(tmp_path, caplog):
    for flight, label in (("1", "roof"), ("2", "car")):
        images(tmp_path / flight, "a.png")
        labelme(tmp_path / flight / "a.json", (label, SQUARE), ("tree", [[9, 0], [12, 0], [9, 3]]))
    first = write(tmp_path / "in")
    converted(first, caplog, output_dir=str(tmp_path / "o"))
    done = convert_annotations(
        experiment("task=convert_annotations", f"input={tmp_path / '2'}"),
        output_dir=str(tmp_path / "o2"),
        classes=str(tmp_path / "o/classes.yaml"),
        renamed_labels={"tree": None},
    )
    assert done.table.classes.names == ("background", "roof", "car")
    assert done.counts[0, 2] > 0 == done.counts[0, 1]
    written = [(tmp_path / name / "classes.yaml").read_bytes() for name in ("o", "o2")]
    assert written[0] == written[1]


def test_options_that_contradict_each_other(tmp_path):
    config = experiment("task=convert_annotations", f"input={tmp_path}")
    with pytest.raises(ConfigError, match="have no pixel to learn from"):
        convert_annotations(config, unlabelled="ignore", empty_images="background")


@pytest.mark.parametrize("name", ["predict", "convert_annotations"])
def test_input_must_be_given(name):
    (line,) = [each for each in lines(f"task={name}") if "config error: input: " in each]
    wanted = {"predict": "an image, a folder", "convert_annotations": "an annotation file of COCO"}
    assert f"must be set; add input=PATH of {wanted[name]}" in line


def test_polygons_to_a_trained_model(tmp_path):
    write(tmp_path / "labels", number=3, size=(32, 48))
    done = run_command(
        "task=convert_annotations", "input=labels", "task.output_dir=field", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name[0] == "."] == []
    typed = shlex.split(done.stdout.splitlines()[-1].removeprefix("next: python run.py "))
    trained = run_command("task=train", *typed[1:], *TINY, folder=tmp_path)
    assert trained.returncode == 0, trained.stderr
    metrics = json.loads((tmp_path / "runs/r/head/train/metrics.json").read_text())
    assert "val/iou_roof" in json.dumps(metrics)
