import time

import pytest

from benchmarks import equal_epochs
from benchmarks.equal_epochs import StageTime, Turns, together
from benchmarks.experiment import STAGES
from benchmarks.timing import Setting
from helpers.tiny_training import make_data, make_module, make_trainer


def test_what_is_done_once_is_shared_by_the_epochs():
    row = StageTime("head", epochs=30, plain=2.0, ours=0.4, once=3.0).row
    assert (row.plain, row.ours) == (2.0, pytest.approx(0.5))
    assert "head" in row.name


def test_stages_count_by_their_epochs():
    times = [
        StageTime("head", epochs=30, plain=2.0, ours=0.5, once=6.0),
        StageTime("full", epochs=10, plain=6.0, ours=3.0, once=0.0),
    ]
    row = together(times)
    assert row.plain == pytest.approx((30 * 2 + 10 * 6) / 40)
    assert row.ours == pytest.approx((30 * 0.5 + 6 + 10 * 3) / 40)
    assert row.name == "epoch of the curriculum, mean of 40"


def test_the_other_function_takes_its_turn_after_each_epoch(tmp_path):
    calls = []

    def other():
        calls.append(trainer.current_epoch)
        time.sleep(0.2)

    turns = Turns(other, epochs=2)
    trainer = make_trainer(epochs=10, enable_checkpointing=False)
    trainer.callbacks.append(turns)
    trainer.fit(make_module(), make_data(tmp_path / "data"))
    assert calls == [0, 1, 2]
    assert len(turns.times) == 3
    others, own = turns.medians
    assert others >= 0.2
    assert own > 0
    assert all(second >= 0.2 for second, _ in turns.times)


@pytest.mark.slow
def test_a_quick_run_has_a_row_for_each_stage_and_one_for_all():
    *stages, whole = equal_epochs.rows(Setting(quick=True))
    assert [row.name for row in stages] == [f"epoch of {s}, recipe=seed" for s in STAGES]
    assert whole.name == "epoch of the curriculum, mean of 200"
    assert min(row.plain for row in stages) < whole.plain < max(row.plain for row in stages)
