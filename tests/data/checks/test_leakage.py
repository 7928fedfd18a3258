"""Images of one place on both sides of a split, and what is offered against it."""

import numpy as np

from helpers.inspections import codes, inspect, the
from helpers.surveys import window
from helpers.tiny_data import mask, save, text


def _survey(root, names, step=80):
    """Two places, each in a row of windows that overlap by three quarters."""
    for number, name in enumerate(names):
        strip, frame = divmod(number, len(names) // 2)
        image = window(strip, left=20 + step * frame)
        save(root / f"images/{name}.png", image)
        ids = np.random.default_rng(number).integers(0, 3, image.shape[:2], dtype=np.uint8)
        save(root / f"masks/{name}.png", ids)
    return root


def test_leakage_names_the_pattern_that_prevents_it(tmp_path):
    names = [f"{flight}_{number}" for flight in ("north", "south") for number in range(5)]
    root = _survey(tmp_path / "d", names)
    inspection = inspect(root, group_pattern=None, val_fraction=0.4)
    finding = the(inspection, "leakage")
    val = {i.sample.id for i in inspection.images if i.sample.split == "val"}
    assert finding.severity == "error"
    assert set(finding.files) <= val
    assert r"""'data.group_pattern="^(.+)_\d+$"'""" in finding.next_step
    assert inspection.tables == {}
    mended = inspect(root, group_pattern=r"^(.+)_\d+$", val_fraction=0.4)
    assert "leakage" not in [code for _, code in codes(mended)]


def test_leakage_writes_a_table_where_no_pattern_fits(tmp_path):
    names = ["k", "p", "x", "c", "t", "b", "z", "m", "d", "f"]
    root = _survey(tmp_path / "d", names)
    inspection = inspect(root, group_pattern=None, val_fraction=0.4)
    ((path, groups),) = inspection.tables.items()
    assert f"data.groups={path}" in the(inspection, "leakage").next_step
    assert {groups[name] for name in names[:5]} == {groups["k"]}
    assert {groups[name] for name in names[5:]} == {groups["b"]}
    assert groups["k"] != groups["b"]
    table = text(path, "image,group", *(f"{key},{group}" for key, group in groups.items()))
    mended = inspect(root, group_pattern=None, groups=table, val_fraction=0.4)
    assert "leakage" not in [code for _, code in codes(mended)]


def test_one_place_cannot_be_split_fairly(tmp_path):
    root = tmp_path / "d"
    for number, name in enumerate("kpxctb"):
        save(root / f"images/{name}.png", window(1, left=20 + 80 * number))
        save(root / f"masks/{name}.png", mask((240, 320), number))
    inspection = inspect(root, group_pattern=None)
    step = the(inspection, "leakage").next_step
    assert "6 of 6 images hang together by what they show" in step
    assert inspection.tables == {}


def test_an_official_split_leaks_all_the_same(tmp_path):
    root = tmp_path / "d"
    for number, name in enumerate(("train/a", "train/b", "val/c", "val/d")):
        place, frame = divmod(number, 3)
        save(root / f"images/{name}.png", window(place, left=20 + 90 * frame))
        save(root / f"masks/{name}.png", mask((240, 320), number))
    finding = the(inspect(root, group_pattern=None), "leakage")
    assert finding.files == ("val/c",)
    assert "the split is the data set's own" in finding.next_step
