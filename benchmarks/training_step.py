"""One step of the first and of the last stage: forward, loss, metrics, backward, optimizer."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from aerialseg.data.dataset import SemSegDataset
from aerialseg.data.loading.batches import collate
from aerialseg.models.module import Batch, SegmentationModule
from benchmarks.command import run
from benchmarks.experiment import config, data_module, training_module
from benchmarks.images import data_root, with_every_class
from benchmarks.plain.step import PlainStep
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare

# There is no trainer to log to.
warnings.filterwarnings("ignore", message="You are trying to `self.log")


def rows(setting: Setting) -> Iterator[Row]:
    """A training step on a batch of 2, in float32: the classifier only, and the whole network."""
    for number, stage, goal in ((1, "head", 1.4), (5, "full", 1.4)):
        plain, ours = _steps(stage, setting)
        yield Row(f"training step, stage {number}, batch 2", *compare(plain, ours, setting), goal)


def _steps(stage: str, setting: Setting) -> tuple[Callable[[], None], Callable[[], None]]:
    """The plain step of a stage and ours, after checking that they agree."""
    root = data_root(setting, train=2)
    options = (f"stage={stage}", "augmentation=none")
    data = data_module(root, *options)
    module = training_module(config(root, *options), data).to(setting.device)
    batch = _batch(data.dataset("train"), len(data.classes), setting.device)
    plain = PlainStep(module)
    images, target = module.normalised(batch["image"]).contiguous(), batch["mask"].long()

    # In training mode the plain step updates frozen BatchNorm, so compare in eval mode.
    plain.network.eval(), module.eval()
    wanted, got = plain.loss(images, target), module.training_step(batch, 0)
    check(torch.allclose(wanted, got, rtol=1e-3), f"loss {wanted} and {got}")
    plain.network.train(), module.train()
    ours = OurStep(module)
    return lambda: plain(images, target), lambda: ours(batch)


class OurStep:
    """A training step of the module as the trainer runs it.

    Args:
        module: The module, on its device.
    """

    def __init__(self, module: SegmentationModule) -> None:
        self.module = module
        chosen: Any = module.configure_optimizers()
        self.optimizer: Optimizer = chosen["optimizer"]

    def __call__(self, batch: Batch) -> None:
        """Trains on one batch."""
        self.optimizer.zero_grad()
        torch.autograd.backward(self.module.training_step(batch, 0))
        clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimizer.step()


def _batch(dataset: SemSegDataset, num_classes: int, device: str) -> dict[str, Tensor]:
    samples = [dataset[index] for index in range(len(dataset))]
    for sample in samples:
        marked = with_every_class(sample["mask"].numpy(), num_classes)
        sample["mask"] = torch.from_numpy(marked)
    batch = collate(samples)
    return {name: batch[name].to(device) for name in ("image", "mask")}


if __name__ == "__main__":
    run(rows)
