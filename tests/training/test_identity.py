"""The identity of a run, which decides whether it may be resumed."""

import pytest

from aerialseg.training.identity import run_identity
from helpers.composing import experiment


def _identity(*overrides):
    return run_identity(experiment("model.weights=none", *overrides), "0" * 64)


@pytest.mark.parametrize(
    "override",
    [
        "data.root=elsewhere",
        "data.num_workers=7",
        "+data.mask_memory_mb=0",
        "+data.max_megapixels=500",
        "paths.cache_dir=c",
    ],
)
def test_paths_and_workers_are_not_part_of_the_identity(override):
    assert _identity(override) == _identity()


@pytest.mark.parametrize("override", ["compute.custom_gradients=false", "compute.tf32=false"])
def test_how_the_same_is_computed_is_no_part_of_a_run(override):
    assert _identity(override) == _identity()


@pytest.mark.parametrize("override", ["data.batch_size=3", "data.image_min_size=100", "seed=5"])
def test_settings_that_affect_training_are_part_of_the_identity(override):
    assert _identity(override) != _identity()


def test_weights_are_identified_by_content_not_by_path(tmp_path):
    files = [tmp_path / name for name in ("a.pth", "b.pth", "c.pth")]
    for file, content in zip(files, (b"same", b"same", b"other"), strict=True):
        file.write_bytes(content)
    first, second, third = (_identity(f"model.weights={file}") for file in files)
    assert first == second
    assert first != third
