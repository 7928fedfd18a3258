"""Data of every kind, in all pairs of what they differ in: read exactly, or refused by a line."""

import csv
import logging
import shlex
from functools import cache
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aerialseg.config.command import run_task
from helpers.composing import composed_for_values
from helpers.field.axes import AXES
from helpers.field.cases import ORACLE, Case
from helpers.field.pairwise import covering, drawn, pairs_of
from helpers.field.rules import reasons, refused_at_most, says
from helpers.field.typing_texts import text
from helpers.packages import install

SEED = 3
NEVER_ALONE = {"gif", "float", "fractions", "ids-32-bit", "ids-big-endian"}
"""What is refused under any name, and what only TIFFs hold, which are refused if turned."""


@cache
def read():
    """The combinations that are read, with all pairs that such can have."""
    return covering(AXES, refused_at_most(0), seed=SEED)


@cache
def refused():
    """Those that are refused for one reason, with all pairs that only such can have."""
    return covering(AXES, refused_at_most(1), seed=SEED, met=read())


def few_read():
    """Some that are read."""
    return drawn(AXES, refused_at_most(0), 8, seed=SEED)


def few_refused():
    """Some that are refused."""
    some = drawn(AXES, refused_at_most(1), 40, seed=SEED)
    return [combination for combination in some if reasons(combination)][:4]


def pytest_generate_tests(metafunc):
    """Gives a few combinations, which are drawn at once, unless slow tests are asked for."""
    if "combination" not in metafunc.fixturenames:
        return
    is_few = "not slow" in metafunc.config.option.markexpr
    is_read = metafunc.function is test_what_is_read_is_read_exactly
    few, every = (few_read, read) if is_read else (few_refused, refused)
    marks = [] if is_few else [pytest.mark.slow]
    params = [
        pytest.param(combination, marks=marks, id=f"{number:03}-{'_'.join(combination.values())}")
        for number, combination in enumerate(few() if is_few else every())
    ]
    metafunc.parametrize("combination", params)


@pytest.fixture(scope="module", autouse=True)
def oracle(tmp_path_factory):
    """The network that knows the colours, as an installed package registers it."""
    site = tmp_path_factory.mktemp("site")
    network = "helpers.field.nearest_colour:NearestColour"
    install(site, "field_oracle", "", {"aerialseg.networks": network})
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        yield


def run(case, *task):
    """Runs a task on the data as a command does."""
    return run_task(composed_for_values(*case.with_oracle, *task, always=ORACLE))


def show(case):
    """What to type to see a failure, which pytest prints with it."""
    print(f"data: {case.root}")
    print(f"python run.py task=check {shlex.join(case.typed)}")


def _counted(path):
    """The diagonal of a confusion matrix that has nothing beside it."""
    rows = list(csv.reader(Path(path).read_text("utf-8").splitlines()))[1:]
    matrix = np.array([[int(cell) for cell in row[1:]] for row in rows])
    assert not (matrix - np.diag(np.diag(matrix))).any()
    return np.diag(matrix).tolist()


def _index_masks(folder):
    return folder.rglob("*_index.png")


def _name(path, folder):
    return path.relative_to(folder).as_posix().removesuffix("_index.png")


def test_what_is_read_is_read_exactly(combination, tmp_path, caplog):
    case = Case(combination, tmp_path)
    case.write()
    show(case)
    with caplog.at_level(logging.WARNING, logger="aerialseg"):
        trained = run(case, "task=train")
    for message, expected in zip(caplog.messages, case.warnings, strict=True):
        assert expected in message
    assert trained.scores["val/dice"] == 1
    scores = run(case, "task=evaluate", "task.split=all", "task.sheet_rows=1")
    assert (scores["dice"], scores["accuracy"]) == (1, 1)
    assert _counted("runs/default/head/evaluate/confusion_matrix.csv") == case.pixels
    for number, (folder, expected) in enumerate(case.folders.items()):
        out = tmp_path / f"predicted_{number}"
        run(case, "task=predict", text("input", folder), text("task.output_dir", out))
        found = {_name(path, out): np.asarray(Image.open(path)) for path in _index_masks(out)}
        assert found.keys() == expected.keys()
        for name, ids in expected.items():
            assert np.array_equal(found[name], ids), name


def test_what_is_refused_is_refused_by_its_line(combination, tmp_path):
    case = Case(combination, tmp_path)
    case.write()
    show(case)
    with pytest.raises(SystemExit) as stop:
        run(case, "task=train")
    lines = str(stop.value.code).splitlines()
    print(*lines, sep="\n")
    for line in lines:
        assert line.startswith(("data error: ", "config error: ", "and "))
        assert says(line, combination) or line.startswith("and ")
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_all_pairs_are_met_that_one_reason_allows():
    assert len(read()) > 200
    met = set().union(*map(pairs_of, (*read(), *refused())))
    for first, second in combinations(AXES, 2):
        for pair in product(AXES[first], AXES[second]):
            combination = dict(zip((first, second), pair, strict=True))
            if pairs_of(combination) <= met:
                continue
            assert not refused_at_most(1)(combination) or set(pair) & NEVER_ALONE, combination
