"""The recipe ``seed`` trained by the plain formulations, as a process of its own.

It writes the lines of :class:`~benchmarks.scores.Score`::

    python -m benchmarks.plain.seed scores.jsonl 0.1 experiment=demo
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aerialseg.config.schema import Experiment
from aerialseg.training.build import build_data, build_module
from benchmarks.experiment import STAGES, composed
from benchmarks.plain.training import PlainStage, patient
from benchmarks.scores import Score, write_score


def seed_stage(stage: str, *given: str, scale: float = 1.0) -> Experiment:
    """The config of one stage of the recipe, whatever an experiment says of training.

    Args:
        stage: Its name.
        *given: Overrides for data, weights and folders; they may change the stage, too.
        scale: Factor of the epochs.
    """
    seed = composed("recipe=seed", f"recipe.scale={scale}", f"stage={stage}")
    # Typed, because an experiment may say them too.
    recipe = (
        *("recipe=seed", f"stage={stage}", f"augmentation={seed.recipe.augmentation[stage]}"),
        *("optimizer=sgd", "scheduler=polynomial_per_epoch", "loss=dice_cross_entropy"),
        f"stage.epochs={seed.stage.epochs}",
        f"stage.learning_rate={seed.stage.learning_rate}",
        *("stage.init_checkpoint=null", "data.crop_size=null"),
    )
    return composed(*recipe, *given)


def plain_stage(experiment: Experiment, before: Mapping[str, Tensor] | None = None) -> PlainStage:
    """The plain training of one stage.

    Args:
        experiment: Its config.
        before: The tensors that the stage before it ended with; None for the model's weights.
    """
    data = build_data(experiment)
    module, _ = build_module(experiment, data)
    plain = PlainStage(experiment, data, module)
    if before is not None:
        _load(plain.step.network, before)
    return plain


def train(file: Path, scale: float, given: Sequence[str]) -> None:
    """Trains the five stages one after the other, each from the last epoch of that before.

    Building and what only the comparison needs is taken out of the times.
    """
    tensors: Mapping[str, Tensor] | None = None
    uncounted = 0.0
    for name in STAGES:
        began = time.time()
        experiment = seed_stage(name, *given, scale=scale)
        torch.manual_seed(experiment.seed)
        plain = plain_stage(experiment, tensors)
        uncounted += time.time() - began
        losses = _losses(plain, file, experiment, uncounted)
        for epoch, loss in enumerate(patient(losses, _patience(experiment)), start=1):
            line = f"plain {name}: epoch {epoch} of {experiment.stage.epochs}, val loss {loss:.3f}"
            print(line, flush=True)
        uncounted += plain.uncounted
        tensors = plain.step.network.state_dict()


def _losses(
    plain: PlainStage, file: Path, experiment: Experiment, uncounted: float
) -> Iterator[float]:
    """Trains and notes the score of each epoch; the validation losses."""
    for _ in range(experiment.stage.epochs):
        loss, scores = plain.epoch()
        at = time.time() - uncounted - plain.uncounted
        write_score(file, Score(at=at, miou=scores["miou"], dice=scores["dice"]))
        yield loss


def _patience(experiment: Experiment) -> int:
    """Epochs without a lower validation loss that end a stage."""
    stopping: Any = experiment.callbacks.get("early_stopping")
    if stopping is None:
        return experiment.stage.epochs
    if stopping["monitor"] != "val/loss":
        raise ValueError("the plain training stops early by val/loss only")
    return int(stopping["patience"])


def _load(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Loads the tensors of a stage; only the last one has no auxiliary head."""
    missing = network.load_state_dict(state, strict=False).missing_keys
    if missing:
        raise ValueError(f"the stage before has no {', '.join(missing)}")


if __name__ == "__main__":
    train(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
