"""File names with accents: macOS may store é as e and an accent, other systems as one character."""

import unicodedata
from functools import partial

import pytest

from aerialseg.data.layouts import aeroscapes, folders, kaggle
from aerialseg.errors import DataError
from helpers.tiny_data import mask, random_image, save, text, write_aeroscapes, write_kaggle

COMPOSED = ("été_1", "Süd/Å_2")
DECOMPOSED = tuple(unicodedata.normalize("NFD", name) for name in COMPOSED)
FORMS = [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), (DECOMPOSED, DECOMPOSED)]


def write(root, images, masks, image_name="{}.png", mask_name="{}.png"):
    for number, (image, of_image) in enumerate(zip(images, masks, strict=True)):
        save(root / "images" / image_name.format(image), random_image(seed=number))
        save(root / "masks" / mask_name.format(of_image), mask(seed=number))
    return root


def paired(layout, root):
    """The name of each sample's mask by the sample's id, both composed; ids as they are."""
    listing = layout(root, root / "cache")
    return {sample.id: unicodedata.normalize("NFC", sample.mask.stem) for sample in listing.samples}


@pytest.mark.parametrize(("images", "masks"), FORMS)
def test_images_and_masks_are_paired_in_either_form(tmp_path, images, masks):
    root = write(tmp_path / "d", images, masks)

    assert paired(folders, root) == {"Süd/Å_2": "Å_2", "été_1": "été_1"}


@pytest.mark.parametrize(("images", "masks"), FORMS)
def test_templates_fit_names_in_either_form(tmp_path, images, masks):
    suffix = unicodedata.normalize("NFD", "_é.png")
    root = write(tmp_path / "d", images, masks, mask_name=f"{{}}{suffix}")

    assert paired(partial(folders, mask_name="{stem}_é.png"), root) == {
        "Süd/Å_2": "Å_2_é",
        "été_1": "été_1_é",
    }


@pytest.mark.parametrize(("files", "listed"), FORMS)
def test_lists_find_images_in_either_form(tmp_path, files, listed):
    root = write(tmp_path / "d", files, files)
    text(root / "train.txt", listed[0])
    text(root / "val.txt", f"{listed[1]}.png")
    layout = partial(folders, split={"train": "train.txt", "val": "val.txt"})

    assert {s.id: s.split for s in layout(root, root).samples} == {
        "été_1": "train",
        "Süd/Å_2": "val",
    }


@pytest.mark.parametrize(("files", "listed"), FORMS)
def test_ids_of_lists_stay_as_they_are_written(tmp_path, files, listed):
    """Submissions must have them as the competition writes them."""
    of_kaggle = write_kaggle(tmp_path / "k", [name.replace("/", "_") for name in files])
    text(of_kaggle / "train.csv", "ImageID", *(name.replace("/", "_") for name in listed))
    of_aeroscapes = write_aeroscapes(tmp_path / "a", [files[0]], [files[1]])
    text(of_aeroscapes / "ImageSets/trn.txt", listed[0])
    text(of_aeroscapes / "ImageSets/val.txt", listed[1])

    assert set(paired(kaggle, of_kaggle)) == {name.replace("/", "_") for name in listed}
    assert set(paired(aeroscapes, of_aeroscapes)) == set(listed)


def test_two_files_of_one_name_in_both_forms_are_refused(tmp_path):
    root = write(tmp_path / "d", COMPOSED, COMPOSED)
    save(root / "images" / f"{DECOMPOSED[0]}.png", random_image())
    if len(list((root / "images").glob("*.png"))) < 2:
        pytest.skip("this file system takes both for one name")
    with pytest.raises(DataError) as error:
        folders(root, root)

    assert "images: more than one file for 1 id (été_1); keep one of each" in str(error.value)
