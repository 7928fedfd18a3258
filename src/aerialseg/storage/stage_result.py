"""What a finished stage has come to: the content of ``metrics.json``."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class StageResult:
    """The scores of a stage's best epoch, and the facts of its run.

    Attributes:
        scores: Logged values of the best epoch by name, such as ``val/dice``.
        stage: The stage.
        best_epoch: The epoch with the best score, counted from 1.
        epochs: Epochs trained.
        seconds: Time that training took, interruptions left out.
        trainable_parameters: Number of values that learnt.
        total_parameters: Number of values in all parameters.
        frozen_tensors: Frozen parameters and buffers that were compared before and after.
        frozen_unchanged: Whether all of them are the same bit for bit.
    """

    scores: Mapping[str, float]
    stage: str
    best_epoch: int
    epochs: int
    seconds: float
    trainable_parameters: int
    total_parameters: int
    frozen_tensors: int
    frozen_unchanged: bool

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any]) -> "StageResult":
        """Reads the flat mapping that :meth:`to_mapping` gives."""
        names = [field.name for field in fields(cls) if field.name != "scores"]
        scores = {name: float(value) for name, value in content.items() if name not in names}
        return cls(scores=scores, **{name: content[name] for name in names})

    def to_mapping(self) -> dict[str, Any]:
        """One flat mapping: the scores first, then the facts."""
        facts = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "scores"}
        return {**self.scores, **facts}
