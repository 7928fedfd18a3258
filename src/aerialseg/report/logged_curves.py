"""The curves that a stage has logged, read from its folder."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from aerialseg.storage.event_files import event_folder

_LOGGED = ("val/dice", "val/miou", "val/loss", "train/loss")


def read_curves(train_folder: Path) -> pd.DataFrame:
    """Scores and losses of each epoch of a stage.

    Args:
        train_folder: Of the stage, with ``csv/metrics.csv``; or TensorBoard's events lie beside it.

    Returns:
        A row for each epoch, numbered from 1 in the column ``epoch``, with those of ``val/dice``,
        ``val/miou``, ``val/loss`` and ``train/loss`` that were logged; no rows without a log.
    """
    table = train_folder / "csv" / "metrics.csv"
    found = _from_csv(table) if table.exists() else _from_events(event_folder(train_folder))
    by_step = found.groupby("step", sort=True).first().dropna(how="all")
    by_step.insert(0, "epoch", range(1, len(by_step) + 1))
    return by_step.reset_index(drop=True)


def curves_of_stages(folders: Sequence[tuple[str, Path]]) -> pd.DataFrame:
    """The curves of all stages of a run, epochs counted on from stage to stage.

    Args:
        folders: Name and train folder of each stage, in the order of training.

    Returns:
        As :func:`read_curves`, with a column ``stage``.
    """
    parts: list[pd.DataFrame] = []
    done = 0
    for name, folder in folders:
        curves = read_curves(folder)
        if curves.empty:
            continue
        parts.append(curves.assign(stage=name, epoch=curves["epoch"] + done))
        done += len(curves)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _from_csv(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path)
    return table[["step", *(name for name in _LOGGED if name in table)]]


def _from_events(folder: Path) -> pd.DataFrame:
    """What TensorBoard shows, without what a killed run logged and was trained again."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    points = []
    if folder.is_dir():
        # Its reader logs where it comes to the end of the last file.
        logging.getLogger("tensorboard").setLevel(logging.WARNING)
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
        for name in _LOGGED:
            if name in events.Tags()["scalars"]:
                points += [(each.step, name, each.value) for each in events.Scalars(name)]
    long = pd.DataFrame(points, columns=["step", "name", "value"])
    wide = long.pivot_table(index="step", columns="name", values="value", aggfunc="last")
    return wide.reset_index()
