"""Every example in CONTRIBUTING.md works in a copy of the repository."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import sklearn.metrics
import torch

from aerialseg.metrics.confusion import confusion_matrix
from aerialseg.metrics.scores import iou_per_class
from helpers.composing import lines
from helpers.pages import ROOT, blocks, files_in
from helpers.tiny_data import save

PAGE = ROOT / "CONTRIBUTING.md"
TINY = [
    *("experiment=demo", "trainer=cpu", "data.layout.count=8", "data.layout.test_count=0"),
    *("data.layout.size=[64,96]", "data.image_min_size=48", "data.num_workers=0"),
    *("model=lraspp_mobilenet_v3_large", "model.weights=none", "stage.epochs=1"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository with every file that the page shows."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("src", "conf"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "run.py", folder)
    for path, content in files_in(PAGE).items():
        assert not (ROOT / path).exists(), f"{path} is there already; choose another example"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return folder


def run(copy, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(copy / "src")}
    command = [sys.executable, str(copy / "run.py"), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_are_examples_of_every_kind():
    folders = {path.rpartition("/")[0] for path in files_in(PAGE)}
    assert folders >= {f"conf/{g}" for g in ("data", "model", "loss", "stage", "task", "callbacks")}


@pytest.mark.parametrize(
    "path", [path for path in files_in(PAGE) if path.startswith("conf/")], ids=str
)
def test_the_yaml_of_every_example_composes(copy, path):
    group, choice = path.removeprefix("conf/").removesuffix(".yaml").split("/")
    found = lines(f"{group}={choice}", "model.weights=none", conf=copy / "conf")
    # What is defined in the copy only cannot be imported here; the runs below do so.
    own = [file.rpartition("/")[2].removesuffix(".py") for file in files_in(PAGE) if "src" in file]
    missing = [f"has no '{name}'" for name in own]
    known = ["does not exist; run", *missing]
    assert [line for line in found if not any(text in line for text in known)] == []


def test_the_metric_is_that_of_scikit_learn():
    (code,) = [text for text in blocks(PAGE, "python") if text.startswith("def ")]
    names = {"Tensor": torch.Tensor, "iou_per_class": iou_per_class}
    exec(code, names)
    truth = torch.tensor([[0, 0, 1, 1, 1, 3]])
    guess = torch.tensor([[0, 1, 1, 1, 3, 3]])
    wanted = sklearn.metrics.jaccard_score(truth[0], guess[0], average="weighted")
    found = names["frequency_weighted_iou"](confusion_matrix(guess, truth, 4))
    assert float(found) == pytest.approx(wanted)


@pytest.mark.slow
def test_the_loss_the_callback_the_augmentation_and_the_stage_train(copy):
    run(copy, *TINY, "stage=aspp", "stage.init_checkpoint=null", "loss=tversky", "run_name=a")
    start = "stage.init_checkpoint=runs/a/aspp/train/checkpoints/best.ckpt"
    extra = ["augmentation=flips", "callbacks=with_memory", "run_name=b"]
    said = run(copy, *TINY, "stage=upper_blocks", start, *extra)
    assert "stage upper_blocks: best epoch 1 of 1" in said


@pytest.mark.slow
def test_the_task_counts(copy):
    said = run(copy, "task=count_pixels", *TINY)
    shares = [float(line.partition(": ")[2]) for line in said.splitlines() if ": " in line]
    assert sum(shares) == pytest.approx(1)


@pytest.mark.slow
def test_the_layout_lists_images_beside_masks(copy, tmp_path):
    for seed in range(6):
        pixels = np.random.default_rng(seed).integers(0, 3, (32, 32, 3), dtype=np.uint8)
        save(tmp_path / "site" / f"{seed}.jpg", pixels)
        save(tmp_path / "site" / f"{seed}_mask.png", pixels[..., 0])
    data = ["data=side_by_side", f"data.root={tmp_path / 'site'}", "data.image_min_size=32"]
    said = run(copy, "task=check", *data, "model=lraspp_mobilenet_v3_large", "model.weights=none")
    assert "on 5 images, 1 to validate" in said


@pytest.mark.slow
def test_the_network_is_built(copy):
    pytest.importorskip("segmentation_models_pytorch")
    assert "segmentation_head" in run(copy, "task=layers", "model=fpn_resnet18")
