"""No damage to a checkpoint goes unseen, and a run goes on from the newest that is whole."""

import random
import shutil

import pytest

from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
from aerialseg.errors import CheckpointError
from aerialseg.storage.checkpoints import read_checkpoint, read_description
from helpers.processes import assert_same_end
from helpers.tiny_training import make_data, make_module, make_trainer


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A checkpoint of a small network with all that training puts into one."""
    folder = tmp_path_factory.mktemp("small")
    checkpoint = InMemoryCheckpoint(str(folder / "run"))
    make_trainer([checkpoint], epochs=2).fit(make_module(), make_data(folder / "data"))
    return (folder / "run/last.ckpt").read_bytes(), (folder / "run/best.ckpt").read_bytes()


def assert_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as error:
        read_checkpoint(path)
    (line,) = error.value.problems
    assert line.startswith(f"{path}: is ")
    assert "\n" not in line


def flipped(content, place, bit=0):
    changed = bytearray(content)
    changed[place] ^= 1 << bit
    return bytes(changed)


def test_cut_anywhere(tmp_path, small):
    content, _ = small
    chosen = random.Random(0).sample(range(len(content)), 200)
    for length in {*chosen, *range(80), *range(len(content) - 120, len(content))}:
        assert_refused(tmp_path / "last.ckpt", content[:length])


def test_a_bit_flipped_anywhere(tmp_path, small):
    content, _ = small
    generator = random.Random(0)
    for place in {*generator.sample(range(len(content)), 600), *range(-120, 0)}:
        assert_refused(tmp_path / "last.ckpt", flipped(content, place, generator.randrange(8)))


@pytest.mark.slow
def test_every_byte_in_turn(tmp_path, small):
    content, _ = small
    for place in range(len(content)):
        assert_refused(tmp_path / "last.ckpt", flipped(content, place))


def test_what_crashes_and_bad_disks_leave(tmp_path, small):
    content, other = small
    generator = random.Random(0)
    for _ in range(60):
        start = generator.randrange(len(content) - 600)
        end = start + generator.randrange(1, 600)
        damages = {
            "zeros": content[:start] + bytes(end - start) + content[end:],
            "a hole": content[:start] + content[end:],
            "twice": content[:end] + content[start:],
            "half of another": content[:start] + other[start:],
            "something behind": content + content[start:end],
        }
        for damage in damages.values():
            if damage != content:
                assert_refused(tmp_path / "last.ckpt", damage)


@pytest.mark.slow
def test_a_checkpoint_of_the_curriculum(tmp_path, whole):
    content = (whole().checkpoints() / "last.ckpt").read_bytes()
    generator = random.Random(0)
    for place in generator.sample(range(len(content)), 10):
        assert_refused(tmp_path / "last.ckpt", content[:place])
        assert_refused(tmp_path / "last.ckpt", flipped(content, place, generator.randrange(8)))


DAMAGES = {
    "cut": lambda content: content[: len(content) // 3],
    "flipped": lambda content: flipped(content, len(content) // 2),
    "zeros": lambda content: bytes(len(content)),
    "empty": lambda content: b"",
}


def damage(path, how):
    path.write_bytes(DAMAGES[how](path.read_bytes()))


@pytest.fixture
def copy(killed, tmp_path, begin):
    """A stage that was killed at its very end: to be damaged, then gone on with."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    return begin(tmp_path, stages=["head"])


@pytest.mark.parametrize(
    ("how", "also"), [*((how, None) for how in DAMAGES), ("flipped", "previous")]
)
def test_a_run_goes_on_from_the_newest_that_is_whole(copy, whole, how, also):
    damage(copy.checkpoints() / "last.ckpt", how)
    if also:
        damage(copy.checkpoints() / f"{also}.ckpt", how)
    newest = copy.checkpoints() / f"{'best' if also else 'previous'}.ckpt"
    done = read_description(read_checkpoint(newest), newest).epoch
    said = copy.finish()
    (line,) = (line for line in said.splitlines() if "last.ckpt" in line)
    assert line.startswith(f"{copy.checkpoints() / 'last.ckpt'}: is ")
    assert line.endswith(f"going on from {newest.name}")
    trained = [epoch for epoch in (1, 2, 3) if f"epoch {epoch}/3" in said]
    assert trained == [epoch for epoch in (1, 2, 3) if epoch > done]
    assert_same_end(whole(), copy)


def test_where_none_is_whole_one_line_says_so(copy):
    for name in ("last", "previous", "best"):
        damage(copy.checkpoints() / f"{name}.ckpt", "flipped")
    before = {path: path.read_bytes() for path in copy.checkpoints().iterdir()}
    assert copy.execute() == 1
    assert (
        copy.said()
        .splitlines()[-1]
        .endswith("there is no other to go on from: existing=overwrite trains anew")
    )
    assert {path: path.read_bytes() for path in copy.checkpoints().iterdir()} == before


def test_a_damaged_best_never_becomes_a_result(copy):
    damage(copy.checkpoints() / "best.ckpt", "flipped")
    assert copy.execute() == 1
    assert "best.ckpt: is damaged" in copy.said().splitlines()[-1]
    assert "Traceback" not in copy.said()
    assert not (copy.train_folder("head") / "metrics.json").exists()
