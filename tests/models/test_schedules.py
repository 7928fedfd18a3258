"""The rate of every step: warm-up, decay, resume; against the formulas."""

import math
from functools import partial

import pytest
import torch
from torch.optim.lr_scheduler import PolynomialLR

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.callbacks.extension import ExtendedTraining
from aerialseg.errors import ConfigError
from aerialseg.models.schedules import Constant, Cosine, Polynomial
from helpers.tiny_training import RaiseAt, make_data, make_module, make_trainer, small_network


def optimizer_of(*rates):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=1.0)


def rates_of(schedule, steps):
    """The rates of all groups at each step."""
    seen = []
    for _ in range(steps):
        seen.append([group["lr"] for group in schedule.optimizer.param_groups])
        schedule.optimizer.step()
        schedule.step()
    return seen


def test_polynomial_is_torchs_formula_at_every_step():
    ours = Polynomial(optimizer_of(0.5, 0.1), power=0.9)
    ours.begin(total_steps=7, warmup_steps=0)
    theirs = PolynomialLR(optimizer_of(0.5, 0.1), total_iters=7, power=0.9)
    for mine, torchs in zip(rates_of(ours, 7), rates_of(theirs, 7), strict=True):
        assert mine == pytest.approx(torchs)


def test_cosine_ends_at_its_factor():
    schedule = Cosine(optimizer_of(2.0), end_factor=0.1)
    schedule.begin(total_steps=4, warmup_steps=0)
    seen = [rate for (rate,) in rates_of(schedule, 6)]
    wanted = [2 * (0.1 + 0.9 * (1 + math.cos(math.pi * step / 4)) / 2) for step in range(4)]
    assert seen == pytest.approx([*wanted, 0.2, 0.2])


@pytest.mark.parametrize("schedule", [Polynomial, Cosine, Constant])
def test_the_rate_rises_linearly_and_then_decays_over_the_rest(schedule):
    warm, cold = schedule(optimizer_of(1.0)), schedule(optimizer_of(1.0))
    warm.begin(total_steps=12, warmup_steps=4)
    cold.begin(total_steps=8, warmup_steps=0)
    seen = [rate for (rate,) in rates_of(warm, 12)]
    assert seen[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert seen[4:] == pytest.approx([rate for (rate,) in rates_of(cold, 8)])


def test_a_warm_up_that_is_longer_than_the_stage_only_rises():
    schedule = Polynomial(optimizer_of(1.0))
    schedule.begin(total_steps=2, warmup_steps=4)
    assert [rate for (rate,) in rates_of(schedule, 2)] == [0.25, 0.5]


class Rates:
    """An optimizer that notes the rate of each of its steps."""

    def __init__(self):
        self.seen = []

    def __call__(self, groups):
        optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
        optimizer.register_step_pre_hook(
            lambda own, *_: self.seen.append(own.param_groups[0]["lr"])
        )
        return optimizer


def fit(folder, rates, *, epochs=3, extra=(), ckpt_path=None, **options):
    module = make_module(
        small_network(0),
        optimizer=rates,
        scheduler=partial(Polynomial, power=1.0),
        **{"warmup_steps": 3} | options,
    )
    data = make_data(folder / "data", count=10)
    callbacks = [*extra, InMemoryCheckpoint(str(folder / "run"), every_n_epochs=1)]
    trainer = make_trainer(callbacks, epochs=epochs)
    trainer.fit(module, data, ckpt_path=ckpt_path)
    return trainer


def formula(step, steps, warmup):
    return 0.1 * ((step + 1) / warmup if step < warmup else (steps - step) / (steps - warmup))


def test_a_stage_follows_the_formula_over_its_own_number_of_steps(tmp_path):
    rates = Rates()
    steps = fit(tmp_path, rates).global_step
    assert len(rates.seen) == steps > 9
    assert rates.seen == pytest.approx([formula(step, steps, 3) for step in range(steps)])


def test_a_stage_that_was_stopped_within_an_epoch_goes_on_with_the_same_rates(tmp_path):
    whole = Rates()
    fit(tmp_path / "whole", whole)
    first, second = Rates(), Rates()
    with pytest.raises(RuntimeError, match="stopped"):
        fit(tmp_path / "parts", first, extra=[RaiseAt(1, RuntimeError("stopped"))])
    fit(tmp_path / "parts", second, ckpt_path=tmp_path / "parts/run/last.ckpt")
    again = len(first.seen) + len(second.seen) - len(whole.seen)
    assert second.seen == whole.seen[len(first.seen) - again :]


def test_an_extended_stage_has_the_rates_of_one_that_was_that_long_from_the_start(tmp_path):
    whole, longer = Rates(), Rates()
    fit(tmp_path / "whole", whole, epochs=4)
    fit(tmp_path / "parts", Rates(), epochs=3)
    last = tmp_path / "parts/run/last.ckpt"
    fit(tmp_path / "parts", longer, epochs=4, ckpt_path=last, extra=[ExtendedTraining()])
    assert longer.seen == pytest.approx(whole.seen[-len(longer.seen) :])


def test_accumulated_batches_are_one_step(tmp_path):
    rates = Rates()
    module = make_module(small_network(0), optimizer=rates, scheduler=Polynomial)
    trainer = make_trainer(epochs=2, accumulate_grad_batches=2, enable_checkpointing=False)
    trainer.fit(module, make_data(tmp_path, count=10))
    steps = trainer.global_step
    wanted = [0.1 * (1 - step / steps) ** 0.9 for step in range(steps)]
    assert rates.seen == pytest.approx(wanted)


def test_a_warm_up_without_a_schedule_ends_at_the_full_rate(tmp_path):
    rates = Rates()
    module = make_module(small_network(0), optimizer=rates, scheduler=None, warmup_steps=2)
    make_trainer(epochs=1, enable_checkpointing=False).fit(module, make_data(tmp_path))
    assert rates.seen == pytest.approx([0.05, *[0.1] * (len(rates.seen) - 1)])


def test_a_warm_up_before_a_schedule_by_epoch_is_refused():
    module = make_module(warmup_steps=5)
    with pytest.raises(ConfigError, match=r"warmup_steps: PolynomialLR changes the rate once per"):
        module.configure_optimizers()
