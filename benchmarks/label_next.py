"""Does labelling what ``label_next.csv`` names first teach more than labelling at random?

On drawn scenes, for each seed: a network learns from a few labelled images, ``task=predict
task.rank_for_labelling=true`` ranks a pool of slow flights with one to ten frames each, and a
quarter of the pool is labelled: a random one, the images that the network is least sure of whatever
they show, or the first of the ranking. Each quarter is added to the first images and trained on
from the start, and scored on other places. Slow, so not part of ``python -m benchmarks``; the table
is printed and written to ``benchmarks/LABEL_NEXT.md``. ::

    python -m benchmarks.label_next
    python -m benchmarks.label_next --seeds 0 1 --jobs 2
"""

import argparse
import csv
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from aerialseg.scenes.render import render_frame, sequence_world
from aerialseg.scenes.world import World
from aerialseg.storage.atomic_files import csv_text, write_text
from benchmarks.experiment import ROOT
from benchmarks.recipes.intervals import half_width
from benchmarks.recipes.runs import Runs
from benchmarks.results import cpu_name

RESULT = Path(__file__).with_name("LABEL_NEXT.md")
SIZE = (192, 256)
START, VAL, POOL, TEST = 12, 8, 32, 60
"""Places of each part; those of the pool have 1 to 10 frames, of the others one."""
LONGEST = 10
PACE = 0.1
"""Of the pool's flights, by that of the demo's, whose next frame mostly shows something else."""
SHARE = 0.25
WAYS = {
    "random": "a random quarter",
    "uncertain": "the images that the network is least sure of, on average",
    "ranked": "the first of `label_next.csv`",
}


def draw(folder: Path, seed: int) -> dict[str, list[str]]:
    """Draws the scenes of a seed as ``images`` and ``masks``; returns the ids of each part."""
    frames = np.random.default_rng(seed).integers(1, LONGEST + 1, POOL).tolist()
    parts: dict[str, list[str]] = {}
    site = 0
    for part, lengths in (
        ("start", [1] * START),
        ("val", [1] * VAL),
        ("pool", frames),
        ("test", [1] * TEST),
    ):
        parts[part] = []
        for length in lengths:
            world = _slowed(sequence_world(seed, SIZE, site))
            for frame in range(length):
                key = f"{site:03d}_{frame:02d}"
                parts[part].append(key)
                image, mask = render_frame(world, seed, site, frame)
                _write(folder / "images" / f"{key}.jpg", image[..., ::-1])
                _write(folder / "masks" / f"{key}.png", mask)
            site += 1
    return parts


def _slowed(world: World) -> World:
    pace = [(PACE * east, PACE * north) for east, north in world.objects.pace]
    return replace(world, flight=PACE * world.flight, objects=replace(world.objects, pace=pace))


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, np.ascontiguousarray(image))[1].tobytes())


def labelled_folder(folder: Path, scenes: Path, split: Mapping[str, Iterable[str]]) -> list[str]:
    """Copies images and masks of the splits into a folder; returns what is typed to read it."""
    rows = []
    for part, keys in split.items():
        for key in keys:
            for name in (f"images/{key}.jpg", f"masks/{key}.png"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(scenes / name, folder / name)
            rows.append((key, part))
    write_text(folder / "split.csv", csv_text(("image", "split"), rows))
    return [
        *("data=folders", "recipe=demo", "data/classes=aeroscapes", f"data.root={folder}"),
        f"data.layout.split={folder / 'split.csv'}",
        *(f"data.image_min_size={min(SIZE)}", "data.batch_size=4", "data.num_workers=0"),
        f"model.weights={ROOT / 'weights' / 'demo_backbone.pth'}",
    ]


def score_of_seed(runs: Runs, work: Path, seed: int, epochs: int) -> dict[str, float]:
    """The mIoU of each way of choosing, on other places."""
    folder = work / f"seed_{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    parts = draw(folder / "scenes", seed)
    fixed = {"val": parts["val"], "test": parts["test"]}

    def trained(name: str, added: Sequence[str]) -> tuple[str, float]:
        split = {"train": [*parts["start"], *added], **fixed}
        typed = labelled_folder(folder / name, folder / "scenes", split)
        typed += [f"seed={seed}", f"recipe.epochs.full={epochs}"]
        run = f"seed_{seed}_{name}"
        result = runs.train(run, typed, scale=None)
        return run, runs.score(run, typed, result, scale=None).miou

    run, before = trained("start", [])
    pool = folder / "pool"
    pool.mkdir()
    for key in parts["pool"]:
        shutil.copyfile(folder / "scenes" / "images" / f"{key}.jpg", pool / f"{key}.jpg")
    order = _ranked(runs, run, pool, folder / "predictions")
    count = round(SHARE * len(order))
    by_doubt = sorted(order, key=order.__getitem__, reverse=True)
    random = np.random.default_rng([seed, 1]).permutation(parts["pool"]).tolist()
    chosen = {"random": random, "uncertain": by_doubt, "ranked": list(order)}
    scores = {"start": before}
    for way, keys in chosen.items():
        scores[way] = trained(way, keys[:count])[1]
        print(f"seed {seed}, {way}: {scores[way]:.4f}, {_places(keys[:count])} places", flush=True)
    return scores


def _ranked(runs: Runs, run: str, pool: Path, output: Path) -> dict[str, float]:
    """The uncertainty of each image of the pool, in the order of the ranking."""
    runs.command(
        run,
        *("task=predict", "stage=full", f"input={pool}"),
        *("task.rank_for_labelling=true", f"task.output_dir={output}"),
    )
    with (output / "label_next.csv").open(encoding="utf-8", newline="") as table:
        return {Path(row["image"]).stem: float(row["uncertainty"]) for row in csv.DictReader(table)}


def _places(keys: Iterable[str]) -> int:
    return len({key.partition("_")[0] for key in keys})


def table(scores: Mapping[int, Mapping[str, float]], epochs: int) -> str:
    """The scores of all seeds as Markdown."""
    seeds = sorted(scores)
    columns = " | ".join(f"seed {seed}" for seed in seeds)
    lines = [
        "# What to label next",
        "",
        "Written by `python -m benchmarks.label_next`, whose first lines say what was done.",
        "",
        f"- {START} labelled images of {START} places, a pool of {POOL} places with 1 to {LONGEST} "
        f"frames each, of which {SHARE:.0%} are labelled; {epochs} epochs of `recipe=demo`",
        f"- mIoU of {TEST} images of other places; ± is the 95 % interval over the seeds",
        f"- {cpu_name()}, one thread a run",
        "",
        f"| labelled | {columns} | mean | against random |",
        f"|---|{'---|' * (len(seeds) + 2)}",
    ]
    for way, title in {"start": "nothing more", **WAYS}.items():
        found = [scores[seed][way] for seed in seeds]
        gains = [scores[seed][way] - scores[seed]["random"] for seed in seeds]
        width = half_width(gains)
        spread = "" if width is None else f" ± {width:.3f}"
        gain = "" if way == "random" else f"{np.mean(gains):+.3f}{spread}"
        cells = " | ".join(f"{score:.3f}" for score in found)
        lines.append(f"| {title} | {cells} | {np.mean(found):.3f} | {gain} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Runs all seeds and writes the table."""
    options = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options.add_argument("--epochs", type=int, default=30)
    options.add_argument("--jobs", type=int, default=2, help="seeds at a time, one thread each")
    options.add_argument("--work", type=Path, default=ROOT / "runs" / "label_next")
    chosen = options.parse_args()
    work = chosen.work.absolute()
    runs = Runs(work, threads=1)
    with ThreadPoolExecutor(chosen.jobs) as pool:
        found = pool.map(lambda s: score_of_seed(runs, work, s, chosen.epochs), chosen.seeds)
        scores = dict(zip(chosen.seeds, found, strict=True))
    text = table(scores, chosen.epochs)
    print(text)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
