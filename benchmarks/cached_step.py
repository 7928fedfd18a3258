"""One step of the first stage from cached features of its frozen part."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from aerialseg.models.module import Batch
from aerialseg.training.feature_cache import cache_stage_features
from benchmarks.command import run
from benchmarks.experiment import config, data_module, training_module
from benchmarks.images import data_root
from benchmarks.plain.step import PlainStep
from benchmarks.row import Row
from benchmarks.timing import Setting, check, compare
from benchmarks.training_step import OurStep


def rows(setting: Setting) -> Iterator[Row]:
    """A training step of stage 1 on a batch of 2, from cached features, including reading them."""
    root = data_root(setting, train=2)
    options = ("stage=head", "stage.cache_features=on", "data.batch_size=2", "data.num_workers=0")
    experiment = config(root, *options)
    data = data_module(root, *options)
    module = training_module(experiment, data).to(setting.device)
    (batch,) = data.train_dataloader()
    plain = PlainStep(module)
    images = module.normalised(batch["image"].to(setting.device)).contiguous()
    target = batch["mask"].to(setting.device).long()

    cache_stage_features(experiment, module, data, cache_dir=Path(experiment.paths.cache_dir))
    loader = data.train_dataloader()
    module.eval()
    wanted = module.training_step({"image": batch["image"].to(setting.device), "mask": target}, 0)
    got = module.training_step(_batch(loader, setting.device), 0)
    check(torch.allclose(wanted, got, rtol=1e-3), f"loss {wanted} and {got}")
    module.train()

    ours = OurStep(module)
    seconds = compare(
        lambda: plain(images, target), lambda: ours(_batch(loader, setting.device)), setting
    )
    yield Row("training step, stage 1, cached features", *seconds, goal=4)


def _batch(loader: Iterable[Batch], device: str) -> Batch:
    (batch,) = loader
    features = {head: values.to(device) for head, values in batch["features"].items()}
    return {"features": features, "mask": batch["mask"].to(device)}


if __name__ == "__main__":
    run(rows)
