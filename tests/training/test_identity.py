"""What makes two runs the same run."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra import compose, initialize_config_dir

from aerialseg.training.identity import run_identity

CONF = Path(__file__).parents[2] / "conf"


def _identity(*overrides):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", ["model.weights=none", *overrides])
    return run_identity(cfg, SimpleNamespace(fingerprint="0" * 64))


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
def test_where_data_lie_and_how_they_are_read_is_no_part_of_a_run(override):
    assert _identity(override) == _identity()


@pytest.mark.parametrize("override", ["compute.custom_gradients=false", "compute.tf32=false"])
def test_how_the_same_is_computed_is_no_part_of_a_run(override):
    assert _identity(override) == _identity()


@pytest.mark.parametrize("override", ["data.batch_size=3", "data.image_min_size=100", "seed=5"])
def test_what_is_learnt_from_is_a_part_of_a_run(override):
    assert _identity(override) != _identity()
