"""The scripts run and print their rows; the measured values are not checked."""

import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import benchmarks
from benchmarks import __main__ as command
from benchmarks.images import data_root
from benchmarks.timing import Setting

FOLDER = Path(benchmarks.__file__).parent
ENDINGS = ("met", "not met")


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """What a quick run of everything prints, and the table it writes."""
    if sys.platform != "linux":
        pytest.skip("only Linux counts the memory of a process, which some rows compare")
    table = tmp_path_factory.mktemp("benchmarks") / "table.md"
    with redirect_stdout(StringIO()) as printed:
        command.main(["--quick", "--device", "cpu", "--output", str(table)])
    *lines, last = printed.getvalue().splitlines()
    assert last == str(table)
    return lines, table.read_text(encoding="utf-8")


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_every_script_is_on_the_list():
    scripts = {path.stem for path in FOLDER.glob("*.py") if "\ndef rows(" in path.read_text()}
    assert scripts == set(command.SCRIPTS)


@pytest.mark.slow
def test_a_line_has_name_ratio_and_goal(tried):
    lines, _ = tried
    assert len(lines) > len(command.SCRIPTS)
    for line in lines:
        assert "x  goal " in line
        assert line.split(":")[0].endswith(ENDINGS), line


@pytest.mark.slow
def test_the_table_has_every_row_and_says_what_was_missed(tried):
    lines, table = tried
    rows = [cells(line) for line in table.splitlines() if line.startswith("| ")][2:]
    assert [row[0] for row in rows] == [line[:44].strip() for line in lines]
    missed = [row[0] for row in rows if row[-1] == "not met"]
    assert f"{len(rows) - len(missed)} of {len(rows)} rows meet their goal." in table
    for name in missed:
        assert f"\n- {name}: " in table


@pytest.mark.slow
def test_the_table_describes_the_environment(tried):
    _, table = tried
    for fact in (
        "cores",
        "threads",
        "GPU",
        "Python 3.",
        "torch 2.",
        "the times mean nothing",
    ):
        assert fact in table


def test_some_scripts_leave_the_results_alone(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "RESULTS", tmp_path / "RESULTS.md")
    command.main(["--quick", "colour_mask", "rle"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "colour",
        "run",
        "run",
    ]
    assert not (tmp_path / "RESULTS.md").exists()


def test_an_unknown_script_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        command.main(["lose"])
    assert "no script lose; there are sample, loader" in capsys.readouterr().err


def test_given_images_are_used(capsys):
    own = data_root(Setting(quick=True), train=3)
    command.main(["--quick", "--images", str(own), "rle", "class_weights"])
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_script_is_a_command_of_its_own():
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.rle", "--quick"],
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split(":")[0].endswith(ENDINGS) for line in process.stdout.splitlines()] == [
        True,
        True,
    ]
