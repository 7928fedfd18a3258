"""Training beyond a former end has the schedule of a run that was that long from the start."""

from functools import partial

import pytest
import torch
from pytorch_lightning.callbacks import EarlyStopping

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.callbacks.extension import ExtendedTraining
from helpers.resuming import LearningRates
from helpers.tiny_training import make_data, make_module, make_trainer, small_network

POLYNOMIAL = torch.optim.lr_scheduler.PolynomialLR
PLATEAU = torch.optim.lr_scheduler.ReduceLROnPlateau
COSINE = torch.optim.lr_scheduler.CosineAnnealingLR
SCHEDULES = {
    "polynomial": lambda epochs: partial(POLYNOMIAL, total_iters=epochs, power=0.9),
    "cosine": lambda epochs: partial(COSINE, T_max=epochs),
    "none": lambda epochs: None,
    "plateau": lambda epochs: partial(PLATEAU, mode="max", patience=9),
}


def fit(folder, data, *, epochs, schedule="polynomial", rate=0.05, extra=(), patience=99):
    """Trains, from ``last.ckpt`` if there is one; returns the trainer and the rates."""
    module = make_module(
        small_network(0),
        optimizer=partial(torch.optim.SGD, lr=rate, momentum=0.9),
        scheduler=SCHEDULES[schedule](epochs),
        monitor="val/dice",
        start=1,
    )
    rates = LearningRates()
    stopping = EarlyStopping("val/dice", mode="max", patience=patience, min_delta=2.0)
    checkpoint = InMemoryCheckpoint(str(folder), every_n_epochs=1)
    trainer = make_trainer([*extra, checkpoint, rates, stopping], epochs=epochs)
    last = folder / "last.ckpt"
    trainer.fit(module, make_data(data), ckpt_path=last if last.exists() else None)
    return trainer, rates.seen


@pytest.fixture
def tiny(tmp_path):
    return tmp_path / "data"


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_rates_are_those_of_a_run_that_was_that_long_from_the_start(tmp_path, tiny, schedule):
    whole = fit(tmp_path / "whole", tiny, epochs=5, schedule=schedule)[1]
    fit(tmp_path / "parts", tiny, epochs=3, schedule=schedule)
    extra = [ExtendedTraining()]
    trainer, rates = fit(tmp_path / "parts", tiny, epochs=5, schedule=schedule, extra=extra)
    assert {epoch: rates[epoch] for epoch in (3, 4)} == {
        epoch: pytest.approx(whole[epoch]) for epoch in (3, 4)
    }
    assert trainer.current_epoch == 5
    momentum = trainer.optimizers[0].state.values()
    assert all("momentum_buffer" in state for state in momentum)


def test_another_rate_is_that_of_the_config(tmp_path, tiny):
    fit(tmp_path, tiny, epochs=2, schedule="none", rate=0.05)
    extra = [ExtendedTraining()]
    _, rates = fit(tmp_path, tiny, epochs=3, schedule="none", rate=0.01, extra=extra)
    assert rates[2] == 0.01


def test_a_run_that_early_stopping_has_ended_is_trained_on_with_todays_patience(tmp_path, tiny):
    trainer, _ = fit(tmp_path, tiny, epochs=9, patience=1)
    assert trainer.current_epoch == 2  # the first epoch is an improvement, the second is none
    trainer, _ = fit(tmp_path, tiny, epochs=9, patience=3, extra=[ExtendedTraining()])
    assert trainer.current_epoch == 5
