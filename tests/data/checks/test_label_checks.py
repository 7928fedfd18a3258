import logging

import numpy as np
import pytest

from aerialseg.classes import ClassTable
from aerialseg.data import notices
from aerialseg.data.checks import label_checks
from aerialseg.data.checks.label_checks import LabelCounts, check_labels, shifted_line
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.errors import DataError

TWO = ClassTable(("ground", "building"), ((0, 0, 0), (200, 0, 0)))
FOUR = ClassTable(
    ("ground", "roof", "tree", "car"), ((0, 0, 0), (200, 0, 0), (0, 200, 0), (9, 9, 9))
)


@pytest.fixture(autouse=True)
def _nothing_said_yet():
    notices._said.clear()


def _counts(*pixels, ignored=0):
    """Of two masks: one without a label, one with these pixels of each class."""
    return LabelCounts(
        np.array([[0] * len(pixels), pixels]), np.array([0, ignored]), np.zeros(2, int)
    )


def _line(counts, encoding):
    with pytest.raises(DataError) as error:
        check_labels(counts, encoding)
    (line,) = error.value.problems
    return line


@pytest.mark.parametrize(
    ("counts", "pairs"),
    [
        (_counts(70, 0, ignored=30), "{0: ground, 255: building}"),
        (_counts(0, 70, ignored=30), "{1: building, 255: ground}"),
    ],
)
def test_255_as_the_other_class_of_two_is_refused(counts, pairs):
    line = _line(counts, MaskEncoding(TWO))
    value, present = ("0", "ground") if pairs.startswith("{0") else ("1", "building")
    other = "building" if present == "ground" else "ground"
    assert line == (
        f"masks: hold the values {value} and 255 only, and 255 is ignored, so '{present}' is the "
        f"one class that occurs; if 255 stands for '{other}', set 'data.mask_values={pairs}'; if "
        "it means no label, data.ignore_values=[255]"
    )


def test_0_and_255_are_refused_in_larger_tables_too():
    assert "set 'data.mask_values={0: ground, 255: roof}'" in _line(
        _counts(50, 0, 0, 0, ignored=50), MaskEncoding(FOUR)
    )


@pytest.mark.parametrize(
    "encoding",
    [
        MaskEncoding(TWO, ignore_values=[255]),
        MaskEncoding(TWO, mask_values={0: "ground", 1: "building"}),
        MaskEncoding(TWO, "colour"),
    ],
)
def test_who_has_said_what_is_ignored_is_only_warned_of_the_class(encoding, caplog):
    check_labels(_counts(70, 0, ignored=30), encoding)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("masks: no pixel is of class 'building'; a class that")


def test_a_255_that_the_given_values_leave_out_is_said(caplog):
    given = MaskEncoding(TWO, mask_values={0: "ground", 1: "building"})
    check_labels(_counts(1, 1, ignored=8), given)
    assert caplog.messages[0].startswith("masks: 80.00% of the pixels are 255, which is ignored")
    zeros = MaskEncoding(TWO, mask_values={1: "ground", 2: "building"}, ignore_values=[0])
    check_labels(_counts(1, 1, ignored=8), zeros)
    assert len(caplog.messages) == 1


def test_masks_without_any_label_are_refused():
    line = _line(_counts(0, 0, ignored=9), MaskEncoding(TWO))
    assert line.startswith("masks: every pixel is ignored, so there is nothing to learn; ")
    assert "data.mask_values" in line
    assert "colours" in _line(_counts(0, 0, ignored=9), MaskEncoding(TWO, "colour"))


def test_a_table_of_one_class_is_refused():
    one = ClassTable(("building",), ((200, 0, 0),))
    assert _line(_counts(9), MaskEncoding(one)) == (
        "class table: has one class, 'building', so there is nothing to tell it from; add a "
        "class for the rest, such as `background: [0, 0, 0]`, in its place by the mask ids"
    )


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (_counts(5, 5, 5, 0), "masks: no pixel is of class 'car'; a class that never occurs is "
         "not learnt"),
        (_counts(5, 5, 0, 0), "masks: no pixel is of class 'tree', 'car'; a class that never "
         "occurs is not learnt; the masks hold 0 and 1 only: is it the right class table?"),
        (_counts(0, 5, 5, 5), "masks: no pixel is of class 'ground'; a class that never occurs is "
         "not learnt; the masks hold 1, 2 and 3 and never 0: if 1 stands for 'ground', set "
         "'data.mask_values={1: ground, 2: roof, 3: tree, 4: car}'"),
        (_counts(6, 2, 1, 0, ignored=1), "masks: no pixel is of class 'car'; a class that never "
         "occurs is not learnt; 10.00% of the pixels are 255, which is ignored; if it stands for "
         "a class, say so with data.mask_values; if it means no label, set "
         "data.ignore_values=[255]"),
        (_counts(1, 1, 1, 1, ignored=4), "masks: 50.00% of the pixels are 255, which is ignored; "
         "if it stands for a class, say so with data.mask_values; if it means no label, set "
         "data.ignore_values=[255]"),
    ],
)  # fmt: skip
def test_what_looks_wrong_is_said_once(counts, said, caplog):
    for _ in range(3):
        check_labels(counts, MaskEncoding(FOUR))
    assert caplog.record_tuples == [(label_checks.__name__, logging.WARNING, said)]


def test_much_white_is_said(caplog):
    check_labels(_counts(1, 1, ignored=8), MaskEncoding(TWO, "colour"))
    assert caplog.messages == [
        "masks: 80.00% of the pixels are white, which is ignored; if it is a class, add it to the "
        "class table; if it means no label, set 'data.ignore_values=[[255, 255, 255]]'"
    ]
    caplog.clear()
    said = MaskEncoding(TWO, "colour", ignore_values=[[255, 255, 255]])
    check_labels(_counts(1, 1, ignored=8), said)
    assert caplog.messages == []


@pytest.mark.parametrize("counts", [_counts(5, 5, ignored=1), _counts(0, 0)])
def test_good_labels_and_none_at_all_are_passed_in_silence(counts, caplog):
    check_labels(counts, MaskEncoding(TWO))
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ({1, 2, 3, 4}, "set 'data.mask_values={1: ground, 2: roof, 3: tree, 4: car}'"),
        ({1, 2, 3, 4, 255}, "set 'data.mask_values={1: ground, 2: roof, 3: tree, 4: car}'"),
        ({0, 85, 170, 255}, "set 'data.mask_values={0: ground, 85: roof, 170: tree, 255: car}'"),
        ({0, 1, 2, 3, 4}, "if 0 means no label, set data.ignore_values=[0] and "
         "'data.mask_values={1: ground, 2: roof, 3: tree, 4: car}'"),
        ({0, 1, 2, 7, 9, 11}, None),
        ({0, 7}, None),
        ({0, 1, 2, 3, 17}, None),  # a stray id, whose file the other lines name
    ],
)  # fmt: skip
def test_as_many_values_as_classes_get_an_advice(values, advice):
    line = shifted_line(values, MaskEncoding(FOUR))
    assert line is None if advice is None else advice in line


def test_values_that_were_given_classes_get_no_advice():
    given = MaskEncoding(FOUR, mask_values={1: "ground"})
    assert shifted_line({1, 2, 3, 4}, given) is None
