"""The command line of ``python -m benchmarks.recipes``."""

import argparse
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.experiment import ROOT
from benchmarks.recipes.datasets import PREPARE, SCENES_SIZE
from benchmarks.recipes.variants import Variant, VariantError, check_overrides, parse_variants

WORK = ROOT / "runs" / "recipes_benchmark"
RESULTS = ROOT / "benchmarks" / "recipes"
TABLE = ROOT / "benchmarks" / "RECIPES.md"
_PROGRAM = "python -m benchmarks.recipes"
_ABOUT = """\
Compares recipes and other ways to train, over folds of held-out places, at equal training seconds.

A VARIANT is the name of a recipe (strong), or a name, a colon and overrides in quotes
('rare: recipe=strong data.rare_classes=0.5'). The others are compared with the first one.
With --full-length, {NAME} in a variant stands for the checkpoint of another one, trained first on
the same fold ('taught: recipe=strong loss.distillation.teacher={strong}').
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was typed.

    Attributes:
        data: The name of the data set.
        root: Its folder; None for generated scenes.
        counts: Numbers of scenes; None where the data set has its own.
        size: Height and width of scenes; None likewise.
        weights: The file that networks start from; None for the default.
        folds: Into how many the places are divided.
        seeds: Of training.
        seconds: What training is to take; 0 for the recipes' own length.
        jobs: How many runs there are at a time.
        common: Overrides of all variants.
        variants: In the order of the table.
        work: Folder of runs, data and caches.
        records: Folder of the recorded runs.
        table: The file with the table.
    """

    data: str
    root: Path | None
    counts: tuple[int | None, ...]
    size: tuple[int, int] | None
    weights: Path | None
    folds: int
    seeds: tuple[int, ...]
    seconds: float
    jobs: int
    common: tuple[str, ...]
    variants: tuple[Variant, ...]
    work: Path
    records: Path
    table: Path

    @property
    def threads(self) -> int:
        """Of each run: as ``OMP_NUM_THREADS`` says, or a share of the cores."""
        given = os.environ.get("OMP_NUM_THREADS", "")
        return int(given) if given.isdecimal() else max(1, (os.cpu_count() or 1) // self.jobs)

    @property
    def command(self) -> str:
        """The command line without paths of this machine."""
        counts = [str(count) for count in self.counts if count is not None]
        parts = ["--data", self.data]
        parts += ["--root", "PATH"] if self.root else []
        parts += ["--weights", "FILE"] if self.weights else []
        parts += ["--count", *counts] if counts else []
        parts += ["--size", *map(str, self.size)] if self.size not in (None, SCENES_SIZE) else []
        parts += ["--folds", str(self.folds), "--seeds", *map(str, self.seeds)]
        parts += ["--seconds", f"{self.seconds:g}"] if self.seconds else ["--full-length"]
        parts += ["--jobs", str(self.jobs)] if self.jobs > 1 else []
        parts += ["--common", *self.common] if self.common else []
        variants = [
            each.name
            if each.overrides == (f"recipe={each.name}",)
            else f"{each.name}: {' '.join(each.overrides)}"
            for each in self.variants
        ]
        return without_paths(shlex.join([*_PROGRAM.split(), *parts, "--", *variants]))


def without_paths(text: str) -> str:
    """Overrides whose values are absolute or lead out of a folder, with ``PATH`` instead."""
    return re.sub(r"=(?:/|~|\.\.)[^\s'\"]*", "=PATH", text)


def parse(arguments: Sequence[str]) -> Chosen:
    """What was typed; ends the process with a line about what is wrong."""
    parser = _parser()
    given = list(arguments)
    end = given.index("--") if "--" in given else len(given)
    options = parser.parse_args(given[:end])
    seconds = 0.0 if options.full_length else options.seconds
    try:
        variants = parse_variants(given[end + 1 :], is_scaled=seconds > 0)
        check_overrides(options.common, where="--common", is_scaled=seconds > 0)
    except VariantError as error:
        parser.error(str(error))
    is_drawn = options.data == "scenes"
    if is_drawn == bool(options.root):
        wanted = "no --root, because scenes are drawn" if is_drawn else "--root FOLDER"
        parser.error(f"--data {options.data}: wants {wanted}")
    if not is_drawn and (options.count or options.size):
        parser.error(f"--data {options.data}: has its own images; leave out --count and --size")
    if min(options.folds - 1, options.jobs, *(count for count in options.count or [1])) < 1:
        parser.error("--folds is 2 or more, --jobs and --count are 1 or more")
    if options.weights and not options.weights.is_file():
        parser.error(f"--weights {options.weights}: there is no such file")
    return Chosen(
        data=options.data,
        root=options.root and options.root.resolve(),
        counts=tuple(options.count or [50]) if is_drawn else (None,),
        size=tuple(options.size or SCENES_SIZE) if is_drawn else None,
        weights=options.weights and options.weights.resolve(),
        folds=options.folds,
        seeds=tuple(dict.fromkeys(options.seeds)),
        seconds=seconds,
        jobs=options.jobs,
        common=tuple(options.common),
        variants=variants,
        work=options.work.resolve(),
        records=(options.results or RESULTS).resolve(),
        table=options.results.resolve() / TABLE.name if options.results else TABLE,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        usage=f"{_PROGRAM} --data NAME [OPTION ...] -- VARIANT [VARIANT ...]",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", required=True, choices=PREPARE, help="what to train and test on")
    add("--root", type=Path, metavar="FOLDER", help="of dubai: holds imgs and masks")
    add("--weights", type=Path, metavar="FILE", help="model.weights of all runs")
    add("--count", type=int, nargs="+", metavar="N", help="of scenes: images in all, default 50")
    add("--size", type=int, nargs=2, metavar=("H", "W"), help="of scenes, default 192 256")
    add("--folds", type=int, default=4, help="into how many the places are divided, default 4")
    add("--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="default 0")
    add("--seconds", type=_seconds, default=120.0, help="training time of each run, default 120")
    add("--full-length", action="store_true", help="the recipes' own epochs, as --seconds 0")
    add(
        "--jobs",
        type=int,
        default=1,
        help="runs at a time, default 1; each has its share of the cores, or OMP_NUM_THREADS",
    )
    add("--common", nargs="+", default=[], metavar="OVERRIDE", help="overrides of all variants")
    add("--work", type=Path, default=WORK, metavar="FOLDER", help="of runs and caches")
    add("--results", type=Path, metavar="FOLDER", help="of records and table, for trials")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: wanted 0 or more")
    return seconds
