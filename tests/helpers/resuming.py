"""Fits that are stopped and resumed, and their comparison bit for bit."""

from functools import partial

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.models.schedules import Polynomial
from helpers.comparison import differences
from helpers.tiny_training import make_data, make_module, make_trainer, small_network

SCHEDULERS = {
    "polynomial": partial(torch.optim.lr_scheduler.PolynomialLR, total_iters=5, power=0.9),
    "cosine": partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=5),
    "by step": Polynomial,
    "none": None,
    "plateau": partial(
        torch.optim.lr_scheduler.ReduceLROnPlateau, mode="max", patience=0, threshold=0.9
    ),
}
OPTIMIZERS = {
    "sgd": partial(torch.optim.SGD, lr=0.05, momentum=0.9, weight_decay=1e-4, nesterov=True),
    "adamw": partial(torch.optim.AdamW, lr=1e-2),
}


class LearningRates(pl.Callback):
    def __init__(self):
        self.seen = {}

    def on_train_epoch_start(self, trainer, pl_module):
        self.seen[trainer.current_epoch] = trainer.optimizers[0].param_groups[0]["lr"]


def fit(folder, data, *, resume=False, extra=(), seed=0, optimizer="sgd", **options):
    """Trains with new objects and another random state each time."""
    scheduler = SCHEDULERS[options.pop("scheduler", "polynomial")]
    patience, mode = options.pop("patience", 99), options.pop("mode", "max")
    distillation = options.pop("distillation", None)
    of_data = ("count", "num_workers", "crop_size", "rare_classes", "paste_rare")
    images = {name: options.pop(name) for name in of_data if name in options}
    module = make_module(
        small_network(seed),
        optimizer=OPTIMIZERS[optimizer],
        scheduler=scheduler,
        monitor="val/dice",
        start=1,
        distillation=distillation,
    )
    torch.manual_seed(torch.seed())
    rates = LearningRates()
    stopping = EarlyStopping("val/dice", mode="max", patience=patience, min_delta=0.5)
    checkpoint = InMemoryCheckpoint(str(folder), mode=mode, every_n_epochs=2)
    trainer = make_trainer([checkpoint, rates, stopping, *extra], **{"epochs": 5} | options)
    snapshot = folder / "last.ckpt" if resume else None
    trainer.fit(module, make_data(data, **images), ckpt_path=snapshot)
    return rates.seen


def assert_same_run(first, second):
    for name in ("last.ckpt", "best.ckpt"):
        files = [torch.load(folder / name, weights_only=True) for folder in (first, second)]
        assert not list(differences(*files, name))
