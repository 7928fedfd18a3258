"""A corpus of broken inputs: each is refused with one line that says what to do about it."""

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import broken
import numpy as np
import pytest
from broken import IDS, PICTURE, RGB, archive, checkpoint, cut, png, saved
from PIL import Image

from aerialseg.classes import ClassTable
from aerialseg.config.files import check_files
from aerialseg.data.archives import unpack
from aerialseg.data.decoding import check_whole
from aerialseg.data.images import read_image, read_mask, read_size
from aerialseg.data.tables import read_id_column, read_id_lines
from aerialseg.errors import AerialsegError
from aerialseg.inference import Predictor

# Pillow also warns of what it then refuses.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

REPOSITORY = Path(__file__).parents[2]
COLOURS = np.array([[10, 20, 30], [200, 0, 0], [0, 200, 0]], dtype=np.uint8)
NETWORK = "aerialseg.models.networks.lraspp_mobilenet_v3_large"

READ_AGAIN = "; copy it again from its source, or take it out"
KNOWN = "JPEG, PNG, WebP, BMP or TIFF"
CONVERT = f"; wanted {KNOWN}; convert it, or get it again from its source"
NO_PICTURE = f"cannot be decoded: not a picture of any known format ({KNOWN}){READ_AGAIN}"
CUT_SHORT = f"cannot be decoded: the file is cut short{READ_AGAIN}"
TRUNCATED = f"cannot be decoded: image file is truncated...{READ_AGAIN}"
FEWER_ROWS = f"cannot be decoded: the file has fewer rows than its header says{READ_AGAIN}"
DAMAGED = f"cannot be decoded: ...{READ_AGAIN}"
TILES = "; wanted at most 200 million; cut it into tiles, or raise data.max_megapixels"
DEEP = (
    "has more than 8 bits a channel (mode ...); which of its values are dark and bright only you "
    "know, so write it as 8-bit RGB"
)
PRINTED = "has ... colours, which become RGB by a colour profile only; write it as 8-bit RGB"
ANIMATED = "is animated; wanted a still picture; save one frame of it"
NOT_INDEX = (
    "is no single-channel mask (mode ...) where class ids are expected; set "
    "data.mask_format=colour if it is painted in the class table's colours"
)
JPEG_MASK = "is a JPEG, which changes values; masks need PNG; export it again"
AGAIN = "cannot be unpacked: ...; download it again"
BY_HAND = "unpack it yourself and give its folder: data.root=PATH"
LINE_A_CLASS = "not a mapping; write one line per class, as in `person: [192, 128, 128]`"
THREE_NUMBERS = "; write three whole numbers from 0 to 255, as in [192, 128, 128]"


class Case(NamedTuple):
    """A file's name, how its bytes are made, and the line about it; ``...`` is anything."""

    name: str
    make: Callable[[], bytes]
    line: str


def case_id(case):
    return case.name if isinstance(case, Case) else None


IMAGES = [
    Case("empty.jpg", lambda: b"", f"cannot be decoded: the file is empty{READ_AGAIN}"),
    Case("text.jpg", lambda: b"no picture", NO_PICTURE),
    Case("zeros.png", lambda: bytes(2000), NO_PICTURE),
    Case("page.jpg", lambda: b"<!DOCTYPE html>", f"holds a web page or SVG{CONVERT}"),
    Case("lfs.jpg", lambda: b"version https://git-lfs.", f"holds a Git LFS pointer{CONVERT}"),
    Case("zip.png", lambda: archive(("a", "b")), f"holds a zip archive{CONVERT}"),
    Case("a.gif", lambda: saved(PICTURE, "GIF"), f"holds GIF{CONVERT}"),
    Case("a.ico", lambda: saved(PICTURE, "ICO", sizes=[(16, 16)]), f"holds an icon{CONVERT}"),
    Case("psd.png", lambda: b"8BPS\0\1" + bytes(90), f"holds Photoshop data{CONVERT}"),
    Case("eps.jpg", lambda: saved(PICTURE, "EPS"), f"holds PostScript{CONVERT}"),
    Case("pdf.png", lambda: saved(PICTURE, "PDF"), f"holds PDF{CONVERT}"),
    Case("jp2.jpg", lambda: saved(PICTURE, "JPEG2000"), f"holds JPEG 2000{CONVERT}"),
    Case("heic.jpg", lambda: b"\0\0\0\x18ftypheic" + bytes(90), f"holds HEIC{CONVERT}"),
    Case("ppm.bmp", lambda: saved(PICTURE, "PPM"), f"holds a portable pixmap{CONVERT}"),
    Case("cut.jpg", lambda: cut(saved(PICTURE, "JPEG"), 0.6), CUT_SHORT),
    Case("end.jpg", lambda: saved(PICTURE, "JPEG")[:-2], CUT_SHORT),
    Case("middle.jpg", broken.jpeg_without_middle, CUT_SHORT),
    Case("progressive.jpg", lambda: cut(saved(PICTURE, "JPEG", progressive=True), 0.7), CUT_SHORT),
    Case("cut.png", lambda: cut(saved(PICTURE, "PNG"), 0.6), TRUNCATED),
    Case("end.png", lambda: saved(PICTURE, "PNG")[:-12], CUT_SHORT),
    Case("rows.png", lambda: png(4, 4, rows=b"\0\7\7\7\7" * 2), FEWER_ROWS),
    Case("passes.png", broken.png_without_last_pass, FEWER_ROWS),
    Case("no_rows.png", lambda: png(4, 4), TRUNCATED),
    Case("bit.png", lambda: broken.flipped(saved(PICTURE, "PNG"), 300), DAMAGED),
    Case("header.png", lambda: broken.flipped(saved(PICTURE, "PNG"), 18), DAMAGED),
    Case("sizeless.png", lambda: png(0, 4), DAMAGED),
    Case("cut.webp", lambda: cut(saved(PICTURE, "WEBP"), 0.6), DAMAGED),
    Case("cut.tif", lambda: cut(saved(PICTURE, "TIFF"), 0.6), DAMAGED),
    Case("cut_lzw.tif", lambda: cut(saved(PICTURE, "TIFF", compression="tiff_lzw"), 0.6), DAMAGED),
    Case("cut.bmp", lambda: cut(saved(PICTURE, "BMP"), 0.6), TRUNCATED),
    Case("bomb.png", lambda: png(50_000, 50_000), f"has 50000x50000 pixels, 2500 million{TILES}"),
    Case(
        "large.png",
        lambda: png(20_000, 10_001),
        f"has 20000x10001 pixels, 200.02 million{TILES}",
    ),
    Case(
        "bomb.jpg",
        lambda: broken.jpeg_frame(saved(PICTURE, "JPEG"), height=65_000, width=65_000),
        f"has 65000x65000 pixels, 4225 million{TILES}",
    ),
    Case(
        "tile.tif",
        broken.tiff_of_one_huge_tile,
        f"has 60000x60000 pixels, 3600 million{TILES}",
    ),
    Case(
        "comment.png", broken.text_bomb, f"cannot be decoded: Decompressed data too ...{READ_AGAIN}"
    ),
    Case("profile.png", broken.profile_bomb, DAMAGED),
    Case("deep.png", lambda: saved((RGB[..., 0] * 200.0).astype(np.uint16), "PNG"), DEEP),
    Case("deep_rgb.png", lambda: png(1, 1, bits=16, colour_type=2, rows=bytes(7)), DEEP),
    Case("deep_rgba.png", lambda: png(1, 1, bits=16, colour_type=6, rows=bytes(9)), DEEP),
    Case("deep.tif", lambda: saved(RGB[..., 0].astype(np.int32), "TIFF"), DEEP),
    Case("float.tif", lambda: saved(RGB[..., 0].astype(np.float32), "TIFF"), DEEP),
    Case("cmyk.jpg", lambda: saved(PICTURE.convert("CMYK"), "JPEG"), PRINTED),
    Case("cmyk.tif", lambda: saved(PICTURE.convert("CMYK"), "TIFF"), PRINTED),
    Case("lab.tif", lambda: saved(PICTURE.convert("LAB"), "TIFF"), PRINTED),
    Case("moves.png", lambda: broken.animated("PNG"), ANIMATED),
    Case("moves.webp", lambda: broken.animated("WEBP"), ANIMATED),
    Case(
        "pages.tif",
        lambda: broken.animated("TIFF"),
        "has 2 pages; wanted one; save each as a file of its own",
    ),
    Case(
        "turned.tif",
        lambda: saved(PICTURE, "TIFF", tiffinfo={274: 6}),
        "is a TIFF with the orientation 6; wanted 1; store it upright",
    ),
]

MASKS = [
    Case("rgb.png", lambda: saved(RGB, "PNG"), NOT_INDEX),
    Case("alpha.png", lambda: saved(Image.fromarray(IDS).convert("LA"), "PNG"), NOT_INDEX),
    Case("lossy.jpg", lambda: saved(IDS, "JPEG"), JPEG_MASK),
    Case("lossy.tif", lambda: saved(IDS, "TIFF", compression="jpeg"), JPEG_MASK),
    Case(
        "ids.png",
        lambda: saved(IDS.astype(np.uint16) + 256, "PNG"),
        "has ids from 256 to 258; wanted 0 to 255",
    ),
    Case(
        "float.tif",
        lambda: saved(IDS.astype(np.float32), "TIFF"),
        "holds fractions (mode F); wanted class ids; write it in 8 bits",
    ),
    Case("bomb.png", lambda: png(50_000, 50_000), f"has 50000x50000 pixels, 2500 million{TILES}"),
    Case("rows.png", lambda: png(4, 4, rows=b"\0\1\1\1\1" * 2), FEWER_ROWS),
    Case("mask.gif", lambda: saved(IDS, "GIF"), f"holds GIF{CONVERT}"),
    Case("cut.png", lambda: cut(saved(IDS, "PNG"), 0.8), TRUNCATED),
    Case("bit.png", lambda: broken.flipped(saved(IDS, "PNG"), 100), DAMAGED),
]

PAINTED_MASKS = [
    Case(
        "grey.png",
        lambda: saved(IDS, "PNG"),
        "is a single-channel mask (mode L) where colours are expected; set "
        "data.mask_format=index if it holds class ids",
    ),
    Case(
        "colour.png",
        lambda: saved(np.full((2, 2, 3), 7, dtype=np.uint8), "PNG"),
        "#070707 (4 pixels) is no colour of the class table; correct the table or the mask, or "
        "set data.mask_format=index if it holds class ids",
    ),
    Case("deep.png", lambda: png(1, 1, bits=16, colour_type=2, rows=bytes(7)), DEEP),
    Case("painted.jpg", lambda: saved(COLOURS[IDS], "JPEG"), JPEG_MASK),
]

TABLES = [
    Case(
        "empty.csv",
        lambda: b"",
        "has no column 'ImageID' (columns: none); rename its id column",
    ),
    Case(
        "header.csv",
        lambda: b"ImageId,Note\na,b\n",
        "has no column 'ImageID' (columns: 'ImageId', 'Note'); rename its id column",
    ),
    Case(
        "semicolons.csv",
        lambda: b"ImageID;Note\na;b\n",
        "has no column 'ImageID' (columns: 'ImageID;Note'); rename its id column",
    ),
    Case(
        "two.csv",
        lambda: b"ImageID,ImageID\na,b\n",
        "has more than one column 'ImageID' (columns: 'ImageID', 'ImageID'); rename its id column",
    ),
    Case(
        "latin.csv",
        lambda: "ImageID\nStraße\n".encode("latin-1"),
        "cannot be read as UTF-8 text: ...; save it as UTF-8",
    ),
    Case(
        "utf16.csv",
        lambda: "ImageID\na\n".encode("utf-16"),
        "cannot be read as UTF-8 text: ...; save it as UTF-8",
    ),
    Case(
        "twice.csv",
        lambda: b"ImageID\na\nb\na\n",
        "row 4: id 'a' is in twice.csv row 2 already; drop one",
    ),
    Case(
        "none.csv",
        lambda: b"ImageID,Note\na,x\n,y\n",
        "row 3 has no id; write one or drop the row",
    ),
    Case(
        "up.csv",
        lambda: b"ImageID\n../../etc/passwd\n",
        "row 2: id '../../etc/passwd' leads out of the folder; correct it",
    ),
    Case(
        "root.csv",
        lambda: b"ImageID\n/etc/passwd\n",
        "row 2: id '/etc/passwd' leads out of the folder; correct it",
    ),
    Case(
        "drive.csv",
        lambda: b"ImageID\nC:\\x\n",
        "row 2: id 'C:\\\\x' leads out of the folder; correct it",
    ),
    Case(
        "nul.csv",
        lambda: b"ImageID\na\0b\n",
        "row 2: id 'a\\x00b' cannot be printed; correct it",
    ),
    Case(
        "quote.csv",
        lambda: b'ImageID\n"a\nb\n',
        "row 3: id 'a\\nb' cannot be printed; correct it",
    ),
    Case(
        "huge.csv",
        lambda: b"ImageID\n" + b"a" * 200_000,
        "line 2: is no CSV: field larger than field limit (131072); correct it",
    ),
]

LISTS = [
    Case(
        "up.txt",
        lambda: b"a\n\n..\\b\n",
        "line 3: id '..\\\\b' leads out of the folder; correct it",
    ),
    Case(
        "twice.txt",
        lambda: b"a\nb\nb\n",
        "line 3: id 'b' is in twice.txt line 2 already; drop one",
    ),
    Case(
        "turned.txt",
        lambda: "a\u202eb\n".encode(),
        "line 1: id 'a\\u202eb' cannot be printed; correct it",
    ),
]

ARCHIVES = [
    Case("text.zip", lambda: b"no archive", AGAIN),
    Case("cut.zip", lambda: cut(archive(("a", "b"), ("c", "d")), 0.7), AGAIN),
    Case("content.zip", broken.archive_with_wrong_content, AGAIN),
    Case(
        "up.zip",
        lambda: archive(("good", "1"), ("../evil", "2")),
        "1 member (../evil) would land outside its folder; do not trust it",
    ),
    Case(
        "root.zip",
        lambda: archive(("/evil", "2")),
        "1 member (/evil) would land outside its folder; do not trust it",
    ),
    Case(
        "drive.zip",
        lambda: archive(("C:evil", "2")),
        "1 member (C:evil) would land outside its folder; do not trust it",
    ),
    Case(
        "backslash.zip",
        lambda: archive(("imgs\\imgs\\a.jpg", "2")),
        f"holds 1 member ('imgs\\\\imgs\\\\a.jpg') with backslashes for slashes; {BY_HAND}",
    ),
    Case("link.zip", broken.archive_with_link, "holds 1 link (imgs); pack the files instead"),
    Case(
        "password.zip",
        broken.archive_with_password,
        f"holds 1 encrypted member (train.csv); {BY_HAND}",
    ),
    Case(
        "twice.zip",
        lambda: archive(("./a", "1"), ("a", "2")),
        "holds 2 members (./a, a) of the same name, capitals aside; pack each file once",
    ),
    Case(
        "capitals.zip",
        lambda: archive(("imgs/a.JPG", "1"), ("imgs/A.jpg", "2")),
        "holds 2 members (imgs/a.JPG, imgs/A.jpg) of the same name, capitals aside; pack each "
        "file once",
    ),
    Case(
        "bomb.zip",
        broken.archive_of_zeros,
        "would grow from 0.1 MB to 120 MB, more than 100 times; do not trust it, or " + BY_HAND,
    ),
]

CLASS_TABLES = [
    Case("empty.yaml", lambda: b"", f"class table {{path}}: holds a NoneType, {LINE_A_CLASS}"),
    Case("list.yaml", lambda: b"- ground\n", f"class table {{path}}: holds a list, {LINE_A_CLASS}"),
    Case(
        "open.yaml",
        lambda: b"a: [0, 0\n",
        "class table {path}: cannot be read as YAML: ...; correct it",
    ),
    Case(
        "code.yaml",
        lambda: b"a: !!python/object/apply:os.getcwd []\n",
        "class table {path}: cannot be read as YAML: ...; correct it",
    ),
    Case(
        "date.yaml",
        lambda: b"a: 2001-99-99\n",
        "class table {path}: cannot be read as YAML: month must be in 1..12; correct it",
    ),
    Case(
        "deep.yaml",
        lambda: b"a: " + b"[" * 5000,
        "class table {path}: cannot be read as YAML: ...; correct it",
    ),
    Case(
        "laughs.yaml",
        lambda: (
            b"a: &a [1, 1]\n"
            + b"".join(
                b"%c: &%c [%s]\n" % (i, i, b",".join([b"*%c" % (i - 1)] * 9))
                for i in range(98, 122)
            )
        ),
        "{path}: class table: the colour of 'a' is [1, 1]" + THREE_NUMBERS,
    ),
    Case(
        "no.yaml",
        lambda: b"yes: [0, 0, 0]\nno: [1, 1, 1]\n",
        "{path}: class table: the name True is no text to YAML; write it in quotes",
    ),
    Case(
        "escape.yaml",
        lambda: b'"\\e[31mred": [0, 0, 0]\n',
        "{path}: class table: the name '\\x1b[31mred' of id 0 cannot be printed; rename it",
    ),
    Case(
        "twice.yaml",
        lambda: b"car: [1, 1, 1]\ncar: [2, 2, 2]\n",
        "class table {path}: name 'car' stands there twice; rename one",
    ),
    Case(
        "white.yaml",
        lambda: b"snow: [255, 255, 255]\n",
        "{path}: class table: 'snow' is white, which marks ignored pixels; pick another",
    ),
]

CONFIGS = [
    Case(
        "indent.yaml",
        lambda: b"function:\n  a: 1\n   b: 2\n",
        "conf/indent.yaml: line 3: is not YAML: mapping values are not allowed here",
    ),
    Case(
        "twice.yaml",
        lambda: b"a: 1\na: 2\n",
        "conf/twice.yaml: line 2: has 'a' twice",
    ),
    Case("latin.yaml", lambda: "a: ß".encode("latin-1"), "conf/latin.yaml: is not YAML: ..."),
    Case("deep.yaml", lambda: b"a: " + b"[" * 5000, "conf/deep.yaml: is not YAML: ..."),
]

CHECKPOINTS = [
    Case("empty.ckpt", lambda: b"", "is empty; get it again"),
    Case("page.ckpt", lambda: b"<html>", "is a web page, not weights; the download went wrong"),
    Case("text.ckpt", lambda: b"hello", "is damaged or cut off (...); get it again"),
    Case("cut.ckpt", lambda: cut(checkpoint(), 0.5), "is cut off after ... bytes; get it again"),
    Case(
        "harm.ckpt",
        lambda: broken.torch_file({"state_dict": broken.Harm()}),
        "holds Python objects (...print), which could run anything when loaded; save its "
        "state_dict alone",
    ),
    Case(
        "foreign.ckpt",
        lambda: broken.torch_file({"weight": broken.torch.zeros(3)}),
        "is not a checkpoint of aerialseg; weights of other projects can start a run instead: "
        "stage=head model.weights=PATH",
    ),
    Case(
        "newer.ckpt",
        lambda: checkpoint(format=2),
        "has checkpoint format 2, this release reads format 1; use the release of aerialseg that "
        "wrote it",
    ),
    Case("lacks.ckpt", lambda: checkpoint(mean=...), "its description lacks mean"),
    Case(
        "shell.ckpt",
        lambda: checkpoint(network={"_target_": "os.system", "command": "true"}),
        "names the network 'os.system'; only builders of aerialseg.models.networks are accepted",
    ),
    Case(
        "unfit.ckpt",
        lambda: checkpoint(network={"_target_": NETWORK, "num_classes": 2}),
        "does not fit the network it describes: ...",
    ),
]


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
    """What a picture goes through before training: its header and its end."""
    read_size(path)
    check_whole(path)


def painted(path):
    return read_mask(path, colours=COLOURS)


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


IN_THE_PIXELS = {
    "middle.jpg",
    "progressive.jpg",
    "cut.png",
    "rows.png",
    "passes.png",
    "no_rows.png",
}
IN_THE_PIXELS |= {"bit.png", "cut.tif", "cut_lzw.tif", "cut.bmp"}


@pytest.mark.parametrize("case", IMAGES, ids=case_id)
def test_most_broken_pictures_are_found_before_training(tmp_path, case):
    path = tmp_path / case.name
    path.write_bytes(case.make())
    if case.name in IN_THE_PIXELS:
        return
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


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, REPOSITORY / "run.py", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def found(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


PICTURES = {
    "in/a.png": png(50_000, 50_000),
    "in/b.jpg": cut(saved(PICTURE, "JPEG"), 0.6),
    "in/c.png": saved(PICTURE, "GIF"),
    "in/d.png": saved(PICTURE, "PNG"),
}
FOLDERS = {
    "root/classes.yaml": b"ground: [10, 20, 30]\ncar: [200, 0, 0]\n",
    "root/images/a.jpg": saved(PICTURE.convert("CMYK"), "JPEG"),
    "root/masks/a.png": saved(IDS, "PNG"),
    "root/images/b.png": saved(PICTURE, "PNG"),
    "root/masks/b.png": saved(IDS, "JPEG"),
}
PROCESSES = {
    "task=predict checkpoint=x.ckpt input=in trainer=cpu": (
        {**PICTURES, "x.ckpt": checkpoint()},
        [
            f"data error: in/a.png: has 50000x50000 pixels, 2500 million{TILES}",
            f"data error: in/b.jpg: {CUT_SHORT}",
            f"data error: in/c.png: holds GIF{CONVERT}",
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
            "data error: round2.zip: 1 member (../evil) would land outside its folder; do not "
            "trust it"
        ],
    ),
    "task=predict checkpoint=harm.ckpt input=d.png trainer=cpu": (
        {"harm.ckpt": broken.torch_file(broken.Harm()), "d.png": saved(PICTURE, "PNG")},
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
    done = run(folder, *command.split())
    assert done.stderr.splitlines() == lines
    assert done.stdout == ""
    assert done.returncode == 1
    assert found(tmp_path) == before
