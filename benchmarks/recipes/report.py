"""``RECIPES.md``: tables of all recorded runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from aerialseg.durations import counted
from aerialseg.storage.atomic_files import write_text
from benchmarks.recipes.arguments import without_paths
from benchmarks.recipes.intervals import Estimate, Scores, estimate, paired_difference
from benchmarks.recipes.records import Record, Setting, read_records

_HEAD = """\
# Recipes

Written by `python -m benchmarks.recipes` from `benchmarks/recipes/*.jsonl`, a line for each run.

Each fold holds out other places and is scored on them, by the last stage at its ordinary single
scale. Nothing is chosen on them: a part of the other places validates. Seeds of one fold share its
places, so they are averaged first; ± is the 95 % interval of Student's t over the folds' means.
Differences are taken run by run, on the folds and seeds that both variants have. Folds share
training images, which makes intervals somewhat too narrow.
"""


def write_report(records: Path, table: Path) -> None:
    """Writes the tables of all files in a folder.

    Raises:
        ValueError: If a line of one is no record.
    """
    found = [record for path in sorted(records.glob("*.jsonl")) for record in read_records(path)]
    table.parent.mkdir(parents=True, exist_ok=True)
    write_text(table, report(found))


def report(records: Sequence[Record]) -> str:
    """All settings, each with its tables, as Markdown."""
    settings = sorted(dict.fromkeys(record.setting for record in records), key=_rank)
    sections = [
        "\n".join(_section([record for record in records if record.setting == setting]))
        for setting in settings
    ]
    return "\n".join([_HEAD, *sections])


def _rank(setting: Setting) -> tuple[str, int, str]:
    return setting.data, setting.images, repr(setting)


def _section(records: Sequence[Record]) -> Iterator[str]:
    """The tables of one setting."""
    setting, variants = records[0].setting, _variants(records)
    first = next(iter(variants))
    baseline = _scores(variants[first])
    yield f"## {setting.data}, {setting.images} images, {_length(setting)}"
    yield ""
    for fact in _facts(setting, records):
        yield f"- {fact}"
    yield ""
    columns = ["variant", "runs", "mIoU", "Dice", "seconds", f"mIoU against {first}"]
    yield from _head(columns)
    for name, runs in variants.items():
        others = paired_difference(_scores(runs), baseline) if name != first else None
        dice = estimate({(run.fold, run.seed): run.dice for run in runs})
        cells = [name, _counted(runs), _plain(estimate(_scores(runs))), _plain(dice)]
        yield _row([*cells, _seconds(runs), _signed(others)])
    yield "\nWhat each stage brings: val mIoU of its best epoch, means over the runs.\n"
    yield from _head(["variant", "stage", "val mIoU before", "after", "epochs", "seconds"])
    for name, runs in variants.items():
        yield from _stage_rows(name, runs)
    yield ""
    for name, runs in variants.items():
        yield f"- {name}: `{without_paths(' '.join(runs[0].overrides))}`{_scales(runs)}"
    yield ""
    for command in dict.fromkeys(record.command for record in records):
        yield f"    {command}"
    yield ""


def _variants(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The runs by name; in the order of the command, where runs of one place that of recording."""
    by_config: dict[tuple[tuple[str, ...], str], list[Record]] = {}
    for record in records:
        by_config.setdefault((record.overrides, record.config), []).append(record)
    ordered = sorted(by_config.values(), key=lambda runs: min(run.order for run in runs))
    named: dict[str, list[Record]] = {}
    for runs in ordered:
        name, number = runs[-1].variant, 2
        while name in named:  # something else once had this name
            name, number = f"{runs[-1].variant} ({number})", number + 1
        named[name] = runs
    return named


def _scores(runs: Sequence[Record]) -> Scores:
    return {(run.fold, run.seed): run.miou for run in runs}


def _stage_rows(name: str, runs: Sequence[Record]) -> Iterator[str]:
    """A row for each stage of a variant."""
    before: float | None = None
    for number, stage in enumerate(runs[0].stages):
        found = [run.stages[number] for run in runs if len(run.stages) > number]
        after = fmean(each.val_miou for each in found)
        planned, epochs = ({each.planned_epochs for each in found}, fmean(e.epochs for e in found))
        shown = f"{epochs:.1f} of {'/'.join(map(str, sorted(planned)))}"
        seconds = f"{fmean(each.seconds for each in found):.0f}"
        yield _row([name, stage.stage, _number(before), _number(after), shown, seconds])
        before = after


def _length(setting: Setting) -> str:
    if setting.seconds:
        return f"{setting.seconds:g} s of training"
    scales = [each.partition("=")[2] for each in setting.common if each.startswith("recipe.scale=")]
    return f"recipes at scale {scales[0]}" if scales else "recipes of full length"


def _facts(setting: Setting, records: Sequence[Record]) -> Iterator[str]:
    """Folds, data, what all variants share, machines and revisions."""
    parts = ("train", "val", "test")
    sizes = dict.fromkeys(
        ", ".join(f"{part} {run.images.get(part, 0)}" for part in parts)
        for run in sorted(records, key=lambda run: run.fold)
    )
    places = len({place for run in records for place in run.test_places})
    tested = f"{counted(places, 'place')} tested so far"
    yield f"{counted(setting.folds, 'fold')}, {tested}; images by fold: {'; '.join(sizes)}"
    if setting.size:
        yield "scenes of {1}x{0} pixels".format(*setting.size)
    if setting.weights:
        yield f"weights: {setting.weights}"
    if setting.common:
        yield f"all variants with `{without_paths(' '.join(setting.common))}`"
    for each in dict.fromkeys(record.machine for record in records):
        share = f"{counted(each.threads, 'thread')} a run, {each.jobs} at a time"
        yield f"{each.cpu}, {counted(each.cores, 'core')}, {share}"
    revisions = ", ".join(f"`{each}`" for each in dict.fromkeys(r.revision for r in records))
    yield f"revision {revisions}"


def _counted(runs: Sequence[Record]) -> str:
    folds = {run.fold for run in runs}
    seeds = {run.seed for run in runs}
    return f"{len(runs)} ({counted(len(folds), 'fold')}, {counted(len(seeds), 'seed')})"


def _seconds(runs: Sequence[Record]) -> str:
    """The mean, and the range around it."""
    times = [run.seconds for run in runs]
    return f"{fmean(times):.0f} ({min(times):.0f} to {max(times):.0f})"


def _scales(runs: Sequence[Record]) -> str:
    """The scales that were chosen, with the seconds that they were to take."""
    chosen = {
        f"{run.scale:g} ({run.planned_seconds:.0f} s planned)": None
        for run in runs
        if run.scale is not None and run.planned_seconds is not None
    }
    return f", `recipe.scale` {', '.join(chosen)}" if chosen else ""


def _plain(value: Estimate | None) -> str:
    return "" if value is None else f"{value.mean:.4f}{_around(value)}"


def _signed(value: Estimate | None) -> str:
    if value is None:
        return ""
    return f"{value.mean:+.4f}{_around(value)} ({counted(value.folds, 'fold')})"


def _around(value: Estimate) -> str:
    return "" if value.half_width is None else f" ± {value.half_width:.4f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _head(columns: Sequence[str]) -> Iterator[str]:
    yield _row(columns)
    yield _row(["---"] * len(columns))


def _row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
