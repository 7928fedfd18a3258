"""What is logged besides scores, against plain formulas; and that it changes no weight."""

import math

import pytest
import pytorch_lightning as pl
import torch

from aerialseg.callbacks import step_statistics
from aerialseg.callbacks.confusion_image import ConfusionMatrixImage
from aerialseg.callbacks.curves import ContinuousCurves, CSVCurves
from aerialseg.callbacks.guards import NonFiniteLossGuard
from aerialseg.callbacks.samples import SamplePredictions
from aerialseg.callbacks.step_statistics import GradientNorms, Throughput, memory_in_use
from aerialseg.callbacks.tensorboard_curves import TensorBoardCurves
from aerialseg.callbacks.training_statistics import TrainingStatistics
from helpers.event_files import read_scalars
from helpers.tiny_training import RaiseAt, make_data, make_module, make_trainer

EPOCHS = 3
BATCHES = 2
"""Of each epoch."""


class PlainNorms(pl.Callback):
    """The norm of each optimizer step by the formula, before anything can clip."""

    def __init__(self):
        self.norms = []

    def on_after_backward(self, trainer, pl_module):
        if (trainer.fit_loop.epoch_loop.batch_progress.current.ready) % (
            trainer.accumulate_grad_batches
        ) == 0:
            gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
            self.norms.append(math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients)))


def fit(folder, *, callbacks=(), logger=None, epochs=EPOCHS, **options):
    """Trains with all that is drawn and logged; returns the module."""
    drawn = [SamplePredictions(2, every_n_epochs=1), ConfusionMatrixImage()]
    pl.seed_everything(0, verbose=False)
    module = make_module()
    board = TensorBoardCurves(str(folder)) if logger is None else logger
    more = [TrainingStatistics(), *drawn, ContinuousCurves(), *callbacks]
    if board:
        more.append(pl.callbacks.LearningRateMonitor("epoch"))
    options = {"enable_checkpointing": False} | options
    make_trainer(more, epochs=epochs, logger=board, **options).fit(
        module, make_data(folder / "data", val_fraction=0.45)
    )
    return module


@pytest.mark.parametrize("guard", [[], [NonFiniteLossGuard()]], ids=["alone", "with the guard"])
@pytest.mark.parametrize("accumulated", [1, 2])
def test_the_gradient_norm_is_that_of_the_formula_before_clipping(tmp_path, guard, accumulated):
    plain = PlainNorms()
    fit(
        tmp_path,
        callbacks=[plain, *guard],
        gradient_clip_val=1e-3,
        accumulate_grad_batches=accumulated,
    )
    steps = BATCHES // accumulated
    assert len(plain.norms) == EPOCHS * steps
    assert min(plain.norms) > 1e-2  # each is clipped
    by_epoch = [plain.norms[start : start + steps] for start in range(0, len(plain.norms), steps)]
    found = read_scalars(tmp_path)
    means = [value for _, value in found["train/gradient_norm"]]
    largest = [value for _, value in found["train/gradient_norm_max"]]
    assert means == pytest.approx([sum(norms) / steps for norms in by_epoch], rel=1e-5)
    assert largest == pytest.approx([max(norms) for norms in by_epoch], rel=1e-5)


def test_the_norm_of_the_guard_is_used_where_the_guard_comes_first(tmp_path, monkeypatch):
    def refuse(optimizer):
        raise AssertionError("computed twice")

    monkeypatch.setattr("aerialseg.callbacks.training_statistics.gradient_norm", refuse)
    drawn = [NonFiniteLossGuard(), TrainingStatistics()]
    board = TensorBoardCurves(str(tmp_path))
    trainer = make_trainer(drawn, epochs=1, logger=board, enable_checkpointing=False)
    trainer.fit(make_module(), make_data(tmp_path / "data"))
    assert len(read_scalars(tmp_path)["train/gradient_norm"]) == 1


def test_learning_rates_are_those_of_the_formula_under_the_names_of_their_groups(tmp_path):
    fit(tmp_path)
    found = read_scalars(tmp_path)
    wanted = [(BATCHES * e, pytest.approx(0.05 * (1 - e / 6) ** 0.9)) for e in range(EPOCHS)]
    assert found["learning_rate/weights"] == wanted
    assert found["learning_rate/biases_and_norms"] == wanted


def test_every_epoch_has_one_point_of_everything(tmp_path):
    fit(tmp_path)
    found = read_scalars(tmp_path)
    ends = [BATCHES * epoch - 1 for epoch in range(1, EPOCHS + 1)]
    for tag, points in found.items():
        begins = tag.startswith("learning_rate/")
        assert [step for step, _ in points] == [end - (BATCHES - 1) * begins for end in ends], tag
    assert [epoch for _, epoch in found["train/epoch"]] == [1, 2, 3]
    assert all(rate > 0 for _, rate in found["system/images_per_second"])


def test_training_is_the_same_bit_for_bit(tmp_path):
    with_board = fit(tmp_path / "a").state_dict()
    without = fit(tmp_path / "b", logger=False).state_dict()
    assert with_board.keys() == without.keys()
    for name, tensor in without.items():
        assert torch.equal(with_board[name], tensor), name


@pytest.mark.parametrize("kind", ["none", "csv"])
def test_without_tensorboard_nothing_is_computed(tmp_path, monkeypatch, kind):
    def refuse(*arguments):
        raise AssertionError("nothing is to be computed")

    for name in ("gradient_norm", "memory_in_use"):
        monkeypatch.setattr(f"aerialseg.callbacks.training_statistics.{name}", refuse)
    monkeypatch.setattr(step_statistics.GradientNorms, "add", refuse)
    monkeypatch.setattr(step_statistics.Throughput, "add", refuse)
    fit(tmp_path, logger=CSVCurves(str(tmp_path)) if kind == "csv" else False)
    assert not list(tmp_path.rglob("events*"))


def test_an_interrupted_epoch_goes_on_with_its_norms(tmp_path):
    whole, statistics = PlainNorms(), TrainingStatistics()
    fit(tmp_path / "whole", callbacks=[whole], epochs=1)
    board = TensorBoardCurves(str(tmp_path / "parts"))
    stop = RaiseAt(0, RuntimeError(), batch=1)
    trainer = make_trainer([statistics, stop], epochs=1, logger=board, enable_checkpointing=False)
    pl.seed_everything(0, verbose=False)
    with pytest.raises(RuntimeError):
        trainer.fit(make_module(), make_data(tmp_path / "whole/data", val_fraction=0.45))
    kept = GradientNorms()
    kept.load_state_dict(statistics.state_dict(), torch.device("cpu"))
    assert kept.read() == pytest.approx((whole.norms[0], whole.norms[0]), rel=1e-5)
    kept.add(torch.tensor(whole.norms[1]))
    assert kept.read() == pytest.approx((sum(whole.norms) / 2, max(whole.norms)), rel=1e-5)


def test_steps_that_are_not_finite_count_for_nothing():
    norms = GradientNorms()
    assert norms.read() is None
    for value in (math.nan, 1.0, math.inf, 4.0):
        norms.add(torch.tensor(value))
    assert norms.read() == (2.5, 4.0)
    norms.reset()
    assert norms.read() is None


def test_the_throughput_leaves_validations_out(monkeypatch):
    now = 100.0
    monkeypatch.setattr(step_statistics, "perf_counter", lambda: now)
    rate = Throughput()
    rate.reset()
    assert rate.read() is None
    for images in (4, 2):
        now += 2.0
        rate.add(images)
    now += 50.0  # a validation
    rate.resume()
    now += 1.0
    rate.add(4)
    assert rate.read() == pytest.approx(10 / 5)


def test_resident_memory_is_that_of_the_process():
    resource = pytest.importorskip("resource")
    found = memory_in_use(torch.device("cpu"))
    if not found:
        pytest.skip("only Linux tells the resident memory")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    assert 0.05 < found["resident_memory_gb"] <= peak * 1.01
