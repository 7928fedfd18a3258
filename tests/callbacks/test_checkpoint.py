import logging
import math

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from aerialseg.callbacks import checkpoint as module_under_test
from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.errors import AerialsegError, TrainingError
from aerialseg.storage.checkpoints import network_state, read_checkpoint, read_description
from helpers.comparison import differences
from helpers.tiny_training import RaiseAt, make_data, make_module, make_trainer


class Scripted(pl.LightningModule):
    """Its weight encodes the epoch of a snapshot; its scores are given."""

    def __init__(self, scores, *, sanity_score=0.0, name="val/dice"):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.scores, self.sanity_score, self.name = scores, sanity_score, name

    def training_step(self, batch, batch_idx):
        return -self.weight.sum()

    def validation_step(self, batch, batch_idx):
        pass

    def on_validation_epoch_end(self):
        sanity = self.trainer.sanity_checking
        self.log(self.name, self.sanity_score if sanity else self.scores[self.current_epoch])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1.0, momentum=0.5)


def fit(folder, scores, *, callbacks=(), mode="max", every_n_epochs=5, script=None, **trainer):
    checkpoint = InMemoryCheckpoint(str(folder), mode=mode, every_n_epochs=every_n_epochs)
    loader = DataLoader([torch.zeros(1)])
    trainer = make_trainer(
        [*callbacks, checkpoint], epochs=len(scores), gradient_clip_val=None, **trainer
    )
    trainer.fit(Scripted(scores, **script or {}), loader, loader)
    return checkpoint


def load(path):
    return torch.load(path, weights_only=True)


def names_in(folder):
    """The checkpoints in a folder, which holds them and their digests only."""
    names = {path.stem for path in folder.glob("*.ckpt")}
    files = {file for name in names for file in (f"{name}.ckpt", f"{name}.ckpt.sha256")}
    assert {path.name for path in folder.iterdir()} == files
    return names


def weight_after(epochs):
    """SGD with learning rate 1, momentum 0.5 and gradient -1."""
    return sum(sum(0.5**power for power in range(epoch)) for epoch in range(1, epochs + 1))


def epochs_in(path):
    weight = load(path)["state_dict"]["weight"].item()
    return next(epochs for epochs in range(100) if weight_after(epochs) == pytest.approx(weight))


@pytest.mark.parametrize(
    ("mode", "scores", "best"),
    [
        ("max", [0.1, 0.5, 0.3], 1),
        ("min", [0.4, 0.2, 0.3], 1),
        ("max", [0.3, 0.5, 0.5], 1),
        ("min", [0.3, 0.3], 0),
        ("max", [math.nan, 0.1, 0.2], 2),
        ("max", [0.2, math.nan, 0.1], 0),
        ("min", [math.nan, 0.1, math.nan], 1),
        ("min", [math.inf, 0.5], 1),
    ],
)
def test_the_best_epoch_is_the_first_with_the_best_number(tmp_path, mode, scores, best):
    checkpoint = fit(tmp_path, scores, mode=mode)
    assert checkpoint.best_epoch == best
    assert checkpoint.best_score == pytest.approx(scores[best])
    assert epochs_in(tmp_path / "best.ckpt") == best + 1
    assert epochs_in(tmp_path / "last.ckpt") == len(scores)


@pytest.mark.parametrize("every", [1, 2])
def test_the_sanity_check_is_never_the_best(tmp_path, every):
    script = {"sanity_score": 100.0}
    checkpoint = fit(tmp_path, [0.1, 0.2], script=script, check_val_every_n_epoch=every)
    assert checkpoint.best_epoch == 1
    assert checkpoint.best_score == pytest.approx(0.2)


def test_without_any_score_there_is_a_last_but_no_best(tmp_path):
    for name, scores, script in (
        ("nan", [math.nan, math.nan], {}),
        ("absent", [0.1, 0.2], {"name": "val/other"}),
    ):
        checkpoint = fit(tmp_path / name, scores, script=script)
        assert checkpoint.best_epoch is None
        assert names_in(tmp_path / name) == {"last"}


def test_later_steps_do_not_change_held_checkpoints(tmp_path):
    fit(tmp_path, [0.5, 0.1, 0.1, 0.1])
    best = load(tmp_path / "best.ckpt")
    assert best["state_dict"]["weight"].item() == weight_after(1)
    assert best["optimizer_states"][0]["state"][0]["momentum_buffer"].item() == -1
    assert best["epoch"] == 0
    assert best["callbacks"]["InMemoryCheckpoint"]["best_epoch"] == 0


class FilesAtStart(pl.Callback):
    def __init__(self, folder):
        self.folder, self.seen = folder, []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if batch_idx == 0:
            paths = sorted(self.folder.glob("*.ckpt"))
            self.seen.append({path.stem: epochs_in(path) for path in paths})


def test_writes_every_n_epochs_and_at_the_end(tmp_path):
    spy = FilesAtStart(tmp_path)
    fit(tmp_path, [0.1, 0.2, 0.1, 0.3, 0.4], callbacks=[spy], every_n_epochs=2)
    second, fourth = {"best": 2, "last": 2}, {"best": 4, "last": 4, "previous": 2}
    assert spy.seen == [{}, {}, second, second, fourth]
    assert epochs_in(tmp_path / "best.ckpt") == epochs_in(tmp_path / "last.ckpt") == 5
    assert names_in(tmp_path) == {"best", "last", "previous"}


@pytest.mark.parametrize(
    ("raised", "seen"),
    [(RuntimeError("out of memory"), RuntimeError), (KeyboardInterrupt(), SystemExit)],
)
def test_writes_when_training_is_stopped(tmp_path, raised, seen):
    with pytest.raises(seen):
        fit(tmp_path, [0.3, 0.2, 0.1, 0.5], callbacks=[RaiseAt(3, raised, batch=0)])
    assert epochs_in(tmp_path / "best.ckpt") == 1
    assert epochs_in(tmp_path / "last.ckpt") == 3


def test_writes_nothing_when_stopped_before_the_first_epoch_ended(tmp_path):
    with pytest.raises(RuntimeError):
        fit(tmp_path, [0.1], callbacks=[RaiseAt(0, RuntimeError(), batch=0)])
    assert not list(tmp_path.iterdir())


class InterruptedDict(dict):
    """Raises KeyboardInterrupt when the second entry of the second epoch is set."""

    def __setitem__(self, key, value):
        self.count = getattr(self, "count", 0) + 1
        if self.count == 4:
            raise KeyboardInterrupt
        super().__setitem__(key, value)


def test_an_interrupt_between_two_snapshots_loses_no_best(tmp_path):
    class Interrupt(pl.Callback):
        def on_fit_start(self, trainer, pl_module):
            trainer.strategy.checkpoint_io.held = InterruptedDict()

    with pytest.raises(SystemExit):
        fit(tmp_path, [0.1, 0.2, 0.3], callbacks=[Interrupt()])
    known = load(tmp_path / "last.ckpt")["callbacks"]["InMemoryCheckpoint"]["best_epoch"]
    assert epochs_in(tmp_path / "best.ckpt") >= known + 1


def test_the_best_is_written_before_the_last(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(module_under_test, "write_checkpoint", lambda path, _: written.append(path))
    fit(tmp_path, [0.1])
    assert [path.name for path in written] == ["best.ckpt", "last.ckpt"]


def test_a_file_holds_the_network_and_a_complete_description(tmp_path):
    module = make_module()
    checkpoint = InMemoryCheckpoint(str(tmp_path / "run"))
    trainer = make_trainer([checkpoint], epochs=2)
    trainer.fit(module, make_data(tmp_path / "data"))
    last = load(tmp_path / "run/last.ckpt")
    assert list(last["state_dict"]) == [f"network.{name}" for name in module.network.state_dict()]
    read = read_checkpoint(tmp_path / "run/last.ckpt")
    for name, tensor in module.network.state_dict().items():
        assert torch.equal(network_state(read)[name], tensor)
    found = read_description(read, tmp_path / "run/last.ckpt")
    given = module.description
    assert found.epoch == 2
    assert {"train/loss", "train/dice", "val/loss", "val/dice", "val/miou"} <= found.metrics.keys()
    assert found.metrics["val/dice"] == float(trainer.callback_metrics["val/dice"])
    for name in ("network", "classes", "mean", "std", "image_min_size", "stage", "parent"):
        assert getattr(found, name) == getattr(given, name)


class FullDisk:
    """Fails to write while it is full."""

    def __init__(self, monkeypatch, *, until):
        self.attempts, self.until, self.written = 0, until, []
        self.write = module_under_test.write_checkpoint
        monkeypatch.setattr(module_under_test, "write_checkpoint", self)

    def __call__(self, path, checkpoint):
        self.attempts += 1
        if self.attempts <= self.until:
            raise AerialsegError(f"{path}: cannot be written: No space left on device")
        self.written.append((path.stem, checkpoint["epoch"]))
        self.write(path, checkpoint)


def test_a_full_disk_does_not_end_training_and_is_retried_after_the_next_epoch(
    tmp_path, monkeypatch, caplog
):
    disk = FullDisk(monkeypatch, until=2)
    with caplog.at_level(logging.WARNING, logger="aerialseg"):
        fit(tmp_path, [0.1, 0.3, 0.2, 0.1, 0.1, 0.1], every_n_epochs=2)
    # Due after epochs 2, 4 and 6; fails after 2 and 3, counted from 1.
    assert disk.written == [("best", 1), ("last", 3), ("last", 5)]
    lines = [r.getMessage() for r in caplog.records if r.name == module_under_test.__name__]
    assert lines == 2 * [
        f"{tmp_path}/best.ckpt: cannot be written: No space left on device; "
        "kept in memory until after the next epoch"
    ]


def test_at_the_end_of_training_writing_is_retried(tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(module_under_test.time, "sleep", waited.append)
    disk = FullDisk(monkeypatch, until=2)
    fit(tmp_path, [0.1])
    assert waited == [1, 10]
    assert disk.written == [("best", 0), ("last", 0)]


def test_a_run_whose_last_epochs_cannot_be_written_raises(tmp_path, monkeypatch):
    monkeypatch.setattr(module_under_test.time, "sleep", lambda seconds: None)
    FullDisk(monkeypatch, until=99)
    with pytest.raises(TrainingError, match="training has ended but its last epochs cannot be"):
        fit(tmp_path, [0.1])


def test_a_full_disk_does_not_hide_why_training_stopped(tmp_path, monkeypatch):
    FullDisk(monkeypatch, until=99)
    with pytest.raises(ZeroDivisionError):
        fit(tmp_path, [0.1, 0.2], callbacks=[RaiseAt(1, ZeroDivisionError(), batch=0)])


def test_the_previous_snapshot_is_kept(tmp_path):
    spy = FilesAtStart(tmp_path)
    fit(tmp_path, [0.3, 0.2, 0.1], callbacks=[spy], every_n_epochs=1)
    first = {"best": 1, "last": 1}
    assert spy.seen == [{}, first, first | {"last": 2, "previous": 1}]


def test_the_last_that_was_damaged_is_there_again_if_the_best_is_of_the_last_epoch(tmp_path):
    """No epoch is left to train, so none writes it."""
    best, last = tmp_path / "run/best.ckpt", tmp_path / "run/last.ckpt"

    def train(start=None):
        trainer = make_trainer([InMemoryCheckpoint(str(tmp_path / "run"))], epochs=1)
        trainer.fit(make_module(), make_data(tmp_path / "data"), ckpt_path=start)

    train()
    wanted = read_checkpoint(last)
    last.unlink()
    train(best)
    found = read_checkpoint(last)
    assert found["epoch"] == wanted["epoch"] == 0
    assert list(differences(network_state(wanted), network_state(found))) == []
