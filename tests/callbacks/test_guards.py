import logging

import pytest
import pytorch_lightning as pl
import torch
from PIL import Image

from aerialseg.callbacks import guards as module_under_test
from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.callbacks.guards import NonFiniteLossGuard
from aerialseg.errors import TrainingError
from aerialseg.losses import DiceCrossEntropyLoss
from aerialseg.storage.checkpoints import read_checkpoint
from helpers.tiny_training import make_data, make_module, make_trainer

BATCHES = 4


class SpoilAt(pl.Callback):
    """Makes the loss and all before it, or the gradient alone, no number in some batches."""

    def __init__(self, *batches, factor=float("nan"), what="loss"):
        self.batches, self.factor, self.what, self.count = batches, factor, what, 0

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.now = self.count in self.batches
        self.count += 1
        assert trainer.num_training_batches == BATCHES
        self.module = pl_module
        if self.now and self.what == "loss":
            self.handle = pl_module.network.stem.register_forward_pre_hook(
                lambda module, inputs: (inputs[0] * self.factor,)
            )

    def on_before_backward(self, trainer, pl_module, loss):
        if self.now and self.what == "gradient":
            weight = pl_module.network.classifier.weight
            self.handle = weight.register_hook(lambda gradient: gradient * self.factor)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if self.now:
            self.handle.remove()


class LeaveOut(pl.Callback):
    """What skipping is measured against: the step of some batches is not taken at all."""

    def __init__(self, *batches):
        self.batches, self.count = batches, 0

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.count += 1
        if self.count - 1 in self.batches:
            self.before = {k: v.clone() for k, v in pl_module.state_dict().items()}
            optimizer = trainer.optimizers[0]
            self.state = {p: dict(s) for p, s in optimizer.state.items()}
            self.momenta = {p: s["momentum_buffer"].clone() for p, s in optimizer.state.items()}

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if self.count - 1 in self.batches:
            pl_module.load_state_dict(self.before)
            for parameter, momentum in self.momenta.items():
                trainer.optimizers[0].state[parameter]["momentum_buffer"] = momentum


def fit(folder, callbacks=(), *, epochs=2, **options):
    module = make_module()
    checkpoint = InMemoryCheckpoint(str(folder / "run"), every_n_epochs=1)
    trainer = make_trainer([*callbacks, checkpoint], epochs=epochs, **options)
    trainer.fit(module, make_data(folder / "data", count=10))
    return module, trainer


def weights(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


@pytest.mark.parametrize(
    ("spoiler", "problem"),
    [
        (SpoilAt(BATCHES + 1), "the loss is nan"),
        (SpoilAt(BATCHES + 1, factor=float("inf"), what="gradient"), "the gradient is not finite"),
    ],
)
def test_the_run_stops_with_one_line_before_the_weights_change(tmp_path, spoiler, problem):
    with pytest.raises(TrainingError) as error:
        fit(tmp_path, [spoiler, NonFiniteLossGuard()])
    (line,) = error.value.problems
    assert line.startswith(f"stage aspp, epoch 2, batch 2: {problem}; samples ")
    samples = line.split("samples ")[1].split(";")[0].split(", ")
    assert len(samples) == 2
    assert set(samples) <= {str(index) for index in range(10)}
    assert line.endswith("callbacks.guard.skip_batches=10")
    parameters = dict(spoiler.module.named_parameters()).values()
    assert all(parameter.isfinite().all() for parameter in parameters)


def test_the_snapshot_of_the_epoch_before_stays(tmp_path):
    fit(tmp_path / "good", epochs=1)
    with pytest.raises(TrainingError):
        fit(tmp_path / "bad", [SpoilAt(BATCHES), NonFiniteLossGuard()])
    good, bad = (read_checkpoint(tmp_path / name / "run/last.ckpt") for name in ("good", "bad"))
    assert equal(good["state_dict"], bad["state_dict"])


@pytest.mark.parametrize("batch", [1, BATCHES - 1])
def test_a_device_that_is_asynchronous_is_asked_a_step_later(tmp_path, monkeypatch, batch):
    """As with CUDA: the step is taken with an empty gradient, and no snapshot after it."""
    monkeypatch.setattr(module_under_test, "_is_asynchronous", lambda tensor: True)
    monkeypatch.setattr(module_under_test._Step, "start_reading", lambda step: None)
    monkeypatch.setattr(module_under_test._Step, "is_finite", lambda step: bool(step.finite))
    spoiler = SpoilAt(BATCHES + batch)
    with pytest.raises(TrainingError, match=f"epoch 2, batch {batch + 1}: the loss is nan"):
        fit(tmp_path, [spoiler, NonFiniteLossGuard()])
    assert spoiler.count == BATCHES + min(batch + 2, BATCHES)
    assert all(parameter.isfinite().all() for parameter in spoiler.module.parameters())
    assert read_checkpoint(tmp_path / "run/last.ckpt")["epoch"] == 0


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_skipped_batch_leaves_no_trace(tmp_path, caplog, what):
    spoiler, guard = SpoilAt(2, 5, what=what), NonFiniteLossGuard(skip_batches=2)
    with caplog.at_level(logging.WARNING, logger="aerialseg"):
        skipping, trainer = fit(tmp_path / "skip", [spoiler, guard])
    never, _ = fit(tmp_path / "never", [LeaveOut(2, 5)])
    assert equal(weights(skipping), weights(never))
    lines = [record.getMessage() for record in caplog.records if "skipped" in record.getMessage()]
    assert [line.split(":")[0] for line in lines] == ["epoch 1, batch 3", "epoch 2, batch 2"]
    assert lines[1].endswith("; 2 of at most 2")
    assert torch.isfinite(trainer.callback_metrics["train/loss"])
    assert read_checkpoint(tmp_path / "skip/run/last.ckpt")["callbacks"]["NonFiniteLossGuard"] == {
        "skipped": 2
    }


def test_no_more_are_skipped_than_allowed_even_over_a_resume(tmp_path):
    guard = NonFiniteLossGuard(skip_batches=1)
    with pytest.raises(TrainingError, match="epoch 2, batch 1"):
        fit(tmp_path, [SpoilAt(1, BATCHES), guard])
    guard = NonFiniteLossGuard(skip_batches=1)
    guard.load_state_dict({"skipped": 1})
    with pytest.raises(TrainingError, match="skip_batches=10"):
        fit(tmp_path, [SpoilAt(0), guard])


def test_accumulated_gradients_are_checked_together(tmp_path):
    guard = NonFiniteLossGuard(skip_batches=1)
    module, _ = fit(tmp_path, [SpoilAt(0), guard], epochs=1, accumulate_grad_batches=2)
    assert guard.skipped == 1
    assert all(tensor.isfinite().all() for tensor in weights(module).values())


def test_a_sound_run_is_as_if_unguarded(tmp_path):
    plain, _ = fit(tmp_path / "plain")
    for skip_batches in (0, 3):
        guard = NonFiniteLossGuard(skip_batches=skip_batches)
        guarded, _ = fit(tmp_path / f"guarded-{skip_batches}", [guard])
        assert equal(weights(plain), weights(guarded))


@pytest.mark.parametrize(
    "mask", [255, 0, "one of three"], ids=["all ignored", "one class", "a class that never occurs"]
)
def test_masks_with_little_in_them_can_be_learnt_from(tmp_path, mask):
    data = make_data(tmp_path / "data", count=10, batch_size=1)
    for index, path in enumerate(sorted((tmp_path / "data/masks").iterdir())):
        if mask == 255 and index % 2:
            continue  # every other batch, of one image, has a labelled pixel
        value = index % 2 if mask == "one of three" else mask
        Image.new("L", (32, 24), value).save(path)
    module = make_module(loss=DiceCrossEntropyLoss(class_weights=[1.0, 1.0, 1.0]))
    checkpoint = InMemoryCheckpoint(str(tmp_path / "run"))
    trainer = make_trainer([NonFiniteLossGuard(), checkpoint], epochs=2)
    trainer.fit(module, data)
    assert checkpoint.best_epoch is not None
    assert all(tensor.isfinite().all() for tensor in weights(module).values())
