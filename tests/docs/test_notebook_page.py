"""The cells of docs/notebook.md run after a demo, as they are printed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.models import networks
from aerialseg.scenes import write_scenes
from aerialseg.storage.checkpoints import describe, write_checkpoint
from helpers.composing import CONF
from helpers.pages import ROOT, blocks, commands
from helpers.tiny_training import describe_run

CELLS = blocks(ROOT / "docs/notebook.md", "python")
TARGET = "aerialseg.models.networks.lraspp_mobilenet_v3_large"


@pytest.fixture
def demo(tmp_path):
    """What the demo leaves, from an untrained network, in the folder the cells run in."""
    write_scenes(tmp_path / "data/demo", count=12, test_count=0, size=(48, 64), seed=0)
    classes = ClassTable.read(CONF / "data/classes/aeroscapes.yaml").to_mapping()
    state = networks.lraspp_mobilenet_v3_large(12).state_dict()
    content = {"state_dict": {f"network.{name}": tensor for name, tensor in state.items()}}
    network = {"_target_": TARGET, "num_classes": 12}
    describe(content, describe_run(network=network, classes=classes, image_min_size=48))
    path = tmp_path / "runs/demo/full/train/checkpoints/best.ckpt"
    path.parent.mkdir(parents=True)
    write_checkpoint(path, content)


def test_the_cells_show_samples_and_predictions_and_segment_an_image(demo):
    torch.manual_seed(0)
    samples, predictions, segment = CELLS
    names = {}
    *before, shown = samples.strip().splitlines()
    exec("\n".join(before), names)
    assert isinstance(eval(shown, names), Image.Image)
    *before, shown = predictions.strip().splitlines()
    exec("\n".join(before), names)
    assert isinstance(eval(shown, names), Image.Image)
    file = next(Path("data/demo/imgs/imgs").glob("*.jpg")).name
    exec(segment.replace("FILE.jpg", file), names)
    assert names["mask"].shape == names["image"].shape[:2] == (48, 64)
    assert names["mask"].dtype == np.uint8


def test_the_page_follows_the_demo():
    assert list(commands(ROOT / "docs/notebook.md")) == [["task=curriculum", "experiment=demo"]]
