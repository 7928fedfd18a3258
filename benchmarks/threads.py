"""Threads of torch and loading workers: which numbers of both train fastest on this machine?

Slow, and about the machine more than about the code, so not part of ``python -m benchmarks``. Short
epochs of the demo's last stage alternate over all pairs of numbers, so that other load on the
machine affects them alike. Threads wait as ``OMP_WAIT_POLICY`` says; by themselves they spin, in
commands of this project they sleep. ::

    python -m benchmarks.threads --threads 1 2 --workers 0 2 --rounds 5
    OMP_WAIT_POLICY=PASSIVE python -m benchmarks.threads --threads 1 2 --workers 0 2 --rounds 5
"""

import argparse
import os
from collections.abc import Sequence
from itertools import product
from statistics import median
from time import perf_counter

import torch
from torch.utils.data import DataLoader

from aerialseg.models.module import Batch
from aerialseg.training.build import build_data
from benchmarks.experiment import demo_config, training_module
from benchmarks.results import cpu_name
from benchmarks.training_step import OurStep


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints a table."""
    options = argparse.ArgumentParser(description="numbers of threads and of loading workers")
    cores = os.cpu_count() or 1
    options.add_argument("--threads", type=int, nargs="+", default=sorted({1, cores}))
    options.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    options.add_argument("--rounds", type=int, default=5, help="epochs of each pair")
    options.add_argument("--images", type=int, default=64, help="training images of an epoch")
    options.add_argument("--size", type=int, nargs=2, default=(192, 256), metavar=("H", "W"))
    chosen = options.parse_args(arguments)
    pairs = list(product(chosen.threads, chosen.workers))
    before = torch.get_num_threads()
    waiting = os.environ.get("OMP_WAIT_POLICY", "not set")
    machine = f"{cpu_name()}; cores: {cores}; torch's own threads: {before}"
    print(f"{machine}; OMP_WAIT_POLICY: {waiting}", flush=True)
    try:
        seconds, loads = _measure(pairs, chosen.rounds, chosen.images, chosen.size)
    finally:
        torch.set_num_threads(before)
    print(table(seconds))
    print(f"load of the machine: {min(loads):.1f} to {max(loads):.1f}")


def table(seconds: dict[tuple[int, int], list[float]]) -> str:
    """Median and range of each pair, and how often it trains as fast as the first pair.

    Args:
        seconds: By threads and workers, the times of a step.
    """
    first = median(next(iter(seconds.values())))
    lines = ["| threads | workers | a step, median | range | speed |", "|---|---|---|---|---|"]
    for (threads, workers), times in seconds.items():
        middle, least, most = (1e3 * of(times) for of in (median, min, max))
        speed = f"{1e3 * first / middle:.2f}x"
        lines.append(
            f"| {threads} | {workers} | {middle:.0f} ms | {least:.0f} to {most:.0f} ms | {speed} |"
        )
    return "\n".join(lines)


def _measure(
    pairs: Sequence[tuple[int, int]], rounds: int, images: int, size: Sequence[int]
) -> tuple[dict[tuple[int, int], list[float]], list[float]]:
    """Seconds of a step by pair, and the load of the machine after each epoch."""
    given = (
        *("stage=full", "compute.threads=auto", f"data.layout.count={images * 5 // 4}"),
        *(f"data.layout.size=[{size[0]},{size[1]}]", f"data.image_min_size={size[0]}"),
    )
    configs = {w: demo_config(*given, f"data.num_workers={w}") for _, w in pairs}
    data = {workers: build_data(config) for workers, config in configs.items()}
    step = OurStep(training_module(*next((configs[w], data[w]) for w in configs)))
    step.module.train()
    loaders = {workers: each.train_dataloader() for workers, each in data.items()}
    seconds: dict[tuple[int, int], list[float]] = {pair: [] for pair in pairs}
    loads = []
    for number in range(rounds + 1):
        for threads, workers in pairs:
            torch.set_num_threads(threads)
            took = _epoch(step, loaders[workers])
            if number:  # in the first, workers start and kernels are chosen
                seconds[threads, workers].append(took)
                loads.append(os.getloadavg()[0])
    return seconds, loads


def _epoch(step: OurStep, loader: DataLoader[Batch]) -> float:
    """Seconds of a step."""
    began = perf_counter()
    for batch in loader:
        step(batch)
    return (perf_counter() - began) / len(loader)


if __name__ == "__main__":
    main()
