"""``python -m benchmarks.recipes``: see the package, or ``--help``."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from aerialseg.errors import AerialsegError
from benchmarks.recipes.arguments import Chosen, parse
from benchmarks.recipes.comparison import Comparison, code_revision
from benchmarks.recipes.configs import config_digest
from benchmarks.recipes.datasets import PREPARE, Prepared
from benchmarks.recipes.records import Machine, read_records
from benchmarks.recipes.report import write_report
from benchmarks.recipes.runs import Runs
from benchmarks.recipes.variants import joined
from benchmarks.results import cpu_name


def main(arguments: Sequence[str] | None = None) -> int:
    """Does all runs that are not recorded; returns the exit code."""
    chosen = parse(sys.argv[1:] if arguments is None else arguments)
    chosen.work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(chosen.work / ".lock", timeout=0), _ending_on_sigterm():
            failures = [failed for count in chosen.counts for failed in _compare(chosen, count)]
    except Timeout:
        print(f"{chosen.work}: another benchmark runs here; wait, or give --work", file=sys.stderr)
        return 1
    except (AerialsegError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on with what is not recorded", file=sys.stderr)
        return 130
    if failures:
        print(f"{len(failures)} failed: {'; '.join(failures)}", file=sys.stderr)
    return 1 if failures else 0


def _compare(chosen: Chosen, count: int | None) -> list[str]:
    """The runs on one data set; returns what failed."""
    say = partial(print, flush=True)
    configs = {
        each.name: config_digest(joined(each.given(Path("teacher.ckpt")), chosen.common))
        for each in chosen.variants
    }
    prepared = _prepare(chosen, count)
    machine = Machine(cpu_name(), os.cpu_count() or 1, chosen.threads, chosen.jobs)
    runs = Runs(chosen.work, threads=chosen.threads)
    comparison = Comparison(chosen, configs, prepared, machine, runs)
    path = chosen.records / f"{chosen.data}.jsonl"
    records = read_records(path)
    plan = comparison.missing(records)
    say(f"{chosen.data}, {prepared.images} images: {len(plan)} runs to do{_kept(comparison, path)}")
    rewrite = partial(write_report, chosen.records, chosen.table)
    failures = comparison.run(records, path=path, after_each=rewrite, say=say)
    rewrite()
    say(f"written to {chosen.table}")
    return [f"{chosen.data}, {prepared.images} images, {failed}" for failed in failures]


def _prepare(chosen: Chosen, count: int | None) -> Prepared:
    given: dict[str, object] = {"weights": chosen.weights, "folds": chosen.folds}
    if count is not None:
        given |= {"count": count, "size": chosen.size}
    else:
        given |= {"root": chosen.root}
    return PREPARE[chosen.data](chosen.work, **given)


def _kept(comparison: Comparison, path: Path) -> str:
    """How many runs are recorded, and whether by another revision."""
    kept = [
        record
        for variant in comparison.chosen.variants
        for record in comparison.recorded(read_records(path), variant)
    ]
    others = sorted({record.revision for record in kept} - {code_revision()})
    text = f", {len(kept)} are recorded in {path}" if kept else ""
    if others:
        text += f", some by revision {', '.join(others)}: delete their lines to do them again"
    return text


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Lets SIGTERM end everything as Ctrl-C does, processes included."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
