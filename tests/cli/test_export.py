"""An exported model in the place of its checkpoint, by real commands."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from aerialseg.models.networks import lraspp_mobilenet_v3_large
from aerialseg.scenes import render_scene
from aerialseg.storage.checkpoints import write_checkpoint
from helpers.commands import run_command
from helpers.pages import ROOT
from helpers.tiny_training import CLASSES, checkpoint_of, describe_run

NETWORK = {"_target_": "aerialseg.models.networks.lraspp_mobilenet_v3_large", "num_classes": 3}
DATA = ("data=folders", "data.root=d", "data.num_workers=0", "trainer=cpu")
CHECKPOINT = "runs/a/full/train/checkpoints/best.ckpt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set, the checkpoint of a run and the model that was exported from it."""
    folder = tmp_path_factory.mktemp("export")
    images = [render_scene(1, (75, 101), sequence=index)[0] for index in range(4)]
    for name in ("images", "masks"):
        (folder / "d" / name).mkdir(parents=True)
    table = "".join(f"{name}: {colour}\n" for name, colour in CLASSES.items())
    (folder / "d/classes.yaml").write_text(table)
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"d/images/{index}.png")
        mask = cv2.resize(image, (101, 75))[..., 0] // 86
        Image.fromarray(mask).save(folder / f"d/masks/{index}.png")
    path = folder / CHECKPOINT
    path.parent.mkdir(parents=True)
    description = describe_run(network=NETWORK, image_min_size=64, mean=[0.5] * 3, std=[0.2] * 3)
    write_checkpoint(path, checkpoint_of(network_of(images), description))
    (path.parents[1] / "metrics.json").write_text("{}")
    done = run_command(
        "task=export", f"checkpoint={CHECKPOINT}", "task.images=d/images", folder=folder
    )
    assert done.returncode == 0, done.stderr
    assert "one file with its certificate" in done.stdout
    return folder


def network_of(images):
    """A network with BatchNorm statistics of the images and classes that are far apart."""
    torch.manual_seed(0)
    network = lraspp_mobilenet_v3_large(3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    batch = torch.from_numpy(np.stack(images) / 255 - 0.5).permute(0, 3, 1, 2).float() / 0.2
    with torch.no_grad():
        network(batch)
        logits = network.eval()(batch)["out"]
        for layer in (network.classifier.low_classifier, network.classifier.high_classifier):
            layer.weight *= 4 / logits.std()
            layer.bias *= 4 / logits.std()
        network.classifier.low_classifier.bias -= network(batch)["out"].mean((0, 2, 3))
    return network


def masks(folder, output):
    paths = sorted((folder / output).glob("*_index.png"))
    return {path.name: np.asarray(Image.open(path)) for path in paths}


def test_the_model_lies_beside_the_training_of_its_checkpoint(folder):
    assert [path.name for path in (folder / "runs/a/full/export").iterdir()] == ["model.onnx"]


def test_predict_writes_the_same_files_from_either(folder):
    for name, checkpoint in (("torch", CHECKPOINT), ("onnx", "runs/a/full/export/model.onnx")):
        done = run_command(
            *("task=predict", f"checkpoint={checkpoint}", "input=d/images", "trainer=cpu"),
            f"task.output_dir={name}",
            folder=folder,
        )
        assert done.returncode == 0, done.stderr
    ours, theirs = masks(folder, "torch"), masks(folder, "onnx")
    assert sorted(path.name for path in (folder / "onnx").iterdir()) == sorted(
        path.name for path in (folder / "torch").iterdir()
    )
    assert len(ours) == 4
    assert len(np.unique(np.stack(list(ours.values())))) == 3
    for name, mask in ours.items():
        assert (theirs[name] == mask).mean() > 0.999
    assert list((folder / "cache/checked_models").iterdir()), "the probes are not checked again"


def test_evaluate_gives_the_same_scores_from_either(folder):
    found = {}
    for name, checkpoint in (("torch", CHECKPOINT), ("onnx", "runs/a/full/export/model.onnx")):
        done = run_command(
            *("task=evaluate", f"checkpoint={checkpoint}", "task.split=all", *DATA),
            f"paths.output_dir={name}_scores",
            folder=folder,
        )
        assert done.returncode == 0, done.stderr
        found[name] = json.loads((folder / f"{name}_scores/metrics.json").read_text())
    assert found["onnx"].pop("checkpoint") == "runs/a/full/export/model.onnx"
    found["torch"].pop("checkpoint")
    assert found["onnx"].keys() == found["torch"].keys()
    assert found["onnx"]["images"] == found["torch"]["images"] == 4
    assert found["onnx"]["miou"] == pytest.approx(found["torch"]["miou"], abs=1e-3)


def test_an_altered_file_is_refused_in_one_line(folder):
    content = bytearray((folder / "runs/a/full/export/model.onnx").read_bytes())
    content[1000] ^= 1
    (folder / "altered.onnx").write_bytes(content)
    done = run_command("task=predict", "checkpoint=altered.onnx", "input=d/images", folder=folder)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "altered.onnx: was altered since it was exported" in line
    assert not (folder / "predictions").exists()


def test_options_that_do_not_go_together_are_refused(folder):
    done = run_command(
        *("task=export", f"checkpoint={CHECKPOINT}", "paths.output_dir=elsewhere"),
        *("task.format=torch_export", "task.precision=int8"),
        folder=folder,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "task.precision: is int8, but task.format=torch_export writes float32" in line
    assert not (folder / "elsewhere").exists()


def test_the_example_needs_no_aerialseg(folder):
    script = ROOT / "examples/onnx_predict.py"
    assert len(script.read_text().splitlines()) <= 60
    paths = sorted((folder / "d/images").glob("*.png"))
    copies = [folder / "shown" / path.name for path in paths]
    copies[0].parent.mkdir()
    for path, copy in zip(paths, copies, strict=True):
        copy.write_bytes(path.read_bytes())
    blocked = (
        "import sys, runpy; sys.modules.update(torch=None, cv2=None, aerialseg=None, onnx=None)\n"
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", blocked, script, "runs/a/full/export/model.onnx", *copies]
    subprocess.run(command, cwd=folder, check=True)
    done = run_command(
        *("task=predict", "checkpoint=runs/a/full/export/model.onnx", "input=d/images"),
        "task.output_dir=wanted",
        folder=folder,
    )
    assert done.returncode == 0, done.stderr
    for copy in copies:
        mask = Image.open(copy.with_name(f"{copy.stem}_mask.png"))
        wanted = np.asarray(Image.open(folder / f"wanted/{copy.stem}_index.png"))
        assert (np.asarray(mask) == wanted).mean() > 0.99
        assert mask.getpalette()[:9] == [level for colour in CLASSES.values() for level in colour]
