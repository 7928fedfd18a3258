"""Several data sets as one: classes, ids, splits, counts and masks, each worked out by hand."""

import logging

import pytest

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import folders
from aerialseg.errors import ConfigError, DataError
from helpers.joint_sets import (
    LAND,
    MAPPED,
    ROADS,
    SHARED,
    TRAINED,
    make_parts,
    together,
)
from helpers.rasters import write_band_folders


@pytest.fixture
def parts(tmp_path):
    return make_parts(tmp_path)


def test_ids_begin_with_the_set_and_each_set_keeps_its_own_split(parts):
    data, alone = together(parts()), parts()

    for split in ("train", "val"):
        assert [sample.id for sample in data.samples(split)] == [
            f"{name}/{sample.id}" for name in alone for sample in alone[name].samples(split)
        ]
    assert [sample.data_set for sample in data.contents.samples] == ["north"] * 4 + ["south"] * 2
    # Flights stay together: a or b validates; the south has an official split.
    assert {sample.id[:7] for sample in data.samples("val")} in (
        {"north/a", "south/v"},
        {"north/b", "south/v"},
    )


def test_masks_of_both_formats_get_the_ids_of_the_one_table(parts):
    data = together(parts())
    masks = {data.dataset("val")[i]["id"][:5]: data.dataset("val")[i]["mask"] for i in (0, 2)}

    assert data.classes.to_mapping() == TRAINED
    assert masks["north"].tolist() == [[1, 1, 1, 2], [2, 2, 255, 1]]
    assert masks["south"].tolist() == [[0, 0, 1], [1, 255, 255]]
    # Ground, road, vehicle: of two images in the north, then of one in the south.
    assert data.counts_of("val").tolist() == [[0, 4, 3], [0, 4, 3], [2, 2, 0]]
    assert data.contents.labels.ignored.tolist() == [1] * 4 + [2] * 2


def test_batches_mix_the_sets_padded_and_from_the_memory_of_masks(parts):
    data = together(parts())
    (batch,) = data.train_dataloader()
    by_id = dict(zip(batch["id"], batch["mask"].tolist(), strict=True))

    assert len(by_id) == 3
    assert by_id["south/train/a_1"] == [[0, 0, 1, 255], [1, 255, 255, 255]]
    assert [batch["image"].shape, data.training_size] == [(3, 3, 2, 4), (2, 4)]
    served = data.dataset("train", is_loaded=True)
    assert served.mask_memory is not None
    assert served.mask_memory.held.all()
    few = data.reduced(1)
    assert [sample.data_set for sample in few.samples("train")] == ["north", "south"]
    assert few.dataset("train")[1]["mask"].tolist() == [[0, 0, 1], [1, 255, 255]]


def test_pixels_of_sets_of_other_sizes_count_as_they_are_served(parts):
    data = together(parts(), image_min_size=4)  # twice as high and wide as stored

    assert data.counts_of("val").tolist() == [[0, 16, 12], [0, 16, 12], [8, 8, 0]]


def test_without_a_table_the_classes_must_be_the_same(parts):
    with pytest.raises(ConfigError) as error:
        _ = together(parts(), classes=None).classes
    assert str(error.value).startswith(
        "data.classes: the data sets differ in their classes: north has no ground; south has no "
        "vehicle; say what they become with data.parts.NAME.map_classes, or train all of them "
        "with data.classes=union"
    )
    # The same names in another order: those of the first set, with its colours.
    south = {"field": "truck", "street": "car", "clutter": "road"}
    data = together(parts(north={"map_classes": None}, south={"map_classes": south}), None)
    assert data.classes.to_mapping() == ROADS
    assert data.dataset("val")[2]["mask"].tolist() == [[2, 2, 1], [1, 0, 0]]


def test_the_union_begins_with_the_classes_of_the_first_set(parts):
    south = {"map_classes": {"street": "road"}}
    data = together(parts(south=south), "union")

    assert data.classes.names == ("road", "vehicle", "field", "clutter")
    assert data.classes.colours == ((9, 9, 9), (200, 0, 0), (1, 1, 1), (3, 3, 3))


def test_a_colour_that_is_taken_is_replaced_in_the_union(parts):
    red = {"classes": LAND | {"field": [200, 0, 0]}, "map_classes": None}
    data = together(parts(south=red), "union")

    assert data.classes.names == ("road", "vehicle", "field", "street", "clutter")
    assert len(set(data.classes.colours)) == 5
    assert data.classes.colours[1] == (200, 0, 0)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"south": {"map_classes": {"street": "rode"}}},
            "data.classes: has no class 'field', which south has; say what it becomes, as in "
            "'data.parts.south.map_classes={field: null}'",
        ),
        (
            {"north": {"map_classes": {"cart": "vehicle"}}},
            "north: data.parts.north.map_classes: the class table has no class 'cart'; did you "
            "mean 'car'?",
        ),
        (
            {"south": {"mask_format": "index"}},
            "south: masks: hold the values 1, 2 and 3, while the class table has 3 classes (ids 0 "
            "to 2); if they stand for its classes in this order, set "
            "'data.parts.south.mask_values={1: field, 2: street",
        ),
        (
            {"north": {"group_pattern": "^x(.)"}},
            "north: data.parts.north.group_pattern: '^x(.)' matches none of 4 ids",
        ),
    ],
)
def test_what_is_wrong_with_a_set_names_it_and_its_keys(parts, changes, line):
    with pytest.raises((ConfigError, DataError)) as error:
        _ = together(parts(**changes)).contents

    assert error.value.problems[0].startswith(line)


def test_the_problems_of_all_sets_are_raised_at_once(parts):
    both = {name: {"group_pattern": "^x(.)"} for name in ("north", "south")}
    made = parts(**both)
    for name in both:
        (made[name].root / "masks").rename(made[name].root / "labels")
    with pytest.raises(DataError) as error:
        _ = together(made).contents

    assert [line[:5] for line in error.value.problems] == ["north", "south"]
    assert "data.parts.north.layout.masks=FOLDER" in error.value.problems[0]


def test_the_fingerprint_follows_each_set_and_the_table(parts):
    other = {"south": {"map_classes": {**MAPPED["south"], "clutter": "ground"}}}
    wider = {**TRAINED, "water": [0, 0, 1]}
    prints = {
        together(data, classes).fingerprint
        for data, classes in ((parts(), TRAINED), (parts(**other), TRAINED), (parts(), wider))
    }

    assert len(prints) == 3
    assert together(parts()).fingerprint in prints
    assert together(dict(reversed(parts().items()))).fingerprint not in prints


def test_warnings_name_the_set(parts, caplog):
    caplog.set_level(logging.WARNING)
    made = parts(north={"group_pattern": "^(a)_"})
    _ = together(made).contents

    assert next(line for line in caplog.messages if "group_pattern" in line).startswith(
        "north: data.parts.north.group_pattern: '^(a)_' does not match 2 ids (b_1, b_2) of 4"
    )


@pytest.mark.parametrize(
    ("sets", "line"),
    [
        (["nort"], "data.sets: there is no data.parts.nort; did you mean 'north'?"),
        ([], "data.sets: names no data set"),
    ],
)
def test_sets_are_parts(parts, sets, line):
    with pytest.raises(ConfigError) as error:
        together(parts(), sets=sets)
    assert error.value.problems == (line,)


def test_sets_choose_parts_in_their_order(parts):
    data = together(parts(), sets={"south": "folders"})

    assert {sample.data_set for sample in data.contents.samples} == {"south"}


def test_what_predictions_are_made_with_is_the_same_in_all_sets(parts):
    with pytest.raises(ConfigError) as error:
        _ = together(parts(south={"nodata": 0})).checked

    assert error.value.problems == (
        "data.parts.south.nodata: is 0, but data.parts.north.nodata is null; data sets that are "
        "trained on together need the same",
    )


def test_files_of_other_kinds_are_refused_wherever_they_are_asked_for(tmp_path):
    settings = {"bands": [1, 2], "value_range": [0, 10_000]}
    for name, kind in (("north", {"bands": 4}), ("south", {"bands": 3})):
        write_band_folders(tmp_path / name, ["a", "b", "c"], **kind)
    for ask in ("contents", "checked"):
        parts = {
            name: AerialSegDataModule(
                tmp_path / name,
                folders,
                classes=str(tmp_path / name / "classes.yaml"),
                cache_dir=tmp_path / "cache",
                **{**SHARED, **settings},
            )
            for name in ("north", "south")
        }
        with pytest.raises(DataError, match="south: its files have 3 bands of uint16, those of no"):
            getattr(together(parts, classes=None), ask)
