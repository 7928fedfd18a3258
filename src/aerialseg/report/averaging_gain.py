"""What averaging brings and costs: scores and seconds with and without, on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table
from torch import Tensor

from aerialseg.metrics.bootstrap import Interval, paired_difference, sum_by_group
from aerialseg.metrics.scores import macro_dice, mean_iou
from aerialseg.report.printing import print_whole


@dataclass(frozen=True, eq=False)
class TimedScores:
    """A way to predict.

    Attributes:
        checkpoint: The network's; empty for the average.
        protocol: How predictions come about.
        matrices: ``(N, C, C)`` int64: the confusion matrix of each image, or window.
        seconds: Of prediction, reading left out, for all of them.
    """

    checkpoint: str
    protocol: str
    matrices: Tensor
    seconds: float

    @property
    def dice(self) -> float:
        """Of all images, absent classes left out."""
        return float(macro_dice(self.matrices.sum(0)))

    @property
    def miou(self) -> float:
        """Likewise."""
        return float(mean_iou(self.matrices.sum(0)))

    @property
    def seconds_per_image(self) -> float:
        """The mean."""
        return self.seconds / len(self.matrices)


@dataclass(frozen=True, eq=False)
class AveragingGain:
    """An average, and each of its networks alone on one view of each image.

    Attributes:
        average: The average.
        alone: The networks, in the order in which they were given.
        groups: The group of each image.
    """

    average: TimedScores
    alone: Sequence[TimedScores]
    groups: Sequence[str]

    @property
    def times(self) -> float:
        """How many times the seconds of one network alone, of their mean, it takes."""
        return self.average.seconds * len(self.alone) / sum(each.seconds for each in self.alone)

    def gain_over(self, alone: TimedScores) -> tuple[float, Interval | None]:
        """The difference in mIoU, and its 95 % interval over groups of images."""
        before, after = (sum_by_group(each.matrices, self.groups) for each in (alone, self.average))
        return paired_difference(before, after, mean_iou)

    def to_mapping(self) -> dict[str, Any]:
        """As ``metrics.json`` holds it."""
        return {
            "seconds_per_image": self.average.seconds_per_image,
            "times_the_seconds": self.times,
            "without": [self._without(each) for each in self.alone],
        }

    def _without(self, alone: TimedScores) -> dict[str, Any]:
        """A network alone, and what averaging gained on it."""
        gain, interval = self.gain_over(alone)
        return {
            "checkpoint": alone.checkpoint,
            "protocol": alone.protocol,
            "dice": alone.dice,
            "miou": alone.miou,
            "seconds_per_image": alone.seconds_per_image,
            "gain_miou": gain,
            "gain_miou_interval": None if interval is None else [interval.low, interval.high],
        }

    def show(self) -> None:
        """Prints a row for each network alone, and one for the average."""
        table = Table(title="averaged, and without averaging", title_justify="left")
        table.add_column("prediction")
        columns = ("Dice", "mIoU", "gain in mIoU by averaging (95 %)", "seconds an image", "time")
        for column in columns:
            table.add_column(column, justify="right")
        for each in self.alone:
            name = each.protocol if len(self.alone) == 1 else f"{each.checkpoint}, {each.protocol}"
            gain = _gain(*self.gain_over(each))
            factor = each.seconds * len(self.alone) / sum(one.seconds for one in self.alone)
            table.add_row(*_cells(name, each, gain, factor))
        table.add_section()
        table.add_row(*_cells(self.average.protocol, self.average, "", self.times))
        print_whole(table)


def _cells(name: str, scores: TimedScores, gain: str, factor: float) -> list[str]:
    """The cells of a row."""
    numbers = (f"{scores.dice:.4f}", f"{scores.miou:.4f}", gain)
    return [escape(name), *numbers, f"{scores.seconds_per_image:.3f}", f"{factor:.1f}x"]


def _gain(gain: float, interval: Interval | None) -> str:
    if interval is None:
        return f"{gain:+.4f}"
    return f"{gain:+.4f} ({interval.low:+.3f} to {interval.high:+.3f})"
