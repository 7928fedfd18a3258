"""All runs of a comparison that are not recorded yet."""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from benchmarks.experiment import ROOT
from benchmarks.recipes.arguments import Chosen
from benchmarks.recipes.budget import scale_for, seconds_at
from benchmarks.recipes.datasets import Fold, Prepared
from benchmarks.recipes.records import Machine, Record, Setting, append_record, recorded
from benchmarks.recipes.runs import RunFailedError, Runs, Trained, measured_costs, run_name
from benchmarks.recipes.variants import Variant, joined

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Length:
    """How long a variant trains: its scale and the seconds that it would take; None: as it is."""

    scale: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A run that is to be done."""

    variant: Variant
    order: int
    fold: Fold
    seed: int

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.variant.name}, fold {self.fold.number + 1}, seed {self.seed}"


class Comparison:
    """The runs of variants on one data set.

    Args:
        chosen: What was typed.
        configs: The digest of each variant's config, by its name.
        prepared: The data.
        machine: Where this is.
        runs: Trains and scores.
    """

    def __init__(
        self,
        chosen: Chosen,
        configs: Mapping[str, str],
        prepared: Prepared,
        machine: Machine,
        runs: Runs,
    ) -> None:
        self.chosen = chosen
        self.configs = configs
        self.prepared = prepared
        self.machine = machine
        self.runs = runs
        self.setting = Setting(
            data=chosen.data,
            images=prepared.images,
            size=chosen.size,
            weights=prepared.weights,
            common=chosen.common,
            folds=chosen.folds,
            seconds=chosen.seconds,
        )

    def recorded(self, records: Sequence[Record], variant: Variant) -> Iterator[Record]:
        """The runs of a variant that need not be done again, whatever the revision was."""
        config = self.configs[variant.name]
        return recorded(records, self.setting, variant.overrides, config)

    def missing(self, records: Sequence[Record]) -> list[Planned]:
        """The runs that are not recorded, variants in turn."""
        done = {
            (variant.name, record.fold, record.seed)
            for variant in self.chosen.variants
            for record in self.recorded(records, variant)
        }
        return [
            Planned(variant, order, fold, seed)
            for fold in self.prepared.folds
            for seed in self.chosen.seeds
            for order, variant in enumerate(self.chosen.variants)
            if (variant.name, fold.number, seed) not in done
        ]

    def run(
        self, records: Sequence[Record], *, path: Path, after_each: Callable[[], None], say: Report
    ) -> list[str]:
        """Does what is missing; every run is recorded once it is done.

        Args:
            records: Those of ``path``.
            path: The file that runs are added to.
            after_each: Called once a run is recorded.
            say: Takes lines about progress.

        Returns:
            What failed.
        """
        plan = self.missing(records)
        failures: list[str] = []
        with _pool(self.chosen.jobs, self.runs) as pool:
            lengths = self._lengths(plan, records, pool, failures, say)
            ready = [each for each in plan if each.variant in lengths]
            futures: dict[Future[Record], Planned] = {
                pool.submit(self._record, each, lengths[each.variant]): each for each in ready
            }
            for number, future in enumerate(as_completed(futures), start=1):
                title = futures[future].title
                try:
                    record = future.result()
                except RunFailedError as error:
                    failures.append(title)
                    say(f"{error}\nFAILED: {title}; its output is above, the others go on")
                    continue
                append_record(path, record)
                after_each()
                say(f"{number}/{len(ready)} {title}: {_result(record)}")
        return failures

    def _lengths(
        self,
        plan: Sequence[Planned],
        records: Sequence[Record],
        pool: ThreadPoolExecutor,
        failures: list[str],
        say: Report,
    ) -> Mapping[Variant, Length]:
        """How long each variant trains: as its recorded runs on this machine, or as measured."""
        variants = list(dict.fromkeys(each.variant for each in plan))
        if not self.chosen.seconds:
            return dict.fromkeys(variants, Length())
        lengths: dict[Variant, Length] = {}
        for variant in variants:
            for record in self.recorded(records, variant):
                if record.machine == self.machine:
                    lengths[variant] = Length(record.scale, record.planned_seconds)
        futures = {
            pool.submit(self._measured, variant): variant
            for variant in variants
            if variant not in lengths
        }
        for future in as_completed(futures):
            variant = futures[future]
            try:
                length = lengths[variant] = future.result()
            except RunFailedError as error:
                failures.append(f"all of {variant.name}")
                say(f"{error}\nFAILED: trial of {variant.name}; its output is above")
                continue
            say(f"{variant.name}: recipe.scale={length.scale} should take {length.seconds:.0f} s")
        return lengths

    def _measured(self, variant: Variant) -> Length:
        name = self._name("trial", variant)
        overrides = self._overrides(variant, self.prepared.folds[0], self.chosen.seeds[0])
        costs = measured_costs(self.runs, name, overrides, seconds=self.chosen.seconds)
        scale = scale_for(costs, self.chosen.seconds)
        return Length(scale, round(seconds_at(costs, scale), 1))

    def _record(self, planned: Planned, length: Length) -> Record:
        variant, fold, seed, revision = planned.variant, planned.fold, planned.seed, code_revision()
        name = self._name(f"fold{fold.number + 1}", f"seed{seed}", variant)
        with self.runs.cleared(name), self._taught(planned, name) as (typed, teaching):
            overrides = self._overrides(typed, fold, seed)
            trained = self.runs.train(name, overrides, scale=length.scale)
            score = self.runs.score(name, overrides, trained, scale=length.scale)
        return Record(
            setting=self.setting,
            variant=variant.name,
            order=planned.order,
            overrides=variant.overrides,
            config=self.configs[variant.name],
            fold=fold.number,
            seed=seed,
            test_places=fold.places,
            images=dict(fold.images),
            scale=length.scale,
            planned_seconds=length.seconds,
            seconds=round(trained.seconds + teaching.seconds, 1),
            wall_seconds=round(trained.wall_seconds + teaching.wall_seconds, 1),
            stages=trained.stages,
            miou=score.miou,
            dice=score.dice,
            iou=score.iou,
            revision=revision,
            machine=self.machine,
            command=self.chosen.command,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    @contextmanager
    def _taught(self, planned: Planned, name: str) -> Iterator[tuple[Variant, Trained]]:
        """The variant with the checkpoint that it learns from, and the training of that.

        The teacher is trained here, on the same fold with the same seed: one that is recorded has
        no checkpoint any more.
        """
        variant, fold, seed = planned.variant, planned.fold, planned.seed
        if variant.learns_from is None:
            yield variant, Trained((), {}, 0.0)
            return
        teacher = next(each for each in self.chosen.variants if each.name == variant.learns_from)
        place = f"{name}_teacher"
        with self.runs.cleared(place):
            trained = self.runs.train(place, self._overrides(teacher, fold, seed), scale=None)
            checkpoint = self.runs.checkpoint(place, trained)
            yield replace(variant, overrides=variant.given(checkpoint)), trained

    def _overrides(self, variant: Variant, fold: Fold, seed: int) -> tuple[str, ...]:
        """All that is typed for a run; what a variant says replaces what is said for all."""
        own = (*self.prepared.overrides, f"data.layout.split={fold.table}", f"seed={seed}")
        return joined(variant.overrides, self.chosen.common, own)

    def _name(self, *parts: Variant | str) -> str:
        """A run's name, another one for each variant in each setting."""
        variant = next(part for part in parts if isinstance(part, Variant))
        digest = sha256(repr((self.setting, variant.overrides)).encode()).hexdigest()[:8]
        shown = [part.name if isinstance(part, Variant) else part for part in parts]
        return run_name(self.setting.data, self.setting.images, *shown, digest)


def code_revision() -> str:
    """The commit, and whether the files that decide results differ from it."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--", "run.py", "src", "conf", "weights")
    return f"{commit or 'unknown'}{' with changes' if changed else ''}"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    return done.stdout.strip()


@contextmanager
def _pool(jobs: int, runs: Runs) -> Iterator[ThreadPoolExecutor]:
    """Threads that wait for processes; what ends them early ends the processes."""
    pool = ThreadPoolExecutor(jobs)
    try:
        yield pool
    except BaseException:
        runs.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _result(record: Record) -> str:
    planned = "" if record.planned_seconds is None else f", planned {record.planned_seconds:.0f}"
    return f"mIoU {record.miou:.4f}, Dice {record.dice:.4f}, {record.seconds:.0f} s{planned}"
