"""The moving average of the weights in real fits."""

import copy
from functools import partial

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torchmetrics.functional.classification import multiclass_confusion_matrix

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.callbacks.ema import ExponentialMovingAverage
from aerialseg.callbacks.guards import NonFiniteLossGuard
from aerialseg.errors import TrainingError
from aerialseg.models.freeze_proof import changed_tensors, frozen_state
from aerialseg.storage.averaged_weights import beside, exchanged
from aerialseg.storage.checkpoints import network_state, read_checkpoint, read_description
from helpers.tiny_training import make_data, make_module, make_trainer, small_network

STEADY, JUMPY = 0.05, 3.0
"""Learning rates with which the weights are better than their average, and worse."""


class Record(pl.Callback):
    """Keeps the network after each optimizer step, and the scores of each epoch."""

    def __init__(self):
        self.steps, self.epochs, self.count = [], [], 0

    def on_train_start(self, trainer, pl_module):
        self.start = copy.deepcopy(pl_module.network.state_dict())

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if trainer.global_step > self.count:
            self.count = trainer.global_step
            self.steps.append(copy.deepcopy(pl_module.network.state_dict()))

    def on_train_epoch_end(self, trainer, pl_module):
        self.epochs.append({k: float(v) for k, v in trainer.callback_metrics.items()})


def fit(folder, *, ema=True, start=1, rate=STEADY, extra=(), mode="max", **options):
    average = [ExponentialMovingAverage(horizon=0.3)] if ema is True else [ema] if ema else []
    record = Record()
    module = make_module(
        small_network(), start=start, optimizer=partial(torch.optim.SGD, lr=rate, momentum=0)
    )
    data = make_data(folder / "data", count=options.pop("count", 9))
    monitor = options.pop("monitor", "val/dice")
    checkpoint = InMemoryCheckpoint(str(folder / "run"), monitor, mode=mode)
    trainer = make_trainer([*extra, *average, checkpoint, record], **{"epochs": 3} | options)
    trainer.fit(module, data)
    return module, data, record


def files(folder):
    return {name: read_checkpoint(folder / f"run/{name}.ckpt") for name in ("best", "last")}


def by_hand(start, steps, decay):
    """Averages in float64, by the formula."""
    average = {k: v.double() for k, v in start.items() if v.is_floating_point()}
    for t, weights in enumerate(steps):
        d = min(decay, (1 + t) / (10 + t))
        average = {k: d * v + (1 - d) * weights[k].double() for k, v in average.items()}
    return average


def averages_in(checkpoint):
    weights = beside(checkpoint)["weights"]
    return {name.removeprefix("network."): tensor for name, tensor in weights.items()}


@pytest.mark.parametrize("accumulated", [1, 2])
@pytest.mark.parametrize(
    ("ema", "decay_of"),
    [
        ({"horizon": 0.3}, lambda steps: 1 - 1 / (0.3 * steps)),
        ({"decay": 0.999}, lambda steps: 0.999),
    ],
)
def test_the_average_of_every_optimizer_step_is_that_of_the_formula(
    tmp_path, ema, decay_of, accumulated
):
    _, _, record = fit(
        tmp_path,
        ema=ExponentialMovingAverage(**ema),
        count=10,
        accumulate_grad_batches=accumulated,
        epochs=4,
    )
    steps = 4 * 4 // accumulated
    assert len(record.steps) == steps
    last = files(tmp_path)["last"]
    found, wanted = averages_in(last), by_hand(record.start, record.steps, decay_of(steps))
    trained = {name for name in wanted if not name.startswith("stem")}
    assert found.keys() == trained
    assert {"body.1.running_mean", "body.1.running_var", "classifier.bias"} < trained
    for name, tensor in found.items():
        assert tensor.dtype == torch.float32
        torch.testing.assert_close(tensor.double(), wanted[name], rtol=1e-5, atol=1e-6)
    assert not torch.equal(found["classifier.bias"], network_state(last)["classifier.bias"])
    assert beside(last)["updates"] == steps


@pytest.mark.parametrize("rate", [STEADY, JUMPY])
def test_training_itself_does_not_change_by_a_bit(tmp_path, rate):
    with_average, _, with_record = fit(tmp_path / "with", rate=rate)
    without, _, record = fit(tmp_path / "without", ema=None, rate=rate)
    assert not changed_tensors(with_average.network.state_dict(), without.network.state_dict())
    assert [
        {name: value for name, value in epoch.items() if not name.startswith("ema/")}
        for epoch in with_record.epochs
    ] == record.epochs
    first, second = (files(tmp_path / name)["last"] for name in ("with", "without"))
    assert not changed_tensors(network_state(first), network_state(second))
    assert first["aerialseg"]["metrics"] == second["aerialseg"]["metrics"]
    assert beside(second) is None


def dice_by_hand(network, module, data):
    """Mean Dice over the classes that occur, from the confusion matrix of torchmetrics."""
    matrix = torch.zeros(3, 3)
    for batch in data.val_dataloader():
        with torch.no_grad():
            logits = network.eval()(module.normalised(batch["image"]))["out"]
        target = batch["mask"].long()
        size = target.shape[-2:]
        larger = nn.functional.interpolate(logits, size, mode="bilinear", align_corners=False)
        matrix += multiclass_confusion_matrix(larger.argmax(1), target, 3, ignore_index=255)
    dice = 2 * matrix.diag() / (matrix.sum(0) + matrix.sum(1))
    return float(dice.nanmean())


@pytest.mark.parametrize("rate", [STEADY, JUMPY])
def test_the_averaged_weights_are_what_is_validated(tmp_path, rate):
    module, data, record = fit(tmp_path, rate=rate)
    last = files(tmp_path)["last"]
    for checkpoint, name in ((last, "val/dice"), (exchanged(last), "ema/dice")):
        network = small_network(seed=9)
        network.load_state_dict(network_state(checkpoint))
        assert dice_by_hand(network, module, data) == pytest.approx(record.epochs[-1][name])
    assert record.epochs[-1]["val/dice"] != record.epochs[-1]["ema/dice"]
    assert beside(last)["scores"]["val/loss"] == record.epochs[-1]["ema/loss"]


@pytest.mark.parametrize(
    ("rate", "mode", "averaged"),
    [(JUMPY, "max", True), (STEADY, "max", False), (STEADY, "min", True)],
)
def test_whichever_is_better_becomes_the_best(tmp_path, rate, mode, averaged):
    _, _, record = fit(tmp_path, rate=rate, mode=mode)
    choose = max if mode == "max" else min
    raw, average = ([e[f"{split}/dice"] for e in record.epochs] for split in ("val", "ema"))
    best = choose([*raw, *average])
    assert (choose(average) == best) == averaged
    assert (choose(raw) == best) != averaged
    checkpoint = files(tmp_path)["best"]
    description = read_description(checkpoint, tmp_path)
    assert description.averaged_weights is averaged
    assert description.metrics["val/dice"] == best
    assert description.epoch == (average if averaged else raw).index(best) + 1
    steps = record.steps[: 3 * description.epoch]
    if averaged:
        found = network_state(checkpoint)
        wanted = by_hand(record.start, steps, 1 - 1 / (0.3 * 9))
        for name, tensor in wanted.items():
            torch.testing.assert_close(found[name].double(), tensor, rtol=1e-5, atol=1e-6)
        for name in ("stem.1", "body.1"):
            counter = f"{name}.num_batches_tracked"
            assert torch.equal(found[counter], steps[-1][counter])
    else:
        assert not changed_tensors(network_state(checkpoint), steps[-1])


def test_a_tie_keeps_the_weights(tmp_path):
    _, _, record = fit(tmp_path, ema=ExponentialMovingAverage(decay=0.0), rate=JUMPY)
    assert all(epoch["val/dice"] == epoch["ema/dice"] for epoch in record.epochs)
    assert all(epoch["val/loss"] == epoch["ema/loss"] for epoch in record.epochs)
    assert read_description(files(tmp_path)["best"], tmp_path).averaged_weights is False


@pytest.mark.parametrize("start", [1, 2])
def test_frozen_tensors_are_the_same_in_the_network_and_both_checkpoints(tmp_path, start):
    before = small_network().state_dict()
    module, _, _ = fit(tmp_path, start=start, mode="max", monitor="val/loss")
    assert read_description(files(tmp_path)["best"], tmp_path).averaged_weights
    frozen = frozen_state(module.plan)
    assert len(frozen) == 7 * start
    for state in (frozen, *map(network_state, files(tmp_path).values())):
        wanted = {name: before[name] for name in frozen}
        assert not changed_tensors(wanted, {name: state[name] for name in frozen})


class SpoilAt(pl.Callback):
    """Makes the loss of some batches NaN."""

    def __init__(self, *batches):
        self.batches, self.count = batches, 0

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.handle = None
        if self.count in self.batches:
            self.handle = pl_module.network.stem.register_forward_pre_hook(
                lambda module, inputs: (inputs[0] * float("nan"),)
            )
        self.count += 1

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if self.handle is not None:
            self.handle.remove()


@pytest.mark.parametrize("guard_first", [True, False])
def test_skipped_batches_leave_no_trace_in_the_average(tmp_path, guard_first):
    guard, average = NonFiniteLossGuard(skip_batches=2), ExponentialMovingAverage(decay=0.9)
    extra, ema = ([guard], average) if guard_first else ([average], guard)
    _, _, record = fit(tmp_path, ema=ema, extra=[SpoilAt(1, 5), *extra])
    assert guard.skipped == 2
    last = files(tmp_path)["last"]
    steps = [step for index, step in enumerate(record.steps) if index not in (1, 5)]
    assert beside(last)["updates"] == len(steps) == 7
    wanted = by_hand(record.start, steps, 0.9)
    for name, tensor in averages_in(last).items():
        torch.testing.assert_close(tensor.double(), wanted[name], rtol=1e-5, atol=1e-6)


def test_a_horizon_that_is_too_short_is_said(tmp_path, caplog):
    fit(tmp_path, ema=ExponentialMovingAverage(), epochs=1)
    said = [r.getMessage() for r in caplog.records if r.name == "aerialseg.callbacks.ema"]
    assert said == [
        "callbacks.ema.horizon: 0.05 of 3 optimizer steps is less than 2, too short for an "
        "average; set more of it"
    ]


def test_without_a_number_of_epochs_a_decay_must_be_given(tmp_path):
    with pytest.raises(TrainingError, match=r"callbacks\.ema\.decay: must be set"):
        fit(tmp_path, ema=ExponentialMovingAverage(), epochs=-1)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"decay": 1.0}, "decay: .*less than 1"),
        ({"decay": -0.1}, "decay: "),
        ({"horizon": 0.0}, "horizon: "),
        ({"horizon": 2}, "horizon: "),
    ],
)
def test_impossible_arguments_are_refused(arguments, wanted):
    with pytest.raises(ValueError, match=wanted):
        ExponentialMovingAverage(**arguments)
