"""A corpus of broken inputs: each is refused with one line that says what to do about it."""

import re
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.config.yaml_files import check_files
from aerialseg.data.images.decoding import check_whole
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.reading import read_image, read_mask, read_size
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.layouts.archives import unpack
from aerialseg.data.layouts.tables import read_id_column, read_id_lines
from aerialseg.errors import AerialsegError
from aerialseg.inference.predictor import Predictor
from helpers import broken
from helpers.broken import IDS, IMAGE, archive, cut, png, saved
from helpers.broken_checkpoints import CHECKPOINTS
from helpers.broken_files import ARCHIVES, CLASS_TABLES, CONFIGS, LISTS, TABLES
from helpers.broken_images import (
    CONVERT,
    CUT_SHORT,
    IMAGES,
    JPEG_MASK,
    MASKS,
    PAINTED_MASKS,
    PRINTED,
    Case,
)
from helpers.commands import run_command
from helpers.tiny_training import write_network

# Pillow also warns of what it then refuses.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

REPOSITORY = Path(__file__).parents[2]


def case_id(case):
    return case.name if isinstance(case, Case) else None


def check_line(line, case, path):
    wanted = case.line if "{path}" in case.line else "{path}: " + case.line
    pattern = ".*".join(map(re.escape, wanted.replace("{path}", str(path)).split("...")))
    assert re.fullmatch(pattern, line), line


def refusal(read, path):
    """The one line of the error with which a file is refused."""
    with pytest.raises(AerialsegError) as error:
        read(path)
    (line,) = error.value.lines().splitlines()
    return line.removeprefix(f"{error.value.label}: ")


def checked(path):
    """What an image goes through before training: its header and its end."""
    read_size(path)
    check_whole(path)


PAINTED = MaskEncoding(
    ClassTable(("ground", "car", "tree"), ((10, 20, 30), (200, 0, 0), (0, 200, 0))), "colour"
)


def painted(path):
    return read_mask(path, Reading(PAINTED))


READERS = [
    *[(read_image, case) for case in IMAGES],
    *[(read_mask, case) for case in MASKS],
    *[(painted, case) for case in PAINTED_MASKS],
    *[(read_id_column, case) for case in TABLES],
    *[(read_id_lines, case) for case in LISTS],
    *[(ClassTable.read, case) for case in CLASS_TABLES],
    *[(Predictor, case) for case in CHECKPOINTS],
]


@pytest.mark.parametrize(("read", "case"), READERS, ids=case_id)
def test_a_broken_file_is_one_line(tmp_path, read, case):
    path = tmp_path / case.name
    path.write_bytes(case.make())
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
        check_line(refusal(read, path), case, path)
    assert [child.name for child in tmp_path.iterdir()] == [case.name]


IN_THE_PIXELS = {"middle.jpg", "progressive.jpg", "cut.png", "rows.png", "passes.png"}
IN_THE_PIXELS |= {"no_rows.png", "bit.png", "cut.tif", "cut_lzw.tif", "cut.bmp"}
IN_THE_PIXELS |= {"rows.gif"}


@pytest.mark.parametrize(
    "case", [case for case in IMAGES if case.name not in IN_THE_PIXELS], ids=case_id
)
def test_most_broken_images_are_found_before_training(tmp_path, case):
    path = tmp_path / case.name
    path.write_bytes(case.make())
    check_line(refusal(checked, path), case, path)


@pytest.mark.parametrize("case", ARCHIVES, ids=case_id)
def test_a_broken_archive_leaves_nothing_behind(tmp_path, case):
    path = tmp_path / case.name
    path.write_bytes(case.make())
    check_line(refusal(lambda archive: unpack(archive, tmp_path / "cache"), path), case, path)
    assert not [child for child in tmp_path.rglob("*") if child.is_file() and child != path]


@pytest.mark.parametrize("case", CONFIGS, ids=case_id)
def test_a_broken_config_is_one_line(tmp_path, case):
    path = tmp_path / "conf" / case.name
    path.parent.mkdir()
    path.write_bytes(case.make())
    line = refusal(check_files, path.parent)
    check_line(line, case._replace(line=case.line.replace("conf/", "{path}conf/")), "")


def test_the_corpus_is_large():
    groups = (IMAGES, MASKS, PAINTED_MASKS, TABLES, LISTS, ARCHIVES, CLASS_TABLES, CONFIGS)
    assert sum(map(len, (*groups, CHECKPOINTS))) >= 100


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content() if callable(content) else content)


def found(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def whole_checkpoint():
    """The bytes of a checkpoint with its network."""
    with TemporaryDirectory() as folder:
        return write_network(Path(folder, "x.ckpt")).read_bytes()


INPUTS = {
    "in/a.png": png(50_000, 50_000),
    "in/b.jpg": cut(saved(IMAGE, "JPEG"), 0.6),
    "in/c.png": saved(IMAGE, "PPM"),
    "in/d.png": saved(IMAGE, "PNG"),
}
FOLDERS = {
    "root/classes.yaml": b"ground: [10, 20, 30]\ncar: [200, 0, 0]\n",
    "root/images/a.jpg": saved(IMAGE.convert("CMYK"), "JPEG"),
    "root/masks/a.png": saved(IDS, "PNG"),
    "root/images/b.png": saved(IMAGE, "PNG"),
    "root/masks/b.png": saved(IDS, "JPEG"),
}
PROCESSES = {
    "task=predict checkpoint=x.ckpt input=in trainer=cpu": (
        {**INPUTS, "x.ckpt": whole_checkpoint},
        [
            f"data error: in/a.png: {CUT_SHORT}",
            f"data error: in/b.jpg: {CUT_SHORT}",
            f"data error: in/c.png: holds a portable pixmap{CONVERT}",
        ],
    ),
    "task=check data=folders data.root=root trainer=cpu": (
        FOLDERS,
        [
            f"data error: sample 'a': root/images/a.jpg: {PRINTED.replace('...', 'CMYK')}",
            f"data error: sample 'b': root/masks/b.png: {JPEG_MASK}",
        ],
    ),
    "task=check data=kaggle data.root=round2.zip trainer=cpu": (
        {"round2.zip": archive(("train.csv", "ImageID\n"), ("../evil", "2"))},
        [
            "data error: round2.zip: 1 member (../evil) would be written outside its folder; "
            "do not trust it"
        ],
    ),
    "task=predict checkpoint=harm.ckpt input=d.png trainer=cpu": (
        {"harm.ckpt": broken.torch_file(broken.Harm()), "d.png": saved(IMAGE, "PNG")},
        [
            "checkpoint error: harm.ckpt: holds Python objects (print), which could run "
            "anything when loaded; save its state_dict alone"
        ],
    ),
    "-m run_name=../../x stage=head": (
        {},
        ["config error: run_name: '../../x' cannot be the name of a folder"],
    ),
}


@pytest.mark.parametrize("command", PROCESSES)
def test_a_process_says_it_in_lines_and_writes_nothing(tmp_path, command):
    files, lines = PROCESSES[command]
    folder = tmp_path / "work" / "here"
    folder.mkdir(parents=True)
    write(folder, files)
    before = found(tmp_path)
    done = run_command(*command.split(), folder=folder)
    assert done.stderr.splitlines() == lines
    assert done.stdout == ""
    assert done.returncode == 1
    assert found(tmp_path) == before
