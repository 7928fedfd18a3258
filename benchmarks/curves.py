"""What TensorBoard costs: epochs of the demo's first stage with it and without any logger.

They are compared in seconds of the processor, of one thread: what else runs on the machine changes
the time of an epoch by more than what is measured. The loader's processes do not count, nor does
waiting for the disk, which takes some milliseconds an epoch.
"""

from collections.abc import Iterator
from statistics import mean, median
from time import process_time

import pytorch_lightning as pl

from aerialseg.config.schema import Experiment
from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.training.build import build_data, build_module, build_trainer
from benchmarks.command import run
from benchmarks.experiment import demo_config
from benchmarks.row import Row
from benchmarks.timing import Setting

_PAIRS = 3
_EPOCHS = 5  # that are timed, one sheet of predictions among them as in any five


def rows(setting: Setting) -> Iterator[Row]:
    """An epoch of training and validation, with TensorBoard's curves and images and without."""
    epochs, pairs = (1, 1) if setting.quick else (_EPOCHS, _PAIRS)
    experiments = [_experiment(name, epochs, setting) for name in ("none", "tensorboard")]
    data = build_data(experiments[0])
    times: list[list[float]] = [[], []]
    for turn in range(pairs):
        # Each is first in every other pair.
        for place in (turn % 2, 1 - turn % 2):
            times[place].append(_epoch(experiments[place], data))
    without, with_board = map(median, times)
    yield Row(
        "training epoch with TensorBoard, processor", without, with_board, goal=1.02, kind="smaller"
    )


def _experiment(logger: str, epochs: int, setting: Setting) -> Experiment:
    """The demo as it is, but for its length and for checkpoints, which are not measured."""
    quick = ("data.layout.count=10", "data.layout.size=[64,96]", "data.image_min_size=64")
    return demo_config(
        *("stage=head", f"logger={logger}", f"run_name={logger}", "existing=overwrite"),
        *("callbacks.checkpoint.every_n_epochs=1000", "++trainer.enable_progress_bar=false"),
        *(f"stage.epochs={epochs + 2}", "~callbacks.early_stopping", "~callbacks.forecast"),
        "compute.threads=1",
        f"trainer.accelerator={'gpu' if setting.device == 'cuda' else 'cpu'}",
        *(quick if setting.quick else ()),
    )


def _epoch(experiment: Experiment, data: AerialSegDataModule) -> float:
    """Mean seconds of an epoch of a training from the start."""
    pl.seed_everything(experiment.seed, workers=True, verbose=False)
    module, _ = build_module(experiment, data)
    trainer, clock = build_trainer(experiment), EpochClock()
    trainer.callbacks.append(clock)  # type: ignore[attr-defined]
    trainer.fit(module, data)
    return mean(clock.epochs)


class EpochClock(pl.Callback):
    """Times epochs from start to start: training, validation and what is logged of both.

    Seconds are those that the processor works for this process.

    The first epoch does not count, which warms up, nor the last, which ends with the training.
    """

    def __init__(self) -> None:
        self._starts: list[float] = []

    @property
    def epochs(self) -> list[float]:
        """Seconds of each epoch that counts."""
        pairs = zip(self._starts[1:], self._starts[2:], strict=False)
        return [end - start for start, end in pairs]

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Notes the time."""
        self._starts.append(process_time())


if __name__ == "__main__":
    run(rows)
