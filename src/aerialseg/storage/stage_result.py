"""What a finished stage has come to: the content of ``metrics.json``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

MAIN_SCORES = ("val/dice", "val/miou")
"""The scores that every stage has, because its validation logs them."""


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
        fresh_groups: Layer groups below ``stage.fine_tune_start`` that were still random when the
            stage began; trained, unless ``stage.fresh`` is ``freeze``.
        averaged_weights: Whether the best weights are an average, with ``callbacks=ema``; ``None``
            if there was no average to choose.
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
    fresh_groups: list[str] = field(default_factory=list)
    averaged_weights: bool | None = None

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any]) -> "StageResult":
        """Reads the flat mapping that :meth:`to_mapping` gives.

        Raises:
            ValueError: If it is another one: a fact or the main score is missing, or of another
                type.
        """
        from pydantic import TypeAdapter  # loads slowly; --help must not

        names = [f.name for f in fields(cls) if f.name != "scores"]
        facts = {name: content[name] for name in names if name in content}
        scores = {name: value for name, value in content.items() if name not in names}
        if missing := [name for name in MAIN_SCORES if name not in scores]:
            raise ValueError(f"has no {missing[0]}")
        return TypeAdapter(cls).validate_python({"scores": scores, **facts})

    def to_mapping(self) -> dict[str, Any]:
        """One flat mapping: the scores first, then the facts."""
        facts = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "scores"}
        return {**self.scores, **facts}
