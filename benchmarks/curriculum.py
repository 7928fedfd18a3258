"""The whole curriculum, this revision against an earlier one, alternating, over several seeds.

Slow, so not part of ``python -m benchmarks``. Arguments after ``--`` are passed to
``multirun_stages.sh`` of both revisions; paths must be absolute. The table is printed and written
to ``benchmarks/curriculum/<experiment>.md``. ::

    python -m benchmarks.curriculum 8c39a0b --seeds 0 1 2 -- experiment=demo
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev
from time import perf_counter

from benchmarks.experiment import ROOT, STAGES
from benchmarks.results import cpu_name


@dataclass(frozen=True, slots=True)
class Run:
    """One curriculum from its first stage to the evaluation of its last.

    Attributes:
        seconds: Time of the script, including the start of every process.
        stages: Training time of each stage in seconds.
        dice: Validation Dice of the last stage's best epoch.
    """

    seconds: float
    stages: tuple[float, ...]
    dice: float


def run_curriculum(code: Path, folder: Path, arguments: Sequence[str], seed: int) -> Run:
    """Runs the script of one checkout into an empty folder.

    Raises:
        subprocess.CalledProcessError: If it fails; its output is printed.
    """
    runs = folder / "runs"
    command = [
        *("bash", "multirun_stages.sh", *arguments, f"seed={seed}", "run_name=benchmark"),
        *(f"paths.runs_dir={runs}", f"paths.cache_dir={folder / 'cache'}"),
    ]
    variables = {"PYTHONPATH": str(code / "src"), "PATH": _path()}
    began = perf_counter()
    done = subprocess.run(
        command, cwd=code, env=os.environ | variables, capture_output=True, encoding="utf-8"
    )
    seconds = perf_counter() - began
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        done.check_returncode()
    stages = [
        json.loads(
            (runs / "benchmark" / stage / "train" / "metrics.json").read_text(encoding="utf-8")
        )
        for stage in STAGES
    ]
    times = tuple(float(stage["seconds"]) for stage in stages)
    return Run(seconds, times, float(stages[-1]["val/dice"]))


def table(before: Sequence[Run], after: Sequence[Run]) -> str:
    """Both revisions seed by seed, and their medians, as Markdown."""
    lines = ["| | before | after | ratio |", "|---|---|---|---|"]
    whole = [(old.seconds, new.seconds) for old, new in zip(before, after, strict=True)]
    for number, times in enumerate(whole):
        lines.append(_times(f"whole script, run {number + 1}", *times))
    lines.append(_times("**whole script, median**", *(median(t) for t in zip(*whole, strict=True))))
    for index, stage in enumerate(STAGES):
        medians = (median(run.stages[index] for run in runs) for runs in (before, after))
        lines.append(_times(f"stage {stage}, median", *medians))
    scores = (_spread([run.dice for run in runs]) for runs in (before, after))
    lines.append(f"| val Dice of the last stage, mean ± deviation | {' | '.join(scores)} | |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and writes the table."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    options = argparse.ArgumentParser(description="the curriculum against an earlier revision")
    options.add_argument("revision", help="git revision to compare with")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    chosen, passed = options.parse_args(given[:end]), given[end + 1 :]
    results: dict[str, list[Run]] = {"before": [], "after": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        codes = {"before": _checkout(chosen.revision, folder), "after": _checkout("HEAD", folder)}
        for seed in chosen.seeds:
            for which, code in codes.items():
                place = folder / f"{which}-{seed}"
                results[which].append(run_curriculum(code, place, passed, seed))
                print(f"seed {seed}, {which}: {results[which][-1]}", flush=True)
        for code in codes.values():
            _git("worktree", "remove", "--force", str(code))
    text = table(results["before"], results["after"])
    old, new = (path.name for path in codes.values())
    machine = f"one machine: {cpu_name()}, {os.cpu_count()} cores"
    revisions = f"`{old[:7]}` before, `{new[:7]}` after, in turn on {machine}"
    shown = (re.sub(r"=/.*", "=PATH", argument) for argument in passed)  # paths of this machine
    title = f"# `./multirun_stages.sh {' '.join(shown)}`"
    path = ROOT / "benchmarks" / "curriculum" / f"{_name(passed)}.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{title}\n\n{revisions}.\n\n{text}\n", encoding="utf-8")
    print(f"\n{text}\n\nwritten to {path}")


def _times(name: str, before: float, after: float) -> str:
    return f"| {name} | {before:.0f} s | {after:.0f} s | {before / after:.2f}x |"


def _spread(values: Sequence[float]) -> str:
    deviation = stdev(values) if len(values) > 1 else 0.0
    return f"{mean(values):.4f} ± {deviation:.4f}"


def _checkout(revision: str, folder: Path) -> Path:
    commit = _git("rev-parse", revision)
    path = folder / f"{commit[:12]}"
    _git("worktree", "add", "--detach", str(path), commit)
    return path


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.strip()


def _path() -> str:
    """PATH with this Python first, because the script calls ``python``."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def _name(arguments: Sequence[str]) -> str:
    chosen = [a.partition("=")[2] for a in arguments if a.startswith("experiment=")]
    return chosen[0] if chosen else "default"


if __name__ == "__main__":
    main()
