"""With an average, too, a run that was stopped and resumed equals an uninterrupted one."""

import shutil

import pytest
import torch

from aerialseg.callbacks.ema import ExponentialMovingAverage
from aerialseg.callbacks.extension import ExtendedTraining
from aerialseg.callbacks.signals import StopOnSignal
from aerialseg.stopping import Stopped
from aerialseg.storage.averaged_weights import beside
from aerialseg.storage.checkpoints import read_checkpoint
from helpers.resuming import assert_same_run, fit
from helpers.tiny_training import RaiseAt

MODES = {"max": False, "min": True}
"""Of a score that increases, and whether the average, which lags behind, is the best then."""


def averaged_fit(folder, data, *, extra=(), **options):
    return fit(folder, data, extra=[*extra, ExponentialMovingAverage(horizon=0.5)], **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run for each way of training."""
    root, made = tmp_path_factory.mktemp("whole"), {}

    def run(**options):
        key = str(sorted(options.items()))
        if key not in made:
            made[key] = root / str(len(made))
            averaged_fit(made[key], root / "data", **options)
        return made[key]

    return run


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("epoch", [1, 3])
def test_after_an_exception(tmp_path, whole, mode, epoch):
    parts, data = tmp_path / "parts", tmp_path / "data"
    with pytest.raises(RuntimeError):
        averaged_fit(parts, data, mode=mode, extra=[RaiseAt(epoch, RuntimeError())])
    averaged_fit(parts, data, mode=mode, resume=True, seed=1)
    assert read_checkpoint(parts / "best.ckpt")["aerialseg"]["averaged_weights"] is MODES[mode]
    assert_same_run(whole(mode=mode), parts)


@pytest.mark.parametrize(
    "options",
    [{}, {"accumulate_grad_batches": 2}, {"optimizer": "adamw"}, {"check_val_every_n_epoch": 2}],
    ids=str,
)
def test_stopped_after_every_batch_and_in_every_validation(tmp_path, whole, options):
    run, data, stops = tmp_path / "run", tmp_path / "data", 0
    for resume in (False, *[True] * 60):
        extra = [StopOnSignal(max_seconds=0)]
        try:
            averaged_fit(run, data, resume=resume, seed=resume, extra=extra, **options)
        except Stopped:
            stops += 1
        else:
            break
    assert stops > 5
    assert_same_run(whole(**options), run)


@pytest.mark.parametrize("mode", MODES)
def test_goes_on_from_the_best_if_the_last_is_lost(tmp_path, whole, mode):
    parts, data = tmp_path / "parts", tmp_path / "data"
    shutil.copytree(whole(mode=mode), parts)
    shutil.copy(parts / "best.ckpt", parts / "last.ckpt")
    averaged_fit(parts, data, mode=mode, resume=True, seed=1)
    if mode == "max":  # the best epoch was the last, so nothing was trained
        assert_same_run(whole(mode=mode), parts)
        return
    first, second = (read_checkpoint(each / "last.ckpt") for each in (whole(mode=mode), parts))
    for name, tensor in first["state_dict"].items():
        assert torch.equal(tensor, second["state_dict"][name])
    for name, tensor in beside(first)["weights"].items():
        assert torch.equal(tensor, beside(second)["weights"][name])


def test_an_extension_goes_on_with_the_average_and_the_decay_of_the_new_length(tmp_path):
    run, data = tmp_path / "run", tmp_path / "data"
    averaged_fit(run, data)
    before = beside(read_checkpoint(run / "last.ckpt"))
    average = ExponentialMovingAverage(horizon=0.5)
    extra = [ExtendedTraining(), average]
    fit(run, data, resume=True, extra=extra, epochs=7)
    after = beside(read_checkpoint(run / "last.ckpt"))
    assert before["updates"] == 15
    assert after["updates"] == 21
    assert average._decay == pytest.approx(1 - 1 / 10.5)
