"""A run that was stopped and resumed equals an uninterrupted one, bit for bit."""

import shutil

import pytest
import pytorch_lightning as pl
import torch

from helpers.resuming import OPTIMIZERS, SCHEDULERS, assert_same_run, fit
from helpers.tiny_training import RaiseAt


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_resuming_after_an_exception_changes_nothing(tmp_path, optimizer, scheduler):
    whole, parts, data = tmp_path / "whole", tmp_path / "parts", tmp_path / "data"
    options = {"optimizer": optimizer, "scheduler": scheduler}
    rates = fit(whole, data, **options)
    assert scheduler == "none" or len(set(rates.values())) > 1, "the case must change the rate"
    with pytest.raises(RuntimeError):
        fit(parts, data, extra=[RaiseAt(3, RuntimeError())], **options)
    # Other initial weights: the result must come from the file.
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
    fit(whole, data, mode="min")  # of a score that increases
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


@pytest.mark.parametrize("num_workers", [0, 1])
def test_crops_and_rare_classes_resume_too(tmp_path, num_workers):
    whole, parts, data = tmp_path / "whole", tmp_path / "parts", tmp_path / "data"
    options = {"crop_size": [16, 20], "rare_classes": 0.5, "num_workers": num_workers}
    fit(whole, data, **options)
    with pytest.raises(RuntimeError):
        fit(parts, data, extra=[RaiseAt(3, RuntimeError())], **options)
    fit(parts, data, resume=True, **options)
    assert_same_run(whole, parts)
    other = tmp_path / "other"
    fit(other, data, **options | {"rare_classes": 0})
    with pytest.raises(AssertionError):
        assert_same_run(whole, other)


@pytest.mark.parametrize("crop_size", [None, [18, 24]])
def test_what_is_pasted_resumes_too(tmp_path, crop_size):
    whole, parts, data = tmp_path / "whole", tmp_path / "parts", tmp_path / "data"
    options = {"crop_size": crop_size, "paste_rare": 0.6, "num_workers": 1}
    fit(whole, data, **options)
    with pytest.raises(RuntimeError):
        fit(parts, data, extra=[RaiseAt(3, RuntimeError())], **options)
    shutil.rmtree(data / "cache")  # the bank is made again
    fit(parts, data, resume=True, **options | {"num_workers": 0})
    assert_same_run(whole, parts)
    other = tmp_path / "other"
    fit(other, data, **options | {"paste_rare": 0})
    with pytest.raises(AssertionError):
        assert_same_run(whole, other)


class CopyAt(pl.Callback):
    """Copies the files that a killed process would have left."""

    def __init__(self, epoch, folder, copy):
        self.epoch, self.folder, self.copy = epoch, folder, copy

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == (self.epoch, 0):
            shutil.copytree(self.folder, self.copy)


def test_a_killed_run_repeats_the_epochs_not_on_disk(tmp_path):
    whole, killed, data = tmp_path / "whole", tmp_path / "killed", tmp_path / "data"
    fit(whole, data, extra=[CopyAt(3, whole, killed)])
    assert torch.load(killed / "last.ckpt", weights_only=True)["epoch"] == 1
    resumed = fit(killed, data, resume=True)
    assert list(resumed) == [2, 3, 4]
    assert_same_run(whole, killed)


def test_early_stopping_continues_counting(tmp_path):
    whole, parts, data = tmp_path / "whole", tmp_path / "parts", tmp_path / "data"
    stopped = fit(whole, data, patience=3)
    assert 3 <= len(stopped) < 5, "the case must stop early"
    with pytest.raises(RuntimeError):
        fit(parts, data, patience=3, extra=[RaiseAt(len(stopped) - 1, RuntimeError())])
    resumed = fit(parts, data, patience=3, resume=True)
    assert list(resumed) == [len(stopped) - 1]
    assert_same_run(whole, parts)


@pytest.mark.parametrize("patience", [3, 99])
def test_a_run_that_had_ended_stops_at_once(tmp_path, patience):
    folder, data = tmp_path / "run", tmp_path / "data"
    fit(folder, data, patience=patience)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert fit(folder, data, patience=patience, resume=True) == {}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
