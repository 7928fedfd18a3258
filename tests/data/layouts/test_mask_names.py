"""The layout of own images with masks of other names, in other folders or next to the images."""

import pytest

from aerialseg.data.layouts import folders
from aerialseg.errors import ConfigError, DataError
from helpers.tiny_data import mask, random_image, save, text


def write(root, *names):
    """Images, and masks where the name ends in ``.png``."""
    for name in names:
        save(root / name, mask() if name.lower().endswith(".png") else random_image())
    return root


def pairs(root, cache, **arguments):
    """Image and mask of each id, as paths below the root."""
    return {
        sample.id: tuple(
            path and path.relative_to(root).as_posix() for path in (sample.image, sample.mask)
        )
        for sample in folders(root, cache, **arguments).samples
    }


def problems(root, cache, **arguments):
    with pytest.raises((DataError, ConfigError)) as error:
        folders(root, cache, **arguments)
    return list(error.value.problems)


ONE_FOLDER = {"images": ".", "masks": "."}
LAB = {"mask_name": "{stem}_lab.png"}


def test_masks_with_a_suffix_in_a_folder_of_their_own(tmp_path, cache, caplog):
    root = write(tmp_path, "images/1.jpg", "images/n/2.JPG", "masks/1_lab.png", "masks/n/2_lab.PNG")
    wanted = {
        "1": ("images/1.jpg", "masks/1_lab.png"),
        "n/2": ("images/n/2.JPG", "masks/n/2_lab.PNG"),
    }
    assert pairs(root, cache, **LAB) == wanted
    assert pairs(root, cache, mask_name="{stem}_lab") == wanted
    assert caplog.messages == []


def test_masks_in_folders_of_another_depth(tmp_path, cache):
    root = write(tmp_path, "images/n/1.jpg", "images/s/1.jpg", "masks/n/gt/1.png")
    write(root, "masks/s/gt/1.png")
    assert pairs(root, cache, mask_name="{parent}/gt/{stem}.png") == {
        "n/1": ("images/n/1.jpg", "masks/n/gt/1.png"),
        "s/1": ("images/s/1.jpg", "masks/s/gt/1.png"),
    }


def test_images_and_masks_in_one_folder(tmp_path, cache, caplog):
    root = write(tmp_path, "1.jpg", "1_lab.png", "n/2.jpg", "n/2_lab.png")
    text(root / "classes.yaml", "a: [1, 2, 3]")
    assert pairs(root, cache, **ONE_FOLDER, **LAB) == {
        "1": ("1.jpg", "1_lab.png"),
        "n/2": ("n/2.jpg", "n/2_lab.png"),
    }
    assert caplog.messages == []


def test_images_and_masks_in_one_folder_that_differ_in_their_suffix_only(tmp_path, cache):
    root = write(tmp_path, "data/1.jpg", "data/1.png")
    found = pairs(root, cache, images="data", masks="data", mask_name="{stem}.png")
    assert found == {"1": ("data/1.jpg", "data/1.png")}


def test_a_folder_of_masks_inside_that_of_images(tmp_path, cache, caplog):
    root = write(tmp_path, "1.jpg", "labels/1.png", "unseen/9.jpg")
    found = pairs(root, cache, images=".", masks="labels", test_images="unseen")
    assert found == {"1": ("1.jpg", "labels/1.png"), "9": ("unseen/9.jpg", None)}
    assert caplog.messages == []


def test_images_with_a_part_that_their_masks_lack(tmp_path, cache, caplog):
    root = write(tmp_path, "855_sat.jpg", "855_mask.png", "preview.jpg")
    names = {"image_name": "{stem}_sat.jpg", "mask_name": "{stem}_mask.png"}
    assert pairs(root, cache, **ONE_FOLDER, **names) == {"855_sat": ("855_sat.jpg", "855_mask.png")}
    assert caplog.messages == [
        f"{root}: some of it is not used: named as no image and no mask: 1 (preview.jpg)"
    ]


def test_sequences_that_hold_folders_of_images_and_masks(tmp_path, cache):
    root = write(tmp_path, "s1/Images/0.jpg", "s1/Labels/0.png", "s2/Images/0.jpg")
    write(root, "s2/Labels/0.png")
    names = {"image_name": "{parent}/Images/{stem}", "mask_name": "{parent}/Labels/{stem}.png"}
    assert pairs(root, cache, **ONE_FOLDER, **names) == {
        "s1/Images/0": ("s1/Images/0.jpg", "s1/Labels/0.png"),
        "s2/Images/0": ("s2/Images/0.jpg", "s2/Labels/0.png"),
    }


@pytest.mark.parametrize("around", [False, True])
def test_official_splits_keep_test_images_without_masks(tmp_path, cache, around):
    places = ["train/{}", "val/{}", "test/{}"] if around else ["{}/train", "{}/val", "{}/test"]
    for place in places:
        write(tmp_path, f"{place.format('images')}/1.jpg")
    for place in places[:2]:
        write(tmp_path, f"{place.format('masks')}/1_lab.png")
    samples = folders(tmp_path, cache, **LAB).samples
    assert {(s.id, s.split, s.mask is None) for s in samples} == {
        ("train/1", "train", False),
        ("val/1", "val", False),
        ("test/1", "test", True),
    }


def test_an_official_split_of_one_folder(tmp_path, cache):
    write(tmp_path, "train/1.jpg", "train/1_lab.png", "val/2.jpg", "val/2_lab.png", "test/3.jpg")
    samples = folders(tmp_path, cache, **ONE_FOLDER, **LAB).samples
    assert {(s.id, s.split) for s in samples} == {
        ("train/1", "train"),
        ("val/2", "val"),
        ("test/3", "test"),
    }


def test_masks_next_to_test_images_are_no_images(tmp_path, cache, caplog):
    root = write(tmp_path, "d/1.jpg", "d/1_lab.png", "unseen/9.jpg", "unseen/9_lab.png")
    found = pairs(root, cache, images="d", masks="d", test_images="unseen", **LAB)
    assert found["9"] == ("unseen/9.jpg", None)
    assert len(found) == 2
    assert caplog.messages == [
        f"{root / 'unseen'}: some of it is not used: named as a mask: 1 (9_lab.png)"
    ]


def test_missing_masks_and_orphans_are_named_with_the_path_that_was_expected(tmp_path, cache):
    root = write(tmp_path, "images/1.jpg", "images/2.jpg", "masks/1_lab.png", "masks/3_lab.png")
    assert problems(root, cache, **LAB) == [
        f"{root}: 1 image (2) without a mask; wanted masks/2_lab.png; add the mask or take the "
        "image out",
        f"{root}: 1 mask (masks/3_lab.png) without an image; add the image or take it out",
    ]
    write(root, "masks/2_lab.png", "masks/2_lab.tif", "images/3.jpg")
    assert problems(root, cache, mask_name="{stem}_lab") == [
        f"{root / 'masks'}: more than one file for 1 id (2_lab); keep one of each"
    ]


def test_a_mask_that_looks_like_the_id_of_an_image_is_not_taken_for_its_mask(tmp_path, cache):
    root = write(tmp_path, "images/a.jpg", "images/a_lab.jpg", "masks/a_lab.png")
    assert problems(root, cache, **LAB) == [
        f"{root}: 1 image (a_lab) without a mask; wanted masks/a_lab_lab.png; add the mask or "
        "take the image out"
    ]


def test_an_id_of_a_list_without_an_image_is_named_once(tmp_path, cache):
    root = write(tmp_path, "images/1.jpg", "masks/1_lab.png", "masks/2_lab.png")
    text(root / "s.csv", "image,split", "1.jpg,train", "2,val")
    assert problems(root, cache, split="s.csv", **LAB) == [
        f"{root}: 1 id (2) without an image; add it or drop the id"
    ]


def test_files_of_other_names_are_counted(tmp_path, cache, caplog):
    root = write(tmp_path, "images/1.jpg", "masks/1_lab.png", "masks/1_colour.png")
    assert len(pairs(root, cache, **LAB)) == 1
    assert caplog.messages == [
        f"{root / 'masks'}: some of it is not used: not named as data.layout.mask_name says: "
        "1 (1_colour.png)"
    ]


def test_one_mask_for_two_images_is_a_mistake(tmp_path, cache):
    root = write(tmp_path, "images/n/1.jpg", "images/s/1.jpg", "masks/gt/1.png")
    assert problems(root, cache, mask_name="gt/{stem}.png") == [
        "data.layout.mask_name: 'gt/{stem}.png' gives 2 images (n/1, s/1) one mask, "
        "masks/gt/1.png; add {stem}, or {parent} for the folder of the image"
    ]


def test_one_folder_needs_a_template(tmp_path, cache):
    root = write(tmp_path, "d/1.png", "d/2.png")
    (root / "e").symlink_to(root / "d", target_is_directory=True)
    for masks in ("d", "e"):
        assert problems(root, cache, images="d", masks=masks) == [
            f"data.layout.masks: {root / masks} is the folder of the images too; say which of its "
            "files are masks, as in 'data.layout.mask_name={stem}_lab.png'"
        ]


def test_a_folder_in_which_all_are_masks(tmp_path, cache):
    root = write(tmp_path, "1.png", "2.png")
    assert problems(root, cache, **ONE_FOLDER, mask_name="{stem}.png") == [
        f"{root}: 2 masks (1.png, 2.png) without an image; add the image or take it out"
    ]


def test_the_template_is_named_if_nobody_gave_it(tmp_path, cache):
    root = write(tmp_path, "images/1.jpg", "images/2.jpg", "masks/1_lab.png", "masks/2_lab.png")
    assert problems(root, cache) == [
        f"{root}: 2 images (1, 2) without a mask, as masks have other names (masks/1_lab.png, "
        "masks/2_lab.png); say so by 'data.layout.mask_name={stem}_lab'"
    ]
    sat = write(tmp_path / "sat", "1_sat.jpg", "1_mask.png", "2_sat.jpg", "2_mask.png")
    assert problems(sat, cache, **ONE_FOLDER, mask_name="{stem}_mask.png") == [
        f"{sat}: 2 images (1_sat, 2_sat) without a mask, as masks have other names (1_mask.png, "
        "2_mask.png); say so by 'data.layout.image_name={stem}_sat' "
        "'data.layout.mask_name={stem}_mask'"
    ]


def test_a_template_that_is_named_reads_masks_with_the_suffix_of_the_image(tmp_path, cache):
    root = write(tmp_path, "images/1.jpg", "images/2.jpg", "masks/1.jpg.png", "masks/2.jpg.png")
    (line,) = problems(root, cache)
    assert line.endswith("say so by 'data.layout.mask_name={stem}.jpg.png'")
    assert len(folders(root, cache, mask_name="{stem}.jpg.png").samples) == 2


def test_names_that_differ_in_case_are_named(tmp_path, cache):
    root = write(tmp_path, "images/IMG_1.jpg", "masks/img_1.png", "images/2.jpg", "masks/2.png")
    first, second = problems(root, cache)
    assert first == (
        f"{root}: 1 image (IMG_1) without a mask; 'IMG_1' and 'img_1' differ in upper and lower "
        "case; add the mask or take the image out"
    )
    assert second.startswith(f"{root}: 1 mask (img_1) without an image")
