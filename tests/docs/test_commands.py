"""Every command in the pages composes, and the outputs they show are those printed."""

import re

import pytest
from pytorch_lightning.accelerators import CUDAAccelerator

from helpers.composing import finish_stages, lines, swept
from helpers.pages import PAGES, commands

FLAGS = re.compile(r"--help|--cfg|job|-m")
# Commands of people's own files and packages: their choices are not in conf/.
OWN = ("--config-dir", "data=my_field", "data=side_by_side", "data=mine", "loss=tversky")
OWN += (
    "model=fpn_resnet18",
    "augmentation=flips",
    "recipe=short",
    "upper_blocks",
    "count_pixels",
    "with_memory",
)
COMMANDS = {
    f"{page.name}: {' '.join(arguments)}": arguments
    for page in PAGES
    for arguments in commands(page)
    if "..." not in " ".join(arguments) and not any(own in " ".join(arguments) for own in OWN)
}
SHOWN = re.compile(r"^\$ python run\.py (.+)\n((?:\w+ error: .+\n)+)", re.MULTILINE)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A machine with everything: trained stages, a graphics card, and files where they are said."""
    monkeypatch.setattr(CUDAAccelerator, "is_available", staticmethod(lambda: True))
    finish_stages(tmp_path / "runs")


def is_about_files(line):
    """Whether a line only says that this machine lacks a run, which the page's reader has."""
    return "does not exist" in line or line.startswith("config error: task.runs: ")


def test_there_are_commands():
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_every_command_composes(arguments, trained):
    plain = [word for word in arguments if not FLAGS.fullmatch(word)]
    if "-m" in arguments:
        assert len(swept(*plain)) > 1
    else:
        assert [line for line in lines(*plain) if not is_about_files(line)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_outputs_that_are_shown_are_those_printed(page):
    for command, output in SHOWN.findall(page.read_text("utf-8")):
        assert lines(*command.split()) == output.splitlines()
