"""Every public data set is listed and read as its archive unpacks, with classes found elsewhere."""

from functools import partial

import numpy as np
import pytest
import yaml

from aerialseg.data.datamodule import AerialSegDataModule
from aerialseg.data.layouts import pairs
from aerialseg.data.layouts.published_splits import published_split
from aerialseg.errors import DataError
from helpers.composing import CONF
from helpers.public_sets import COPIES, PAINTED, stripes, write_copy
from helpers.tiny_data import save

# Other copies of tables, to compare colours that only paint predictions, and the order of ids.
COLOURS = {
    # StuLiu/SOSNet, semseg/datasets/udd6.py: PALETTE
    "udd6": [[0, 0, 0], [102, 102, 156], [128, 64, 128], [107, 142, 35], [0, 0, 142], [70, 70, 70]],
    # open-mmlab/mmsegmentation, mmseg/datasets/loveda.py: PALETTE
    "loveda": [
        *([255, 255, 255], [255, 0, 0], [255, 255, 0], [0, 0, 255], [159, 129, 183]),
        *([0, 255, 0], [255, 195, 128]),
    ],
    # likyoo/SegEarth-OV, tools/dataset_converters/uavid.py: UAVid_palette, by id
    "uavid": [
        *([0, 0, 0], [128, 0, 0], [128, 64, 128], [192, 0, 192], [0, 128, 0], [128, 128, 0]),
        *([64, 64, 0], [64, 0, 128]),
    ],
    # open-mmlab/mmsegmentation, tools/dataset_converters/isaid.py: iSAID_palette, by id
    "isaid": [
        *([0, 0, 0], [0, 0, 63], [0, 63, 63], [0, 63, 0], [0, 63, 127], [0, 63, 191]),
        *([0, 63, 255], [0, 127, 63], [0, 127, 127], [0, 0, 127], [0, 0, 191], [0, 0, 255]),
        *([0, 191, 127], [0, 127, 191], [0, 127, 255], [0, 100, 155]),
    ],
    # A preprocessing script for ColorMasks-FloodNetv1.0, its blue, green, red turned round.
    "floodnet": [
        colour[::-1]
        for colour in (
            *([0, 0, 0], [0, 0, 255], [120, 120, 180], [20, 150, 160], [140, 140, 140]),
            *([250, 230, 61], [255, 82, 0], [245, 0, 255], [0, 235, 255], [7, 250, 4]),
        )
    ],
}

# microsoft/torchgeo, torchgeo/datasets/potsdam.py, commit 0798ea8b, and vaihingen.py, commit
# 15abaa0a: splits["train"] and splits["test"].
POTSDAM = (
    "2_10 2_11 2_12 3_10 3_11 3_12 4_10 4_11 4_12 5_10 5_11 5_12 6_10 6_11 6_12 6_7 6_8 6_9 "
    "7_10 7_11 7_12 7_7 7_8 7_9",
    "5_15 6_15 6_13 3_13 4_14 6_14 5_14 2_13 4_15 2_14 5_13 4_13 3_14 7_13",
)
VAIHINGEN = (
    "1 11 13 15 17 21 23 26 28 3 30 32 34 37 5 7",
    "6 24 35 16 14 22 10 4 2 20 8 31 33 27 38 12 29",
)

# bowenroom/mmsegmentation, tools/convert_datasets/ddsb.py, commit 81216cf4: splits, by the
# first part of each name.
DRONEDEPLOY = {
    "train": """
1d4fbe33f3 1df70e7340 274518390f 32760710b0 7008b80b00 e2e401ba8b c644f91210 edc59d4824 b705d0cc9c
ade6e4b261 3bdbe137a1 84830cff24 564d5fd4ea a1af86939f 571ed24019 a0cee5daca 520947aa07 2ef883f08d
f971256246 2ef3a4994a 56e9e81013 888432f840 63430fa268 130a76ebe1 d02ce7cb10 91ad290806 11cdce7802
6500c05298 803cd2c508 d5107a09cf 3502e187b2 3452561694 f9f43e5144 2c36a93b10 53471726bc afb793674b
807c0c243b 385393ca4b 6664b45691 236da542ee 7197260eb8 7ed68b136e 1553627230 ebffe540d0 a4580732ce
c167ca6cb2 e848b35eff d9161f7e18 d45d74e584 34fbf7c2bd 15efe45820 2552eb56dd 628be3d244 1553642501
364d26fd40 1553541487 ab4a9b813f 748d0acb6d 686c48a300 5a5e4e491b a8789b3c97 84410645db 7c53bbf0da
9e7f0310a0 b970fca868 d8786926c5 d0dc53f9c7 2a8617d7d4 f0747ed88d c6d131e346 b61673f780 277f16713e
7c59b1a217 74a2f5aaa9 1666d0369f 7c719dfcc0 f56b6b2232 c37dbfae2f c6890f580c 399c1c010d 87eeb1b9cc
7a14002b7b 5fa39d6378 f4dd768188 b771104de5 981755057f 6958d7a8d5 83d72f744d 664e38b92b 1553541585
c8eb574986 1d056881e8 fc5837dcf8 3a2200b6c0
""",
    "val": """
ec09336a6f 679850f980 c8a7031e5f 6b82bcd67b cc4b443c7d 12c3372a95 941cb687d3 42ab9f9e27 264c36d368
954a8c814c ea607f191d 600023a2df 57426ebe1e cd5a0d3ce4 3731e901b0 f0c32df5a8 1476907971 97c4dd388d
f78c4e5748 a11d963a7d aef48b9aca 9170479165 3bb457cde8 a1199a489f 137f4dfb89 551063e3c5 37cf2e5706
74d7796531 46b27f92c2 32052d9b97
""",
    "test": """
12fa5e614f feb7a50f10 c2e8370ca3 55ca10d9f1 5ab849ec40 9254c82db0 168ac179d9 6f93b9026b 8b0ac1fc28
1553539551 7310356a1b 632de91030 2f7aabb6e5 18072ccb69 8710b98ea0 fb74c54103 25f1c24f30 39e77bedd0
e87da4ebdb 546f85625a e1d3e6f6ba eee7d707d4 3ff76e84d5 a0a6f46099 420d6b69b8 d06b2c67d2 107f24d6e9
36d5956a21 1726eb08ef dabec5e872
""",
}


def settings(name):
    """What conf/data/NAME.yaml says."""
    own = yaml.safe_load((CONF / f"data/{name}.yaml").read_text())
    table = own.pop("defaults")[1]["classes"]
    return {**own, "classes": str(CONF / f"data/classes/{table}.yaml")}


def built(name, root, cache):
    """The data module that `data=NAME data.root=ROOT` builds."""
    arguments = settings(name)
    layout = dict(arguments.pop("layout"))
    assert layout.pop("_target_") == "aerialseg.data.layouts.pairs"
    assert layout.pop("_partial_") is True
    arguments |= {"root": root, "layout": partial(pairs, **layout)}
    return AerialSegDataModule(**arguments, cache_dir=cache, batch_size=2, num_workers=0)


def test_every_public_set_of_conf_has_a_copy_here():
    layouts = {path.stem: path.read_text() for path in (CONF / "data").glob("*.yaml")}
    public = {name for name, text in layouts.items() if "aerialseg.data.layouts.pairs" in text}
    assert public == set(COPIES) == set(PAINTED)


@pytest.mark.parametrize("name", COPIES)
def test_the_files_of_the_archive_are_listed_with_the_official_split(name, tmp_path, cache):
    root = write_copy(tmp_path / "set", name)
    module = built(name, root, cache)
    found = {sample.id: sample for sample in module.checked.samples}
    assert {key: sample.split for key, sample in found.items()} == COPIES[name].splits
    files = {
        sample.image.relative_to(root).as_posix(): sample.mask
        and sample.mask.relative_to(root).as_posix()
        for sample in found.values()
    }
    assert files == {k: v for k, v in COPIES[name].pairs.items() if "4_12" not in k}


@pytest.mark.parametrize("name", COPIES)
def test_masks_painted_by_another_copy_of_the_table_mean_its_classes(name, tmp_path, cache):
    module = built(name, write_copy(tmp_path / "set", name), cache)
    _, columns = stripes(name)
    names = module.classes.names
    assert set(names) == set(columns) - {None}
    wanted = [255 if column is None else names.index(column) for column in columns]
    sample = module.samples("train")[0]
    read = module.dataset([sample], original_size=True)[0]["mask"]
    assert np.array_equal(np.asarray(read), np.repeat([wanted], 4, axis=0))


@pytest.mark.parametrize("name", COLOURS)
def test_colours_in_the_order_of_ids_are_those_of_another_copy(name, tmp_path, cache):
    classes = built(name, tmp_path, cache).classes
    assert [list(colour) for colour in classes.colours] == COLOURS[name]


def test_the_published_split_of_potsdam_and_vaihingen():
    for name, (train, test), start in (
        ("potsdam", POTSDAM, ""),
        ("vaihingen", VAIHINGEN, "area"),
    ):
        wanted = {start + key: None for key in train.split()}
        wanted |= {start + key: "test" for key in test.split()}
        assert dict(published_split(name)) == wanted


def test_training_tiles_of_the_contest_are_divided_and_a_damaged_one_is_left_out(
    tmp_path, cache, caplog
):
    caplog.set_level("INFO")
    root = write_copy(tmp_path / "set", "potsdam")
    module = built("potsdam", root, cache)
    assert sorted(str(sample.split) for sample in module.contents.samples) == [
        "test",
        "train",
        "val",
    ]
    assert {line for line in caplog.messages if "val_fraction" in line or "left out" in line} == {
        f"{root}: 1 image (4_12) left out by data.layout.leave_out",
        f"{root}: official split by published lists: test 1; 2 are divided by data.val_fraction",
    }


def test_the_published_split_of_dronedeploy():
    table = published_split("dronedeploy")
    for split, scenes in DRONEDEPLOY.items():
        starts = {key.partition("_")[0] for key, part in table.items() if part == split}
        assert starts == set(scenes.split())
    assert len(table) == sum(len(scenes.split()) for scenes in DRONEDEPLOY.values()) == 154


def test_tiles_of_dubai_stay_on_one_side(tmp_path, cache):
    module = built("dubai", write_copy(tmp_path / "set", "dubai"), cache)
    sides = [{sample.id[:6] for sample in module.samples(split)} for split in ("train", "val")]
    assert sorted(map(len, sides)) == [1, 1]
    assert sides[0].isdisjoint(sides[1])


def test_cars_of_a_misprinted_potsdam_tile_are_ignored(tmp_path, cache):
    root = write_copy(tmp_path / "set", "potsdam")
    module = built("potsdam", root, cache)
    path = root / "5_Labels_all/top_potsdam_2_10_label.tif"
    mask, columns = stripes("potsdam")
    mask[0, columns.index("car")] = (252, 255, 0)
    save(path, mask)
    (sample,) = (s for s in module.checked.samples if s.id == "2_10")
    read = np.asarray(module.dataset([sample], original_size=True)[0]["mask"])
    assert read[0, columns.index("car")] == 255
    assert read[1, columns.index("car")] == module.classes.names.index("car")


@pytest.mark.parametrize("name", ["potsdam", "vaihingen"])
def test_labels_of_isprs_may_lie_beside_the_folder_of_images(name, tmp_path, cache):
    root = write_copy(tmp_path / "set", name)
    for path in list(root.glob("*/top_*label.tif")) + list(root.glob("ISPRS*/*.tif")):
        path.rename(root / path.name)
    samples = built(name, root, cache).checked.samples
    assert [sample.mask.parent for sample in samples] == [root] * 3


def test_images_of_the_contest_may_lack_labels(tmp_path, cache):
    root = write_copy(tmp_path / "set", "vaihingen")
    next(root.glob("ISPRS*/*area38.tif")).unlink()
    samples = built("vaihingen", root, cache).checked.samples
    assert {s.id: s.mask is None for s in samples} == {
        "area1": False,
        "area37": False,
        "area38": True,
    }


def test_the_semantic_drone_data_set_of_kaggle(tmp_path, cache):
    root = write_copy(tmp_path / "set", "semantic_drone")
    inner = root / "dataset/semantic_drone_dataset"
    inner.mkdir(parents=True)
    (root / "RGB_color_image_masks").mkdir()
    (root / "training_set/images").rename(inner / "original_images")
    masks = root / "RGB_color_image_masks/RGB_color_image_masks"
    (root / "training_set/gt/semantic/label_images").rename(masks)
    samples = built("semantic_drone", root, cache).checked.samples
    assert [sample.id for sample in samples] == ["000", "001", "015"]
    assert {sample.mask.parent for sample in samples} == {masks}


@pytest.mark.parametrize("name", COPIES)
def test_where_to_get_it_is_said(name, tmp_path, cache):
    with pytest.raises(DataError) as error:
        built(name, tmp_path / "absent", cache).prepare()
    (line,) = error.value.problems
    source = settings(name)["layout"]["source"]
    assert line.startswith(f"{tmp_path / 'absent'}: no such folder; get the data set from {source}")
