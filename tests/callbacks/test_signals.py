"""Training that is told to stop, and goes on as if it never had been."""

import signal

import pytest
import pytorch_lightning as pl
import torch

from aerialseg.callbacks.signals import StopOnSignal
from aerialseg.stopping import Stopped
from aerialseg.storage.checkpoints import read_checkpoint, read_description
from helpers.resuming import assert_same_run, fit

BATCHES = 4  # in an epoch

pytestmark = pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended")


class SignalAt(pl.Callback):
    """Sends this process a signal at one moment."""

    def __init__(self, hook, epoch=1, batch=0, signum=signal.SIGTERM):
        self.hook, self.moment, self.signum = hook, (epoch, batch), signum

    def _perhaps(self, hook, trainer, batch=0):
        if hook == self.hook and (trainer.current_epoch, batch) == self.moment:
            signal.raise_signal(self.signum)  # os.kill would end the process on Windows

    def on_train_epoch_start(self, trainer, pl_module):
        self._perhaps("epoch", trainer)

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        assert trainer.num_training_batches == BATCHES
        self._perhaps("train", trainer, batch_idx)

    def on_validation_batch_start(self, trainer, pl_module, batch, batch_idx):
        if not trainer.sanity_checking:
            self._perhaps("validation", trainer, batch_idx)

    def on_validation_end(self, trainer, pl_module):
        if not trainer.sanity_checking:
            self._perhaps("validated", trainer)

    def on_train_end(self, trainer, pl_module):
        self._perhaps("end", trainer)


def stopped_fit(folder, data, *moment, **options):
    with pytest.raises(Stopped) as stop:
        fit(folder, data, extra=[SignalAt(*moment), StopOnSignal()], count=10, **options)
    return stop.value


def resumed_fit(folder, data, **options):
    return fit(folder, data, resume=True, seed=1, extra=[StopOnSignal()], count=10, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run for each way of training, made when first asked for."""
    root, made = tmp_path_factory.mktemp("whole"), {}

    def run(**options):
        key = str(sorted(options.items()))
        if key not in made:
            made[key] = root / str(len(made))
            fit(made[key], root / "data", count=10, **options)
        return made[key]

    return run


MOMENTS = [
    (("train", 0, 0), "after batch 1 of 4 of epoch 1", 0),
    (("train", 1, 2), "after batch 3 of 4 of epoch 2", 1),
    (("train", 1, 3), "in the validation of epoch 2", 1),
    (("validation", 2, 0), "in the validation of epoch 3", 2),
    (("validated", 1, 0), "after epoch 2", 2),
    (("epoch", 4, 0), "after epoch 4", 4),
    (("end", 5, 0), "after epoch 5", 5),
]


@pytest.mark.parametrize(("moment", "words", "epochs"), MOMENTS)
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path, whole, moment, words, epochs):
    stop = stopped_fit(tmp_path / "run", tmp_path / "data", *moment)
    assert (stop.code, stop.moment) == (143, words)
    last = tmp_path / "run/last.ckpt"
    assert read_description(read_checkpoint(last), last).epoch == epochs
    resumed_fit(tmp_path / "run", tmp_path / "data")
    assert_same_run(whole(), tmp_path / "run")


@pytest.mark.parametrize(
    "options",
    [
        {"accumulate_grad_batches": 3},
        {"optimizer": "adamw", "scheduler": "cosine"},
        {"scheduler": "by step"},
        {"num_workers": 2},
        {"check_val_every_n_epoch": 2},
        {"val_check_interval": 0.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("batch", [1, 3])
def test_however_it_is_trained(tmp_path, whole, options, batch):
    stopped_fit(tmp_path / "run", tmp_path / "data", "train", 2, batch, **options)
    resumed_fit(tmp_path / "run", tmp_path / "data", **options)
    assert_same_run(whole(**options), tmp_path / "run")


def test_accumulated_gradients_are_not_cut_in_two(tmp_path):
    options = {"accumulate_grad_batches": 3}
    stop = stopped_fit(tmp_path / "run", tmp_path / "data", "train", 0, 0, **options)
    assert stop.moment == "after batch 3 of 4 of epoch 1"


def test_stopped_again_and_again(tmp_path, whole):
    run, data = tmp_path / "run", tmp_path / "data"
    stopped_fit(run, data, "train", 0, 1)
    for moment in (("train", 0, 2), ("validation", 0, 0), ("validation", 0, 0), ("train", 1, 0)):
        stopped_fit(run, data, *moment, resume=True)
    resumed_fit(run, data)
    assert_same_run(whole(), run)


def test_a_time_limit_of_nothing_still_ends_with_the_whole_run(tmp_path, whole):
    run, moments = tmp_path / "run", []
    for resume in (False, *[True] * 40):
        try:
            extra = [StopOnSignal(max_seconds=0)]
            fit(run, tmp_path / "data", count=10, resume=resume, seed=resume, extra=extra)
        except Stopped as stop:
            moments.append(stop.moment)
        else:
            break
    assert moments[:3] == [f"after batch {n} of 4 of epoch 1" for n in (1, 2, 3)]
    assert len(moments) == len(set(moments)), "every start must get further"
    assert_same_run(whole(), run)


def test_a_time_limit_that_is_not_reached_changes_nothing(tmp_path, whole):
    extra = [StopOnSignal(max_seconds=3600)]
    fit(tmp_path / "run", tmp_path / "data", count=10, extra=extra)
    assert_same_run(whole(), tmp_path / "run")


def test_ctrl_c_has_the_exit_code_of_shells_and_handlers_are_put_back(tmp_path):
    before = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)]
    moment = ("train", 0, 0, signal.SIGINT)
    assert stopped_fit(tmp_path / "run", tmp_path / "data", *moment).code == 130
    assert [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_snapshot_within_an_epoch_tells_the_scores_of_the_epoch_before(tmp_path, whole):
    stopped_fit(tmp_path / "run", tmp_path / "data", "train", 1, 1)
    last = tmp_path / "run/last.ckpt"
    found = read_description(read_checkpoint(last), last)
    best = torch.load(last, weights_only=True)["callbacks"]["InMemoryCheckpoint"]
    assert best["best_epoch"] == 0
    assert found.metrics["val/dice"] == best["best_score"]
