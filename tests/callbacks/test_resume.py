"""A run that was stopped and resumed equals, bit for bit, one that never was."""

import shutil
from functools import partial

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from helpers.tiny_training import RaiseAt, make_data, make_module, make_trainer, small_network

SCHEDULERS = {
    "polynomial": partial(torch.optim.lr_scheduler.PolynomialLR, total_iters=5, power=0.9),
    "cosine": partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=5),
    "none": None,
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
    """Trains with fresh objects, the random state of the process being another each time."""
    scheduler = SCHEDULERS[options.pop("scheduler", "polynomial")]
    patience, mode = options.pop("patience", 99), options.pop("mode", "max")
    pictures = {name: options.pop(name) for name in ("count", "num_workers") if name in options}
    module = make_module(
        small_network(seed), optimizer=OPTIMIZERS[optimizer], scheduler=scheduler, start=1
    )
    torch.manual_seed(torch.seed())
    rates = LearningRates()
    stopping = EarlyStopping("val/dice", mode="max", patience=patience, min_delta=0.5)
    checkpoint = InMemoryCheckpoint(str(folder), mode=mode, every_n_epochs=2)
    trainer = make_trainer([checkpoint, rates, stopping, *extra], epochs=5, **options)
    snapshot = folder / "last.ckpt" if resume else None
    trainer.fit(module, make_data(data, **pictures), ckpt_path=snapshot)
    return rates.seen


def same(first, second):
    """Equal in every key, value and bit."""
    if isinstance(first, torch.Tensor):
        return isinstance(second, torch.Tensor) and torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


def assert_same_run(first, second):
    for name in ("last.ckpt", "best.ckpt"):
        files = [torch.load(folder / name, weights_only=True) for folder in (first, second)]
        for key in files[0].keys() | files[1].keys():
            assert same(files[0][key], files[1][key]), f"{name}: {key}"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_resuming_after_an_exception_changes_nothing(tmp_path, optimizer, scheduler):
    whole, parts, data = tmp_path / "whole", tmp_path / "parts", tmp_path / "data"
    options = {"optimizer": optimizer, "scheduler": scheduler}
    rates = fit(whole, data, **options)
    with pytest.raises(RuntimeError):
        fit(parts, data, extra=[RaiseAt(3, RuntimeError())], **options)
    # Other weights at first: what counts must come from the file.
    resumed = fit(parts, data, resume=True, seed=1, **options)
    assert resumed == {epoch: rates[epoch] for epoch in (3, 4)}
    assert_same_run(whole, parts)


def test_resuming_twice_changes_nothing(tmp_path):
    whole, parts, data = tmp_path / "whole", tmp_path / "parts", tmp_path / "data"
    fit(whole, data)
    for epoch in (1, 4):
        with pytest.raises(SystemExit):
            fit(parts, data, resume=epoch > 1, extra=[RaiseAt(epoch, KeyboardInterrupt())])
    fit(parts, data, resume=True)
    assert_same_run(whole, parts)


def test_an_early_best_is_not_forgotten(tmp_path):
    whole, parts, data = tmp_path / "whole", tmp_path / "parts", tmp_path / "data"
    fit(whole, data, mode="min")  # of a score that rises
    assert torch.load(whole / "best.ckpt", weights_only=True)["epoch"] < 3
    with pytest.raises(RuntimeError):
        fit(parts, data, mode="min", extra=[RaiseAt(3, RuntimeError())])
    fit(parts, data, mode="min", resume=True)
    assert_same_run(whole, parts)


def test_accumulated_gradients_resume_too(tmp_path):
    whole, parts, data = tmp_path / "whole", tmp_path / "parts", tmp_path / "data"
    fit(whole, data, accumulate_grad_batches=3)
    with pytest.raises(RuntimeError):
        fit(parts, data, extra=[RaiseAt(2, RuntimeError())], accumulate_grad_batches=3)
    fit(parts, data, resume=True, accumulate_grad_batches=3)
    assert_same_run(whole, parts)


class CopyAt(pl.Callback):
    """Keeps what a killed process would have left."""

    def __init__(self, epoch, folder, copy):
        self.epoch, self.folder, self.copy = epoch, folder, copy

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == (self.epoch, 0):
            shutil.copytree(self.folder, self.copy)


def test_a_killed_run_repeats_what_the_disk_did_not_have(tmp_path):
    whole, killed, data = tmp_path / "whole", tmp_path / "killed", tmp_path / "data"
    fit(whole, data, extra=[CopyAt(3, whole, killed)])
    assert torch.load(killed / "last.ckpt", weights_only=True)["epoch"] == 1
    resumed = fit(killed, data, resume=True)
    assert list(resumed) == [2, 3, 4]
    assert_same_run(whole, killed)


def test_early_stopping_goes_on_counting(tmp_path):
    whole, parts, data = tmp_path / "whole", tmp_path / "parts", tmp_path / "data"
    stopped = fit(whole, data, patience=3)
    assert 3 <= len(stopped) < 5, "the case must stop early"
    with pytest.raises(RuntimeError):
        fit(parts, data, patience=3, extra=[RaiseAt(len(stopped) - 1, RuntimeError())])
    resumed = fit(parts, data, patience=3, resume=True)
    assert list(resumed) == [len(stopped) - 1]
    assert_same_run(whole, parts)


@pytest.mark.parametrize("patience", [3, 99])
def test_a_run_that_had_ended_does_not_go_on(tmp_path, patience):
    folder, data = tmp_path / "run", tmp_path / "data"
    fit(folder, data, patience=patience)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert fit(folder, data, patience=patience, resume=True) == {}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
