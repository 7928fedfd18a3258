"""The page of public data sets names every set of conf/, and shows the folders that are read."""

import re

import pytest

from helpers.pages import ROOT, commands
from helpers.public_sets import COPIES, PAINTED

PAGE = ROOT / "docs/public_data.md"
TEXT = PAGE.read_text("utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)}


@pytest.mark.parametrize("name", COPIES)
def test_a_set_has_its_command_and_the_folders_of_its_archive(name):
    assert [f"data={name}", "data.root=PATH"] in list(commands(PAGE))
    first = next(iter(COPIES[name].pairs.items()))
    folders = {folder for path in first for folder in path.split("/")[:-1]}
    assert [folder for folder in folders if f"{folder}/" not in SECTIONS[name]] == []


@pytest.mark.parametrize("name", COPIES)
def test_the_table_counts_the_classes(name):
    (row,) = re.findall(rf"^\| \[`{name}`\]\(#{name}\) .+$", TEXT, re.MULTILINE)
    assert int(row.split("|")[4]) == len(PAINTED[name])
