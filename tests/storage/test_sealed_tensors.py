import re
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
import torch

from aerialseg.errors import CheckpointError
from aerialseg.storage.sealed_tensors import (
    complete_digest,
    keep_as,
    load_safely,
    save_sealed,
)
from helpers.damage import flip

CONTENT = {"a": torch.arange(1000.0), "b": {"c": torch.ones(100)}, "d": "text"}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "best.ckpt"
    save_sealed(path, CONTENT)
    return path


def line_of(read, path):
    with pytest.raises(CheckpointError) as error:
        read(path)
    (line,) = error.value.problems
    return line


def digest_of(path):
    return path.with_name(f"{path.name}.sha256")


def test_the_digest_beside_a_checkpoint_is_that_of_the_whole_file(written):
    digest = sha256(written.read_bytes()).hexdigest()
    assert digest_of(written).read_text() == f"{digest}  best.ckpt\n"


def test_others_read_a_sealed_file_as_ever(written):
    torch.load(written, weights_only=True)
    torch.load(written, weights_only=True, mmap=True)
    assert zipfile.ZipFile(written).testzip() is None


@pytest.mark.parametrize("place", [-1, -64, -70, -71, -72, -93, -94, -200, 500, 2000])
@pytest.mark.parametrize("beside", [True, False])
def test_one_wrong_bit_is_damage(written, place, beside):
    flip(written, place)
    if not beside:
        digest_of(written).unlink()
    assert re.search("is damaged|is cut off", line_of(load_safely, written))


@pytest.mark.parametrize("lost", [1, 30, 70, 71])
def test_a_seal_that_was_cut_off_is_missed(written, lost):
    digest_of(written).unlink()
    written.write_bytes(written.read_bytes()[:-lost])
    assert "is damaged" in line_of(load_safely, written)


@pytest.mark.parametrize("stale", ["0" * 64 + "  best.ckpt\n", "", "no digest", None])
def test_a_crash_before_the_digest_was_written_damages_nothing(written, stale):
    digest_of(written).unlink()
    if stale is not None:
        digest_of(written).write_text(stale)
    load_safely(written)


def test_a_file_without_a_seal_is_held_against_the_digest_beside_it(tmp_path):
    path = tmp_path / "plain.ckpt"
    torch.save(CONTENT, path)
    load_safely(path)
    digest_of(path).write_text(f"{sha256(path.read_bytes()).hexdigest()} *plain.ckpt\n")
    load_safely(path)
    digest_of(path).write_text(f"{'0' * 64}  another.ckpt\n")
    load_safely(path)
    digest_of(path).write_text(f"{'0' * 64}  plain.ckpt\n")
    assert "is damaged" in line_of(load_safely, path)


def test_a_second_name_keeps_what_the_first_had(written):
    before = written.read_bytes()
    previous = written.with_name("previous.ckpt")
    keep_as(written, previous)
    save_sealed(written, {"a": torch.ones(5)})
    assert previous.read_bytes() == before
    assert digest_of(previous).read_text() == f"{sha256(before).hexdigest()}  previous.ckpt\n"


def test_without_hard_links_it_is_copied(written, monkeypatch):
    def refuse(*arguments):
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    keep_as(written, written.with_name("previous.ckpt"))
    assert written.with_name("previous.ckpt").read_bytes() == written.read_bytes()


@pytest.mark.parametrize("stale", [None, f"{'0' * 64}  best.ckpt\n"])
def test_a_digest_that_a_crash_has_left_out_is_completed(written, stale):
    digest_of(written).unlink()
    if stale is not None:
        digest_of(written).write_text(stale)
    complete_digest(written)
    digest = sha256(written.read_bytes()).hexdigest()
    assert digest_of(written).read_text() == f"{digest}  best.ckpt\n"


def test_damage_is_not_given_a_digest(written):
    before = digest_of(written).read_text()
    flip(written, 500)
    line_of(complete_digest, written)
    assert digest_of(written).read_text() == before
