"""Printed tables are whole where the output is not a terminal."""

import re

import pytest
from rich.console import Console
from rich.table import Table

from aerialseg.report.printing import print_whole

NAMES = [f"a rather long heading {number}" for number in range(9)]


def wide_table():
    table = Table(title="wide")
    for name in NAMES:
        table.add_column(name)
    table.add_row(*map(str, range(9)))
    return table


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_in_a_pipe_a_table_is_as_wide_as_it_needs_to_be(capsys):
    print_whole(wide_table(), "written to a/[bold]path/" + "x" * 100)
    heading = capsys.readouterr().out.splitlines()
    assert any(all(name in line for name in NAMES) for line in heading)
    assert heading[-1] == "written to a/[bold]path/" + "x" * 100


def test_a_narrow_table_stays_narrow(capsys):
    table = Table()
    table.add_column("a")
    print_whole(table)
    assert max(map(len, capsys.readouterr().out.splitlines())) < 10


def test_a_terminal_is_never_wider_than_it_is(capsys, monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", property(lambda console: True))
    print_whole(wide_table())
    shown = re.sub("\x1b.*?m", "", capsys.readouterr().out)
    assert max(map(len, shown.splitlines())) == 80
