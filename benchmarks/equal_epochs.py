"""Epochs of the curriculum, plain and ours, at the demo's size: ``recipe=seed``, stage by stage."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import pytorch_lightning as pl

from aerialseg.training.build import build_data, build_module, build_trainer
from aerialseg.training.feature_cache import cache_stage_features
from benchmarks.command import run
from benchmarks.experiment import STAGES
from benchmarks.images import temporary_folder
from benchmarks.plain.seed import seed_stage
from benchmarks.plain.training import PlainStage
from benchmarks.row import Row
from benchmarks.timing import Setting

_IMAGES = 20  # of which a fifth validates
_EPOCHS = 5  # that are timed, after one that is not


@dataclass(frozen=True, slots=True)
class StageTime:
    """What a stage takes for the same images.

    Attributes:
        name: The stage.
        epochs: How many the recipe trains.
        plain: Seconds of an epoch, training and validation, by the plain formulations.
        ours: Seconds of an epoch by this project's trainer.
        once: Seconds before this project's first epoch, such as those of the feature cache.
    """

    name: str
    epochs: int
    plain: float
    ours: float
    once: float

    @property
    def row(self) -> Row:
        """Both times of an epoch; ours has its part of what is done once."""
        ours = self.ours + self.once / self.epochs
        return Row(f"epoch of {self.name}, recipe=seed", self.plain, ours, _GOALS[self.name])


def rows(setting: Setting) -> Iterator[Row]:
    """An epoch of each stage, and the five stages together, each by its number of epochs."""
    times = []
    for stage in STAGES:
        times.append(_measure(stage, setting))
        yield times[-1].row
    yield together(times)


def together(times: list[StageTime]) -> Row:
    """The mean epoch of the curriculum: stages count by their epochs."""
    epochs = sum(time.epochs for time in times)
    plain = sum(time.plain * time.epochs for time in times) / epochs
    ours = sum(time.ours * time.epochs + time.once for time in times) / epochs
    return Row(f"epoch of the curriculum, mean of {epochs}", plain, ours, _GOALS["curriculum"])


def _measure(stage: str, setting: Setting) -> StageTime:
    """Trains a stage by this project's trainer, and by the plain one after each of its epochs."""
    folder = temporary_folder() / "equal_epochs"
    height, width = (64, 96) if setting.quick else (192, 256)
    count = 10 if setting.quick else _IMAGES
    experiment = seed_stage(
        stage,
        *("experiment=demo", f"data.root='{folder / 'demo'}'", "run_name=benchmark"),
        *(f"data.layout.count={count}", f"data.layout.size=[{height},{width}]"),
        *(f"data.image_min_size={height}", "data.layout.test_count=0"),
        *(f"paths.runs_dir='{folder / 'runs'}'", f"paths.cache_dir='{folder / 'cache'}'"),
        "++trainer.enable_progress_bar=false",
        f"trainer.accelerator={'gpu' if setting.device == 'cuda' else 'cpu'}",
    )
    data = build_data(experiment)
    module, _ = build_module(experiment, data)
    plain = PlainStage(experiment, data, build_module(experiment, data)[0].to(setting.device))
    turns = Turns(plain.epoch, 1 if setting.quick else _EPOCHS)
    trainer = build_trainer(experiment)
    trainer.callbacks.append(turns)  # type: ignore[attr-defined]
    began = perf_counter()
    cache_stage_features(experiment, module, data, cache_dir=Path(experiment.paths.cache_dir))
    once = perf_counter() - began
    trainer.fit(module, data)
    return StageTime(stage, experiment.stage.epochs, *turns.medians, once)


class Turns(pl.Callback):
    """Times the trainer's epochs, and after each of them another function.

    Whatever the trainer does between two epochs counts as its own. The first epoch does not count.

    Args:
        other: The function.
        epochs: After how many more the training ends.
    """

    def __init__(self, other: Callable[[], object], epochs: int) -> None:
        self.other = other
        self.epochs = epochs
        self.times: list[tuple[float, float]] = []
        self._began = 0.0

    @property
    def medians(self) -> tuple[float, float]:
        """Median seconds of the function and of an epoch."""
        others, own = zip(*self.times[1:], strict=True)
        return median(others), median(own)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock."""
        self._began = perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stops the clock for the other function."""
        own = perf_counter() - self._began
        began = perf_counter()
        self.other()
        self.times.append((perf_counter() - began, own))
        trainer.should_stop = len(self.times) > self.epochs
        self._began = perf_counter()


_GOALS = {
    **{"head": 4.0, "decoder": 4.0, "aspp": 1.4, "half_backbone": 1.4, "full": 1.4},
    "curriculum": 2.0,
}


if __name__ == "__main__":
    run(rows)
