"""Masks of one's own, typed as the lines advise."""

import re
import shlex

import numpy as np
import pytest
from PIL import Image

from helpers.commands import run_command
from helpers.tiny_data import random_image, save, text

COLOURS = np.array([[120, 100, 80], [200, 60, 40]], np.uint8)
CHECK = ("task=check", "data=folders", "data.root=d", "data.num_workers=0", "model.weights=none")


def _write(root, save_mask, **options):
    """Eight images with masks of a roof on the ground, and their class table."""
    for index in range(8):
        ids = np.zeros((64, 96), np.uint8)
        ids[10 : 20 + index, 5:40] = 1
        save(root / f"images/f_{index}.jpg", random_image((64, 96), index), **options)
        path = root / f"masks/f_{index}.png"
        path.parent.mkdir(exist_ok=True)
        save_mask(path, ids)
    text(
        root / "classes.yaml",
        *(f"{n}: {c.tolist()}" for n, c in zip(("ground", "roof"), COLOURS, strict=True)),
    )


def _turned():
    exif = Image.Exif()
    exif[274] = 3
    return {"exif": exif}


def _as_palette(path, ids):
    image = Image.fromarray(1 - ids)
    image.putpalette(COLOURS[::-1].tobytes())
    image.save(path)


CASES = {
    "0 and 255": (lambda path, ids: save(path, ids * 255), {}, ["data.mask_values"]),
    "1 and 2": (lambda path, ids: save(path, ids + 1), {}, ["data.mask_values"]),
    "palette": (_as_palette, {}, ["data.mask_format"]),
    "upside down": (save, _turned(), ["data.exif_orientation"]),
}


@pytest.mark.parametrize(
    "case",
    [case if case == "0 and 255" else pytest.param(case, marks=pytest.mark.slow) for case in CASES],
)
def test_the_advice_of_the_line_is_what_to_type(tmp_path, case):
    save_mask, options, keys = CASES[case]
    _write(tmp_path / "d", save_mask, **options)
    refused = run_command(*CHECK, folder=tmp_path)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert all(line.startswith("data error: ") for line in refused.stderr.splitlines())
    line = refused.stderr.splitlines()[0]
    advice = [
        shlex.split(match)[0].rstrip(";,")
        for key in keys
        for match in re.findall(rf"'{key}=[^']*'|{key}=\S+", line)[:1]
    ]
    assert len(advice) == len(keys), line
    accepted = run_command(*CHECK, *advice, folder=tmp_path)
    assert accepted.returncode == 0, accepted.stderr
    assert "stage head: valid; " in accepted.stdout
    assert "masks: " not in accepted.stdout


def test_check_shows_the_data_even_if_the_weights_cannot_be_read(tmp_path):
    _write(tmp_path / "d", save)
    (tmp_path / "broken.pth").write_bytes(b"no weights")
    run = run_command(*CHECK[:-1], "model.weights=broken.pth", folder=tmp_path)
    assert run.returncode == 1
    shown = run.stdout + run.stderr
    assert shown.index("d: 6 images to train, 2 images to validate") < shown.index(
        "checkpoint error: broken.pth"
    )
