import pytest

from aerialseg.data.layouts import folders
from aerialseg.errors import ConfigError, DataError
from helpers.tiny_data import text, write_folders

TRAIN, VAL, TEST = ["train/a", "train/n/b"], ["val/a"], ["test/t"]


def splits(root, cache, **arguments):
    return {s.id: s.split for s in folders(root, cache, **arguments).samples}


def problem(root, cache, **arguments):
    with pytest.raises((DataError, ConfigError)) as error:
        folders(root, cache, **arguments)
    (line,) = error.value.problems
    return line


def around(root, *, images="images"):
    """The same files with the split around the folders of images and masks."""
    for kind in ("images", "masks"):
        for part in list((root / kind).iterdir()):
            (root / part.name).mkdir(exist_ok=True)
            part.rename(root / part.name / (images if kind == "images" else kind))
        (root / kind).rmdir()
    return root


@pytest.mark.parametrize("arrange", [lambda root: root, around])
@pytest.mark.parametrize("val", ["val", "valid", "validation"])
def test_folders_that_are_all_splits_are_the_split_either_way_round(
    tmp_path, cache, caplog, arrange, val
):
    caplog.set_level("INFO")
    root = arrange(write_folders(tmp_path / "d", [*TRAIN, f"{val}/a", *TEST]))
    assert splits(root, cache) == {
        "train/a": "train",
        "train/n/b": "train",
        f"{val}/a": "val",
        "test/t": "test",
    }
    assert caplog.messages == [
        f"{root}: official split by the folders of the images: "
        + ("test 1, train 2, val 1" if (root / "images").is_dir() else "train 2, val 1, test 1")
    ]
    listing = folders(root, cache)
    assert all(sample.image.is_file() and sample.mask.is_file() for sample in listing.samples)


def test_images_of_another_name_are_found_inside_the_splits(tmp_path, cache):
    root = around(write_folders(tmp_path / "d", [*TRAIN, *VAL]), images="imgs")
    assert set(splits(root, cache, images="imgs")) == {*TRAIN, *VAL}


@pytest.mark.parametrize("ids", [[*TRAIN, "north/c", *VAL], [*TRAIN, *VAL, "c"], TRAIN, VAL])
def test_anything_else_is_no_official_split(tmp_path, cache, ids):
    root = write_folders(tmp_path / "d", ids)
    assert set(splits(root, cache).values()) == {None}
    assert "data.layout.split=official wants" in problem(root, cache, split="official")


def test_the_folders_can_be_ignored_on_demand(tmp_path, cache):
    root = write_folders(tmp_path / "d", [*TRAIN, *VAL])
    assert set(splits(root, cache, split="random").values()) == {None}


def test_test_images_need_no_masks_but_some_of_them_are_a_mistake(tmp_path, cache):
    root = write_folders(tmp_path / "d", [*TRAIN, *VAL, "test/t", "test/u"])
    for name in "tu":
        (root / f"masks/test/{name}.png").unlink()
        if name == "t":
            assert "1 image (test/t) without a mask" in problem(root, cache)
    assert [s.mask for s in folders(root, cache).samples if s.split == "test"] == [None, None]


def test_masks_without_an_image_are_still_named(tmp_path, cache):
    root = write_folders(tmp_path / "d", [*TRAIN, *VAL, "val/c"])
    (root / "images/val/c.jpg").unlink()
    assert "1 mask (val/c) without an image" in problem(root, cache)


def test_lists_of_ids_say_the_split(tmp_path, cache, caplog):
    root = write_folders(tmp_path / "d", ["a", "b", "n/c", "d"])
    text(root / "train.txt", "a", "n/c.jpg")
    text(root / "lists/val.txt", "b")
    lists = {"train": "train.txt", "val": "lists/val.txt"}
    listing = folders(root, cache, split=lists)
    assert [(s.id, s.split, s.origin) for s in listing.samples] == [
        ("a", "train", "train.txt line 1"),
        ("n/c", "train", "train.txt line 2"),
        ("b", "val", "val.txt line 1"),
    ]
    assert caplog.messages == [
        f"{root}: some of it is not used: in no list of the data set: 1 (images/d.jpg)"
    ]


def test_a_table_says_the_split(tmp_path, cache):
    root = write_folders(tmp_path / "d", ["a", "b", "c"])
    text(root / "s.csv", "image,group,split", "a.jpg,x,train", "b,y, valid", "c,y,test")
    assert splits(root, cache, split="s.csv") == {"a": "train", "b": "val", "c": "test"}


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (["image,split", "a,train", "b,dev", "z,x"], "s.csv row 3: there is no split 'dev' (and 1"),
        (["image,side", "a,train"], "s.csv: has no column 'split' (columns: 'image', 'side'); add"),
        (["name,split", "a,train"], "s.csv: has no column 'image'"),
        (["image,split", "a,train", "z,val"], "1 id (z) without an image"),
        (
            ["image,split", "b,val", "a,train", "a.jpg,val"],
            "s.csv row 4: image 'a.jpg' is in s.csv",
        ),
    ],
)
def test_mistakes_in_a_table_are_named(tmp_path, cache, rows, line):
    root = write_folders(tmp_path / "d", ["a", "b"])
    text(root / "s.csv", *rows)
    assert line in problem(root, cache, split="s.csv")


@pytest.mark.parametrize("said", ["b", "b.png", "masks/b.png", "./masks/b.tif", "masks\\b.png"])
def test_a_table_that_names_the_masks_must_name_those_that_are_found(tmp_path, cache, said):
    root = write_folders(tmp_path / "d", ["a", "b", "c"])
    own = said.replace("b", "a")
    text(root / "s.csv", "image,mask,split", f"a,{own},train", "b.jpg,,train", f"c,{said},val")
    assert problem(root, cache, split="s.csv").startswith(
        f"{root / 's.csv'}: s.csv row 4: says that the mask of 'c' is "
    )
    text(root / "s.csv", "image,mask,split", f"a,{own},train", f"b,{said},train", "c,c,val")
    assert splits(root, cache, split="s.csv") == {"a": "train", "b": "train", "c": "val"}


def test_a_group_on_both_sides_of_a_table_is_named(tmp_path, cache, caplog):
    root = write_folders(tmp_path / "d", ["a", "b", "c"])
    text(root / "s.csv", "image,group,split", "a,x,train", "b,x,val", "c,y,val")
    splits(root, cache, split="s.csv")
    assert caplog.messages == [
        f"{root / 's.csv'}: 1 group (x) with images to train on and to validate on, so scores may "
        "be too good"
    ]


def test_images_beside_the_folders_of_a_split_are_named(tmp_path, cache, caplog):
    root = write_folders(tmp_path / "d", [*TRAIN, *VAL, "extra/c"])
    assert set(splits(root, cache).values()) == {None}
    (line,) = caplog.messages
    assert "has folders of an official split, but images elsewhere too: extra; so all" in line
    caplog.clear()
    assert set(splits(root, cache, split="random").values()) == {None}
    assert not caplog.messages


def test_an_id_that_ends_like_a_file_is_found_by_its_whole_name(tmp_path, cache):
    root = write_folders(tmp_path / "d", ["1.png", "2.png", "2"])
    text(root / "s.csv", "image,split", "1.png,train", "2.png,val", "2.jpg,train")
    expected = {"1.png": "train", "2.png": "val", "2": "train"}
    assert splits(root, cache, split="s.csv") == expected
    text(root / "train.txt", "1.png", "2")
    text(root / "val.txt", "2.png")
    assert splits(root, cache, split={"train": "train.txt", "val": "val.txt"}) == expected


def test_an_id_in_two_lists_is_refused(tmp_path, cache):
    root = write_folders(tmp_path / "d", ["a", "b"])
    text(root / "train.txt", "a", "b")
    text(root / "val.txt", "b.jpg")
    lists = {"train": "train.txt", "val": "val.txt"}
    assert "val.txt: 1 id (b) also in train.txt line 2" in problem(root, cache, split=lists)


@pytest.mark.parametrize(
    ("split", "line"),
    [
        ("offical", "'offical' is no CSV file and none of auto, official, random; did you mean"),
        ({"trian": "a.txt"}, "there is no split 'trian'; did you mean 'train'?"),
        ({"train": "a.txt"}, "a.txt: no such file"),
    ],
)
def test_slips_are_found(tmp_path, cache, split, line):
    assert line in problem(write_folders(tmp_path / "d", ["a"]), cache, split=split)
