"""How soon does this project reach the score that plain training of the seed ends with?

The seed is ``recipe=seed``, five stages, trained by ``benchmarks/plain``: the usual way of writing
data, loss, step and metrics. This project trains the recipe of the experiment by its command, once,
on the same split and machine, in a process of the same environment. Slow, so not part of
``python -m benchmarks``: the whole seed has 200 epochs, of which ``--scale`` trains a part, at
least one a stage; the table says which. It is printed and written to
``benchmarks/curriculum/time_to_score_<experiment>.md``. What follows ``--`` is passed to both. ::

    python -m benchmarks.time_to_score --scale 0.1
    python -m benchmarks.time_to_score --root PATH --weights FILE --scale 0.5
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from aerialseg.training.build import build_data
from benchmarks.experiment import ROOT, STAGES, composed
from benchmarks.plain.seed import seed_stage
from benchmarks.results import cpu_name
from benchmarks.scores import Score, read_scores, scores_of_run

Name = Literal["miou", "dice"]
_NAMES: tuple[tuple[Name, str], ...] = (("miou", "val mIoU"), ("dice", "val Dice"))


@dataclass(frozen=True)
class Training:
    """One training, from its command to its end.

    Attributes:
        began: When the command was started, as in the scores.
        seconds: How long it took; of plain training until the last score.
        scores: Of each validation, in the order of time.
    """

    began: float
    seconds: float
    scores: Sequence[Score]

    def reaches(self, name: Name, least: float) -> float | None:
        """Seconds until a score is at least ``least``; None if it never is."""
        for score in self.scores:
            if score[name] >= least:
                return score["at"] - self.began
        return None

    def best(self, name: Name) -> float:
        """The best score."""
        return max(score[name] for score in self.scores)


def table(plain: Training, ours: Training) -> str:
    """Both trainings as Markdown, a column for each score."""
    columns = [_column(plain, ours, name) for name, _ in _NAMES]
    lines = [f"| | {' | '.join(title for _, title in _NAMES)} |", "|---|---|---|"]
    for row in columns[0]:
        lines.append(f"| {row} | {' | '.join(column[row] for column in columns)} |")
    return "\n".join(lines)


def _column(plain: Training, ours: Training, name: Name) -> dict[str, str]:
    goal = plain.scores[-1][name]
    first, reached = plain.reaches(name, goal), ours.reaches(name, goal)
    if first is None:
        raise ValueError("plain training has no score")
    return {
        "plain seed: score of the last epoch": f"{goal:.4f}",
        "plain seed: trained in": f"{plain.seconds:.0f} s",
        "plain seed: that score first reached after": f"{first:.0f} s",
        "this project: that score reached after": (
            "never" if reached is None else f"{reached:.0f} s"
        ),
        "**ratio to the whole seed**": _ratio(plain.seconds, reached),
        "ratio to when plain first reached it": _ratio(first, reached),
        "this project: best score": f"{ours.best(name):.4f}",
        "this project: trained and evaluated in": f"{ours.seconds:.0f} s",
    }


def _ratio(plain: float, ours: float | None) -> str:
    return "-" if ours is None else f"{plain / ours:.1f}x"


def train_plain(folder: Path, given: Sequence[str], scale: float) -> Training:
    """The seed by the plain formulations."""
    file = folder / "plain.jsonl"
    arguments = (str(file), str(scale), *given, *_folders(folder / "plain"))
    began, _ = _run("-m", "benchmarks.plain.seed", *arguments)
    scores = read_scores(file)
    return Training(began, scores[-1]["at"] - began, scores)


def train_ours(folder: Path, given: Sequence[str]) -> Training:
    """This project's curriculum by its command."""
    arguments = ("task=curriculum", *given, *_folders(folder / "ours"))
    began, seconds = _run("run.py", *arguments, "run_name=ours")
    return Training(began, seconds, scores_of_run(folder / "ours" / "runs" / "ours"))


def _folders(folder: Path) -> tuple[str, str]:
    return f"paths.runs_dir='{folder / 'runs'}'", f"paths.cache_dir='{folder / 'cache'}'"


def _cores() -> str:
    """How many cores this process may use, such as ``1 of 2 cores``."""
    all_cores = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else all_cores
    return f"{usable} of {all_cores} cores" if usable < all_cores else f"{all_cores} cores"


def _run(*arguments: str) -> tuple[float, float]:
    """Runs Python; when it was started, and how long it took.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    # As in a command of this project, so that neither suffers more from other processes.
    variables = {"PYTHONPATH": paths, "GOMP_SPINCOUNT": "1000"}
    began = time.time()
    command = [sys.executable, *arguments]
    subprocess.run(
        command, cwd=ROOT, env=variables | os.environ | {"PYTHONPATH": paths}, check=True
    )
    return began, time.time() - began


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains both and writes the table."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    options = argparse.ArgumentParser(description="time to the score of the plainly trained seed")
    options.add_argument("--experiment", help="default: dubai with --root, else demo")
    options.add_argument("--root", type=Path, metavar="PATH", help="the data set")
    options.add_argument("--weights", type=Path, metavar="FILE", help="weights of the backbone")
    options.add_argument("--scale", type=float, default=1.0, help="factor of the seed's epochs")
    options.add_argument("--output", type=Path, metavar="FILE")
    chosen, passed = options.parse_args(given[:end]), given[end + 1 :]
    name = chosen.experiment or ("dubai" if chosen.root else "demo")
    output = chosen.output or ROOT / "benchmarks" / "curriculum" / f"time_to_score_{name}.md"
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        root = folder / "data" if chosen.root is None else chosen.root.resolve()
        both = [f"experiment={name}", f"data.root='{root}'", *passed]
        if chosen.weights is not None:
            both.append(f"model.weights='{chosen.weights.resolve()}'")
        first = seed_stage(STAGES[0], *both, *_folders(folder / "listing"), scale=chosen.scale)
        weights = Path(first.model.weights).name
        recipe = composed(*both).recipe.name
        build_data(first)  # draws the scenes of the demo, for both
        plain = train_plain(folder, both, chosen.scale)
        ours = train_ours(folder, both)
        epochs = [
            seed_stage(stage, *both, *_folders(folder / "listing"), scale=chosen.scale).stage.epochs
            for stage in STAGES
        ]
    shown = " ".join(re.sub(r"=/.*", "=PATH", argument) for argument in passed)
    lines = [
        f"# Time to the score of the seed: `experiment={name}`{f' `{shown}`' if shown else ''}",
        f"Plain seed: at most {'/'.join(map(str, epochs))} epochs (scale {chosen.scale:g}), of "
        f"which early stopping left {len(plain.scores)}; this project: `recipe={recipe}`. Both "
        f"start from {weights}, once, one after the other. Times count from the command, but "
        "plain training without its preparation.",
        f"{date.today()}; {cpu_name()}, {_cores()}; load before: {load:.1f}.",
        table(plain, ours),
    ]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    print(f"\n{lines[-1]}\n\nwritten to {output}")


if __name__ == "__main__":
    main()
