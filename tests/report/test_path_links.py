"""Links in terminals, and plain paths everywhere else."""

import io
import logging
import os
import subprocess
import sys

import pytest

from aerialseg.report.path_links import LinkingHandler, PathLink, shows_links

SAYS = """
import logging.config, pathlib, sys, yaml
from aerialseg.report.path_links import PathLink
config = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text())
to_file = {"class": "logging.FileHandler", "filename": "log", "formatter": "plain"}
config["handlers"]["file"] = to_file
config["root"]["handlers"].append("file")
logging.config.dictConfig(config)
logging.getLogger().info("written to %s, %d files", PathLink("a b/ü"), 3)
"""


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environment", "shows"),
    [
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"VTE_VERSION": "7006"}, True),
        ({"VTE_VERSION": "4205"}, False),
        ({"WT_SESSION": "x"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "dumb", "TERM_PROGRAM": "vscode"}, False),
        ({"TERM_PROGRAM": "vscode", "FORCE_HYPERLINK": "0"}, False),
        ({"FORCE_HYPERLINK": "1"}, True),
        ({}, False),
    ],
)
def test_only_terminals_that_are_known_to_show_links_get_them(environment, shows):
    assert shows_links(Terminal(), environment) is shows
    assert not shows_links(io.StringIO(), environment)


def test_a_link_names_the_machine_and_the_whole_path(monkeypatch, tmp_path):
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    monkeypatch.setattr("socket.gethostname", lambda: "field")
    monkeypatch.chdir(tmp_path)
    shown = PathLink("runs/a b").shown_on(Terminal())
    address = f"file://field{tmp_path}/runs/a%20b"
    assert shown == f"\033]8;;{address}\033\\runs/a b\033]8;;\033\\"
    assert PathLink("runs/a b").shown_on(io.StringIO()) == "runs/a b"


def test_another_handler_of_the_same_record_gets_the_path_alone(monkeypatch):
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    handler = LinkingHandler()
    handler.setStream(Terminal())
    record = logging.LogRecord("x", logging.INFO, "f", 1, "in %s", (PathLink("runs"),), None)
    assert "\033]8;;file://" in handler.format(record)
    assert record.getMessage() == "in runs"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")
def test_a_process_links_on_a_terminal_and_not_in_a_pipe_or_a_log_file(tmp_path):
    import pty

    from helpers.composing import CONF

    command = [sys.executable, "-c", SAYS, str(CONF / "hydra/job_logging/plain.yaml")]
    environment = {**os.environ, "FORCE_HYPERLINK": "1"}
    piped = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert piped.stdout == "written to a b/ü, 3 files\n"
    ours, theirs = pty.openpty()
    subprocess.run(command, cwd=tmp_path, env=environment, stdout=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert shown.startswith("written to \033]8;;file://")
    assert "/a%20b/%C3%BC\033\\a b/ü\033]8;;\033\\, 3 files" in shown
    assert (tmp_path / "log").read_text() == 2 * "written to a b/ü, 3 files\n"
