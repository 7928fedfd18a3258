"""How long a stage is expected to take."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Forecast:
    """What a few measured steps say about the whole of a stage.

    Attributes:
        stage: The stage.
        epochs: Epochs that the stage trains.
        epochs_left: Those that are still to be trained.
        step: Seconds a training step takes; ``None`` if nothing is left to train.
        validation_batch: Seconds a validation batch takes; ``None`` likewise.
        features: Seconds to compute the features of the frozen part, once; 0 if none are cached.
        seconds: The whole of what is left.
        at_most: Whether it may be less, because training may end early.
    """

    stage: str
    epochs: int
    epochs_left: int
    step: float | None = None
    validation_batch: float | None = None
    features: float = 0.0
    seconds: float = 0.0
    at_most: bool = False
