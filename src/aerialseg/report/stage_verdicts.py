"""What each stage of a run has brought, and whether that is more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from aerialseg.durations import duration
from aerialseg.metrics.bootstrap import Interval, intervals, paired_difference
from aerialseg.metrics.scores import macro_dice, mean_iou
from aerialseg.report.job_tables import FinishedJob


@dataclass(frozen=True)
class StageVerdict:
    """A stage with its scores and its verdict.

    Attributes:
        name: The stage.
        trainable_parameters: That learnt in it.
        epochs: That it trained.
        best_epoch: The one that was kept.
        seconds: Of its training.
        dice: Dice of the validation images at their original size.
        miou: Their mean IoU.
        dice_interval: 95 %; ``None`` if there are too few groups of images.
        miou_interval: Likewise.
        gain: In Dice over the stage that it started from; ``None`` if that is not in the run.
        gain_interval: 95 %, over the same groups before and after.
        verdict: In words.
        tone: ``good`` for a sure gain, ``bad`` for a sure loss, else empty.
    """

    name: str
    trainable_parameters: int
    epochs: int
    best_epoch: int
    seconds: float
    dice: float
    miou: float
    dice_interval: Interval | None
    miou_interval: Interval | None
    gain: float | None
    gain_interval: Interval | None
    verdict: str
    tone: Literal["good", "bad", ""]

    @property
    def time(self) -> str:
        """The time of its training, for people."""
        return duration(self.seconds)


def stage_verdict(
    job: FinishedJob,
    groups: Tensor,
    before: tuple[FinishedJob, Tensor] | None,
    *,
    is_first: bool,
) -> StageVerdict:
    """Judges a stage.

    Args:
        job: The stage.
        groups: ``(G, C, C)`` int64 confusion matrices of the groups of validation images.
        before: The stage that it started from and its matrices of the same groups.
        is_first: Whether it comes before all others that are judged.
    """
    total = groups.sum(0)
    gain, gain_interval = None, None
    if before is not None:
        gain, gain_interval = paired_difference(before[1], groups, macro_dice)
    parent = None if before is None else before[0]
    verdict, tone = _verdict(job, parent, gain, gain_interval, is_first=is_first)
    (dice_interval,), (miou_interval,) = intervals(groups, macro_dice), intervals(groups, mean_iou)
    return StageVerdict(
        name=job.name,
        trainable_parameters=job.result.trainable_parameters,
        epochs=job.result.epochs,
        best_epoch=job.result.best_epoch,
        seconds=job.result.seconds,
        dice=float(macro_dice(total)),
        miou=float(mean_iou(total)),
        dice_interval=dice_interval,
        miou_interval=miou_interval,
        gain=gain,
        gain_interval=gain_interval,
        verdict=verdict,
        tone=tone,
    )


def _verdict(
    job: FinishedJob,
    before: FinishedJob | None,
    gain: float | None,
    interval: Interval | None,
    *,
    is_first: bool,
) -> tuple[str, Literal["good", "bad", ""]]:
    """The verdict in words, and its tone."""
    if before is None or gain is None:
        return _without_gain(job, is_first=is_first), ""
    if interval is None:
        return "too few groups of images to tell", ""
    without = f"; without it {duration(job.result.seconds)} would be saved"
    if interval.low > 0:
        return f"better than {before.name}", "good"
    if interval.high < 0:
        return f"worse than {before.name}{without}", "bad"
    return f"no sure difference from {before.name}{without}", ""


def _without_gain(job: FinishedJob, *, is_first: bool) -> str:
    """Why a stage has no gain; one whose predecessor is missing is not the first."""
    if job.previous is not None:
        return f"not judged, since {job.previous} is left out"
    if is_first:
        return "the first stage"
    return "not judged, since it started from none of these stages as they are"


def verdicts(jobs: Sequence[FinishedJob], groups: Sequence[Tensor]) -> list[StageVerdict]:
    """The verdicts of all stages of a run, each against the one that it started from."""
    found = {job.name: (job, each) for job, each in zip(jobs, groups, strict=True)}
    return [
        stage_verdict(job, each, found.get(job.previous or ""), is_first=row == 0)
        for row, (job, each) in enumerate(found.values())
    ]
