"""Samples without files, and their division into training and validation."""

from pathlib import Path

import numpy as np

from aerialseg.data.layouts.listing import Sample
from aerialseg.data.sources.splits import SplitSettings, split_samples

SEQUENCE = r"^(.+)_\d+$"


def samples_of(ids, split=None):
    return [Sample(key, Path(f"{key}.jpg"), Path(f"{key}.png"), split) for key in ids]


def frames(sequences, frames):
    return samples_of([f"{s:03}_{f:03}" for s in range(sequences) for f in range(frames)])


def presence_of(samples, classes=5, seed=0):
    """Each sequence shows its own few classes, as real ones do."""
    rng = np.random.default_rng(seed)
    shown = {s.id.split("_")[0]: rng.random(classes) < 0.4 for s in samples}
    return np.array([shown[sample.id.split("_")[0]] for sample in samples])


def split(samples, cache, presence=None, **changes):
    arguments = {"val_fraction": 0.2, "seed": 0, "group_pattern": SEQUENCE, **changes}
    presence = presence_of(samples) if presence is None else presence
    return split_samples(samples, presence, SplitSettings(**arguments), cache_dir=cache)


def val_ids(samples):
    return {sample.id for sample in samples if sample.split == "val"}
