"""On a GPU: does the loader keep up, and how long will the curriculum take?

``python -m benchmarks.gpu`` trains each of the five stages briefly, on images of AeroScapes' size:
from one batch that stays on the GPU, and from the real loader with one worker per core.
"""

from collections.abc import Sequence

from benchmarks.command import parser, setting_of
from benchmarks.experiment import STAGES
from benchmarks.results import facts
from benchmarks.row import Row, amount
from benchmarks.speed import StageSpeed, measure

TRAIN, VAL = 2621, 648
"""Numbers of images of AeroScapes' official split."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures the five stages and prints the estimated time of the curriculum."""
    setting = setting_of(parser(main.__doc__ or "").parse_args(arguments))
    if setting.device != "cuda" and not setting.quick:
        print("no GPU, so nothing is measured; --quick runs a smoke test")
        return
    print(*facts(setting), sep="\n")
    print(f"{'stage':<14} {'steps/s':>8} {'images/s':>11} {'validated/s':>12} {'memory':>9}")
    speeds = []
    for stage in STAGES:
        speeds.append(measure(stage, setting))
        print(_line(speeds[-1]), flush=True)
    print(*(_row(speed).line for speed in speeds), sep="\n")
    epochs = sum(speed.epochs for speed in speeds)
    hours = sum(speed.seconds(TRAIN, VAL) for speed in speeds) / 3600
    print(f"AeroScapes, {TRAIN} + {VAL} images, {epochs} epochs: {hours:.1f} hours")


def _line(speed: StageSpeed) -> str:
    steps = speed.loaded / speed.batch_size
    memory = amount(speed.memory, "B")
    rates = f"{steps:>8.2f} {speed.loaded:>11.1f} {speed.validated:>12.1f}"
    return f"{speed.name:<14} {rates} {memory:>9}"


def _row(speed: StageSpeed) -> Row:
    return Row(
        f"loader keeps up, {speed.name}",
        1 / speed.resident,
        1 / speed.loaded,
        goal=0.95,
        reason="decoding and augmenting need more cores",
    )


if __name__ == "__main__":
    main()
