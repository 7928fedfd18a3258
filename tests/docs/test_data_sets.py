"""Every tree of docs/datasets.md is read by the command below it, every mask by what is typed."""

import re
import shlex
from pathlib import Path

import pytest

from aerialseg.config.command import run_task
from aerialseg.config.validation import resolve
from aerialseg.training.build import build_data
from helpers.composing import composed_for_values
from helpers.field.cases import Case
from helpers.pages import ROOT
from helpers.tiny_data import mask, random_image, save, text

PAGE = (ROOT / "docs/datasets.md").read_text("utf-8")
TREES = re.findall(r"^```\n(PATH/\w+/[^`]+)\n\n(python run\.py .+)\n```", PAGE, re.M)
TABLE = PAGE.split("| the masks hold |")[1].split("\n\n")[0]
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", TABLE, re.M)
TYPED = {holds: shlex.split(" ".join(re.findall(r"`([^`]+)`", cell))) for holds, cell in ROWS}

MORE = 4
"""Files that ``...`` stands for, of each kind that is shown."""
IN_LISTS = {
    "train.txt": ["001", "002", "003.jpg"],
    "val.txt": ["004", "005"],
    "split.csv": ["image,split", "001.jpg,train", "002,train", "003,train", "004,val", "005,val"],
}
KINDS = {
    "ids 0": ["ids", "ids-and-255", "1-bit", "palette", "three-channels", "ids-16-bit"],
    "0 and 255": ["0-and-255"],
    "ids that start at 1": ["from-1"],
    "the same, and 0": ["from-1-and-0"],
    "0, 128, 255": ["0-128-255"],
    "more values": ["several-values"],
    "the colours": ["colours", "colours-and-white", "colours-with-white"],
    "the same, saved": ["palette-by-colour"],
    "the same, with another": ["colours-and-black"],
}
"""The kinds of masks that a row of the page is about, by how it begins."""
PLAIN = {"format": "png", "mode": "RGB", "place": "flat", "mask_format": "png", "names": "plain"}
PLAIN |= {
    "endings": "own",
    "exif": "none",
    "classes": "plain",
    "reading": "kept",
    "clutter": "none",
}
PLAIN |= {"bands": "unsaid", "range": "unsaid", "nodata": "none"}
PLAIN |= {"naming": "same", "mapping": "none", "window": "none"}


def write(tree, root):
    """Writes the files of a tree with those that follow on them; says how many images."""
    images = 0
    for path in re.findall(r"PATH/(\S+)", tree):
        if path in IN_LISTS:
            text(root / path, *IN_LISTS[path])
        elif path == "classes.yaml":
            text(root / path, "ground: [10, 20, 30]", "car: [200, 0, 0]", "tree: [0, 200, 0]")
        else:
            number = int(re.search(r"(\d{3})\.", path)[1])
            for n in range(number, number + MORE + 1):
                is_image = path.endswith(".jpg")
                pixels = random_image(seed=1000 * images + n) if is_image else mask(seed=n)
                save(root / re.sub(r"\d{3}\.", f"{n:03}.", path), pixels)
                images += is_image
    return images


def run(*arguments):
    """Runs a command as the page shows it, on a small network."""
    small = ("model=lraspp_mobilenet_v3_large", "model.weights=none", "trainer=cpu")
    run_task(composed_for_values(*arguments, "data.num_workers=0", always=small))


def test_every_way_of_the_layout_is_shown():
    assert len(TREES) == 7


@pytest.mark.parametrize(("tree", "command"), TREES, ids=range(len(TREES)))
def test_a_tree_is_read_by_the_command_below_it(tree, command, tmp_path, capsys, caplog):
    images = write(tree, Path("PATH"))
    run(*shlex.split(command)[2:])
    said = re.findall(r"(\d+) images? to (\w+)", capsys.readouterr().out)
    found = {side: int(number) for number, side in said}
    assert sum(found.values()) == images
    assert caplog.messages == []
    if "val" in command or "split.csv" in command:
        assert found["validate"] == 2
    elif "/val" in tree:
        assert found == dict.fromkeys(("train", "validate", "test"), MORE + 1)


def test_every_row_about_masks_is_tried():
    assert len(TYPED) == len(KINDS) == sum(kind in KINDS for kind in map(kind_of, TYPED))


def kind_of(row):
    """How a row begins; the longest that fits."""
    return max((start for start in KINDS if row.startswith(start)), key=len, default=None)


@pytest.mark.parametrize(
    ("row", "masks"), [(row, masks) for row in TYPED for masks in KINDS[kind_of(row)]]
)
def test_masks_are_read_by_what_is_typed(row, masks, tmp_path, caplog):
    case = Case({**PLAIN, "masks": masks}, tmp_path)
    said = re.findall(r"\d+: (\w+)", " ".join(TYPED[row]))
    case.names = list(dict.fromkeys(said)) or case.names
    case.write()
    typed = ["data=folders", f"data.root={case.root}", *TYPED[row]]
    data = build_data(resolve(composed_for_values(*typed)))
    assert data.checked.counts.sum(axis=0).tolist() == case.pixels
    assert caplog.messages == []
