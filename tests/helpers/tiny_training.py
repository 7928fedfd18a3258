"""A small network, a few images, and everything else that a fit needs."""

from dataclasses import fields
from functools import partial
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from PIL import Image
from torch import nn

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import folders
from aerialseg.losses import DiceCrossEntropyLoss
from aerialseg.models.freeze_plan import FreezePlan
from aerialseg.models.layer_groups import layer_groups
from aerialseg.models.module import SegmentationModule
from aerialseg.models.networks import lraspp_mobilenet_v3_large
from aerialseg.models.optimization import Optimization
from aerialseg.storage.checkpoints import Description, describe, write_checkpoint

CLASSES = {"ground": [10, 20, 30], "car": [200, 0, 0], "tree": [0, 200, 0]}
GROUPS = ["stem", "body", ["classifier", "aux_classifier"]]
HEAD_GROUPS = [
    "classifier.0",
    ["classifier.1", "aux_classifier.0", "aux_classifier.1", "aux_classifier.2"],
    ["classifier.2", "aux_classifier.3"],
    "classifier.3",
    ["classifier.4", "aux_classifier.4"],
]
"""The layer groups of DeepLabV3 behind its backbone."""


class SmallNetwork(nn.Module):
    """Convolutions, BatchNorm and dropout in every part that can be frozen."""

    def __init__(self, num_classes=3, *, aux_head=True):
        super().__init__()
        self.stem = _block(3, 6)
        self.body = _block(6, 6)
        self.classifier = nn.Conv2d(6, num_classes, 1)
        self.aux_classifier = nn.Conv2d(6, num_classes, 1) if aux_head else None

    def forward(self, x):
        stem = self.stem(x)
        logits = {"out": self.classifier(self.body(stem))}
        return (
            logits if self.aux_classifier is None else logits | {"aux": self.aux_classifier(stem)}
        )


def _block(width_in, width_out):
    conv = nn.Conv2d(width_in, width_out, 3, padding=1)
    return nn.Sequential(conv, nn.BatchNorm2d(width_out), nn.ReLU(), nn.Dropout(0.3))


def small_network(seed=0, **arguments):
    torch.manual_seed(seed)
    return SmallNetwork(**arguments)


def show_images(network):
    """Gives BatchNorm statistics, so that the features of random weights are not tiny."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(4, 3, 48, 64))


def describe_run(**changes):
    facts = {
        "network": {"_target_": "aerialseg.models.networks.lraspp_mobilenet_v3_large"},
        "classes": CLASSES,
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.3, 0.4],
        "image_min_size": 24,
        "stage": "aspp",
        "run_name": "default",
        "parent": {"path": "parent.ckpt", "sha256": "0" * 64},
    }
    return Description(**facts | changes)


def checkpoint_of(network, description=None):
    """The content of a checkpoint."""
    content = {"state_dict": {f"network.{k}": v for k, v in network.state_dict().items()}}
    describe(content, description or describe_run())
    return content


def write_network(path, **changes):
    """A checkpoint of a network that was trained on nothing; returns its path."""
    torch.manual_seed(0)
    network = lraspp_mobilenet_v3_large(3)
    target = "aerialseg.models.networks.lraspp_mobilenet_v3_large"
    description = describe_run(network={"_target_": target, "num_classes": 3}, **changes)
    write_checkpoint(path, checkpoint_of(network, description))
    return path


def make_module(network=None, *, groups=GROUPS, start=0, fresh=(), **changes):
    network = small_network() if network is None else network
    optimization = {
        "make_optimizer": partial(torch.optim.SGD, lr=0.05, momentum=0.9, weight_decay=1e-2),
        "make_scheduler": partial(torch.optim.lr_scheduler.PolynomialLR, total_iters=6, power=0.9),
    }
    for name in (field.name for field in fields(Optimization)):
        if (short := name.removeprefix("make_")) in changes:
            optimization[name] = changes.pop(short)
    parts = {
        "plan": FreezePlan(layer_groups(network, groups), start, fresh),
        "optimization": Optimization(**optimization),
        "aux_weight": 0.5,
        "seed": 3,
        "description": describe_run(),
    }
    loss = changes.pop("loss", None) or DiceCrossEntropyLoss(class_weights=[0.5, 1.0, 2.0])
    return SegmentationModule(network, loss, **parts | changes)


def random_images(count=2, size=(8, 10), seed=0):
    """``(count, 3, *size)`` uint8, as loaders give them."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, *size), dtype=torch.uint8, generator=generator)


def make_data(root: Path, *, count=9, size=(24, 32), **changes):
    """Images whose classes have their own colours, so that they can be learned."""
    generator = np.random.default_rng(0)
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for index in range(count):
        mask = generator.integers(0, 3, (4, 4)).astype(np.uint8).repeat(6, 0).repeat(8, 1)
        mask = mask[: size[0], : size[1]]
        noise = generator.integers(0, 60, (*mask.shape, 3))
        image = (np.array(list(CLASSES.values()))[mask] * 0.7 + noise).astype(np.uint8)
        Image.fromarray(image).save(root / f"images/{index}.png")
        Image.fromarray(mask).save(root / f"masks/{index}.png")
    arguments = {"image_min_size": None, "batch_size": 2, "num_workers": 0}
    return AerialSegDataModule(
        root, folders, classes=CLASSES, cache_dir=root / "cache", **arguments | changes
    )


def make_trainer(callbacks=(), *, epochs=6, **changes):
    arguments = {
        "accelerator": "cpu",
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": True,
        "num_sanity_val_steps": 1,
        "use_distributed_sampler": False,
        "gradient_clip_val": 1.0,
        "log_every_n_steps": 1,
    }
    return pl.Trainer(callbacks=list(callbacks), max_epochs=epochs, **arguments | changes)


class RaiseAt(pl.Callback):
    """Stops training in the middle of an epoch."""

    def __init__(self, epoch, exception, *, batch=1):
        self.moment = (epoch, batch)
        self.exception = exception

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.moment:
            raise self.exception
