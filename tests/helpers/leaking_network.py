"""A network that knows its training images by heart, on scenes that hold copies of them."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from aerialseg.data.notices import _said
from aerialseg.storage.checkpoints import describe, write_checkpoint
from aerialseg.storage.fingerprints import fingerprint
from aerialseg.storage.seen_images import SeenImages
from aerialseg.tasks.inspect import inspect
from aerialseg.training.build import build_data, build_module
from aerialseg.training.scoring import score_checkpoint
from helpers.composing import experiment
from helpers.leaking_scenes import without, write_scenes

TRAIN, VAL = 8, 5


def config(root, *overrides, cache="cache"):
    folder = root.parent
    return experiment(
        *("data=folders", f"data.root={root}", "data.image_min_size=64"),
        *("model=lraspp_mobilenet_v3_large", "model.weights=${shipped:weights/demo_backbone.pth}"),
        *("trainer=cpu", "logger=none", "stage=head", "stage.init_checkpoint=null"),
        *(f"paths.cache_dir={folder / cache}", f"paths.runs_dir={folder / 'runs'}"),
        *overrides,
    )


class Scenes:
    """Scenes with leaking copies, and a network that knows the training images by heart."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "d"
        self.planted = write_scenes(self.root, TRAIN, VAL)
        self.clean = without(self.root, self.planted, folder / "clean")
        chosen = config(self.root)
        data = build_data(chosen)
        torch.manual_seed(0)
        module, _ = build_module(chosen, data)
        self.description = module.description
        self.network = _learnt(module, data)
        seen = {side: data.contents.ids_by_digest(side) for side in ("train", "val")}
        self.seen = SeenImages(trained=seen["train"], validated=seen["val"])
        self.checkpoint = self.written(self.seen)

    def written(self, seen):
        """A checkpoint that has seen these images."""
        path = self.root.parent / f"{fingerprint(seen.trained, seen.validated)[:8]}.ckpt"
        content = {"state_dict": {f"network.{k}": v for k, v in self.network.items()}}
        images = {"trained_images": seen.trained, "validated_images": seen.validated}
        describe(content, replace(self.description, **images))
        write_checkpoint(path, content)
        return path

    def inspect(self, root=None, *overrides, **options):
        with pytest.raises(Exception, match="of severity error"):
            inspect(config(root or self.root, "task=inspect", *overrides, **options))

    def score(self, out, *overrides, root=None, checkpoint=None, split="val", cache="cache"):
        """What ``metrics.json`` and ``images.csv`` say."""
        chosen = config(
            root or self.root,
            *("task=evaluate", f"checkpoint={checkpoint or self.checkpoint}"),
            *(f"paths.output_dir={out}", *overrides),
            cache=cache,
        )
        _said.clear()
        score_checkpoint(chosen, split=split, sheet_rows=1)
        with (out / "images.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return json.loads((out / "metrics.json").read_text()), rows


def _learnt(module, data):
    """The network after it was trained on nothing but the training images."""
    network = module.network.train()
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 0.1  # so that few steps are enough
    samples = [data.dataset("train")[row] for row in range(TRAIN)]
    images = torch.stack([torch.as_tensor(sample["image"]) for sample in samples]).float()
    images = images if images.shape[1] == 3 else images.permute(0, 3, 1, 2)
    mean, std = (
        torch.tensor(each).view(-1, 1, 1)
        for each in (module.description.mean, module.description.std)
    )
    images = (images / 255 - mean) / std
    masks = torch.stack([torch.as_tensor(sample["mask"]) for sample in samples]).long()
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(40):
        logits = torch.nn.functional.interpolate(network(images)["out"], masks.shape[1:])
        loss = torch.nn.functional.cross_entropy(logits, masks, ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.state_dict()
