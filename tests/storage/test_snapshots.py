"""Which snapshot a run goes on from."""

import logging

import pytest

from aerialseg.errors import CheckpointError
from aerialseg.storage.checkpoints import find_snapshot, write_checkpoint
from helpers.damage import flip
from helpers.tiny_training import checkpoint_of, small_network


def snapshots(folder, **steps):
    for name, step in steps.items():
        content = checkpoint_of(small_network()) | {"global_step": step}
        write_checkpoint(folder / f"{name}.ckpt", content)


def test_a_run_goes_on_from_its_last_snapshot(tmp_path):
    assert find_snapshot(tmp_path) is None
    snapshots(tmp_path, last=3, previous=2, best=9)
    assert find_snapshot(tmp_path) == tmp_path / "last.ckpt"


@pytest.mark.parametrize(
    ("steps", "damaged", "found"),
    [
        ({"last": 3, "previous": 2, "best": 1}, ["last"], "previous"),
        ({"last": 3, "previous": 1, "best": 2}, ["last"], "best"),
        ({"last": 3, "previous": 2, "best": 1}, ["last", "previous"], "best"),
        ({"last": 3, "previous": 2}, ["last"], "previous"),
        ({"best": 1}, [], "best"),
    ],
)
def test_else_from_the_newest_that_is_whole(tmp_path, caplog, steps, damaged, found):
    snapshots(tmp_path, **steps)
    for name in damaged:
        flip(tmp_path / f"{name}.ckpt", 500)
    with caplog.at_level(logging.WARNING, logger="aerialseg"):
        assert find_snapshot(tmp_path) == tmp_path / f"{found}.ckpt"
    (record,) = caplog.records
    assert record.getMessage().endswith(f"; going on from {found}.ckpt")
    assert (tmp_path / "damaged.ckpt").exists() == ("last" in steps)
    assert not (tmp_path / "last.ckpt").exists()


def test_where_none_is_whole_nothing_is_touched(tmp_path):
    snapshots(tmp_path, last=2, best=1)
    for name in ("last", "best"):
        flip(tmp_path / f"{name}.ckpt", 500)
    with pytest.raises(CheckpointError) as error:
        find_snapshot(tmp_path)
    (line,) = error.value.problems
    assert line.startswith(f"{tmp_path}/last.ckpt: is damaged")
    assert line.endswith("there is no other to go on from: existing=overwrite trains anew")
    assert (tmp_path / "last.ckpt").exists()
