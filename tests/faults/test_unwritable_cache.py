"""A cache that cannot be written to costs time, and no stage its result."""

import pytest

from helpers.commands import run_command

RUN = (
    *("experiment=demo", "stage=head", "trainer=cpu", "model.weights=none", "logger=none"),
    *("data.layout.count=12", "data.layout.test_count=0", "data.layout.size=[64,96]"),
    *("data.image_min_size=48", "data.num_workers=0", "stage.epochs=2", "data.batch_size=4"),
)


@pytest.fixture
def folder(tmp_path):
    """A file lies where the cache would be."""
    (tmp_path / "cache").touch()
    return tmp_path


def test_a_stage_is_trained_without_a_cache(folder):
    done = run_command(*RUN, folder=folder)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert said.count("paths.cache_dir: cache cannot be written to: ") == 1
    assert (folder / "runs/demo/head/train/metrics.json").exists()
