import sys

import pytest
import torch

from benchmarks.row import Row, amount
from benchmarks.timing import Setting, check, compare, one_core, peak_memory


@pytest.mark.parametrize(
    ("row", "ratio", "goal", "met"),
    [
        (Row("a", 0.4, 0.1, goal=4), "4.0x", ">= 4x", True),
        (Row("a", 0.39, 0.1, goal=4), "3.9x", ">= 4x", False),
        (Row("a", 800, 480, goal=0.6, kind="smaller", unit="B"), "0.60x", "<= 0.6x", True),
        (Row("a", 800, 490, goal=0.6, kind="smaller", unit="B"), "0.61x", "<= 0.6x", False),
        (Row("a", 7, 0.9, goal=1, kind="at most"), "7.8x", "<= 1 s", True),
        (Row("a", 7, 1.1, goal=1, kind="at most"), "6.4x", "<= 1 s", False),
    ],
)
def test_a_row_meets_its_goal_or_not(row, ratio, goal, met):
    assert (row.ratio, row.goal_text, row.met) == (ratio, goal, met)


def test_a_reason_is_given_only_for_a_missed_goal():
    assert Row("a", 1, 1, goal=2, reason="too slow").line.endswith("not met: too slow")
    assert Row("a", 4, 1, goal=2, reason="too slow").line.endswith(" met")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2.5, "s", "2.5 s"),
        (0.0208, "s", "20.8 ms"),
        (42e-6, "s", "42 us"),
        (18_432_000, "B", "18.4 MB"),
    ],
)
def test_amounts_have_a_unit_that_fits(value, unit, text):
    assert amount(value, unit) == text


def test_both_implementations_are_called_in_turn():
    calls = []
    setting = Setting()
    compare(lambda: calls.append("plain"), lambda: calls.append("ours"), setting, seconds=0)
    assert calls == ["plain", "ours"] * (7 + 1)  # one to warm up


def test_implementations_that_differ_are_not_timed():
    with pytest.raises(RuntimeError, match="differ: loss"):
        check(False, "loss")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the account")
def test_peak_memory_sees_what_is_freed_again():
    def take():
        torch.ones(50, 1000, 1000, dtype=torch.uint8).max()

    take()  # what torch allocates once
    assert 48e6 < peak_memory(take, "cpu") < 60e6


def test_one_core_gives_the_others_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with one_core():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
