"""Templates of names: which mask an image has, and what is wrong with a template."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerialseg.data.layouts.naming import Naming
from aerialseg.data.layouts.naming_guess import guess_names
from aerialseg.errors import ConfigError


@pytest.mark.parametrize(
    ("image_name", "mask_name", "image", "mask"),
    [
        (None, None, "a.jpg", "a.png"),
        (None, None, "north/a.JPG", "north/a.png"),
        (None, "{stem}_lab.png", "north/10.5.jpg", "north/10.5_lab.png"),
        (None, "{stem}_mask", "a.jpg", "a_mask.png"),
        (None, "gt_{stem}.tif", "a.jpg", "gt_a.tif"),
        (None, "{parent}/gt/{stem}.png", "north/1.jpg", "north/gt/1.png"),
        (None, "{parent}/gt/{stem}.png", "a/b/1.jpg", "a/b/gt/1.png"),
        (None, "{parent}/gt/{stem}.png", "1.jpg", "gt/1.png"),
        (None, "gt/{parent}_{stem}.png", "north/1.jpg", "gt/north_1.png"),
        (None, "{stem}/label.png", "1.jpg", "1/label.png"),
        (None, "{stem}/{stem}_l.png", "1.jpg", "1/1_l.png"),
        (None, "{parent}\\gt\\{stem}.png", "north/1.jpg", "north/gt/1.png"),
        (None, "{name}.png", "north/1.JPG", "north/1.JPG.png"),
        (None, "mask_{name}", "1.jpg", "mask_1.png"),
        ("{stem}_sat.jpg", "{stem}_mask.png", "t/855_sat.JPG", "t/855_mask.png"),
        ("{stem}_RGB", None, "top_2_10_RGB.tif", "top_2_10.png"),
        ("{parent}/Images/{stem}.png", "{parent}/Labels/{stem}.png", "s/Images/0.png", None),
        ("{parent}/Images/{stem}.png", "{stem}_l.png", "s/Images/0.png", "s/Images/0_l.png"),
        ("{parent}/rgb.jpg", "{parent}/labels.png", "site/rgb.jpg", "site/labels.png"),
    ],
)
def test_a_template_gives_the_mask_of_an_image(image_name, mask_name, image, mask):
    naming = Naming(image_name, mask_name)
    mask = mask or image.replace("Images", "Labels")
    assert naming.with_suffix(naming.mask_of(image)) == mask
    assert naming.is_image(image)
    assert naming.is_mask(mask)
    assert naming.kind_of(mask) == "mask"


@pytest.mark.parametrize(
    ("image_name", "mask_name", "kinds"),
    [
        (None, "{stem}_lab.png", {"a.jpg": "image", "a_lab.PNG": "mask", "a_lab.tif": "image"}),
        (None, "{stem}.png", {"a.jpg": "image", "a.png": "mask", "n/a.Png": "mask"}),
        (None, "{name}.png", {"a.png": "image", "a.png.png": "mask", "b.png": "image"}),
        ("{stem}_rgb.png", "{stem}.png", {"a_rgb.png": "image", "a.png": "mask", "a.jpg": None}),
        ("{stem}.png", "{stem}_lab.png", {"a.png": "image", "a_lab.png": "mask"}),
        (
            "{parent}/Images/{stem}.png",
            "{parent}/{stem}.png",
            {"s/Images/a.png": "image", "s/a.png": "mask"},
        ),
        ("i/{stem}.png", "m/{stem}.png", {"i/a.png": "image", "m/a.png": "mask", "x/a.png": None}),
    ],
)
def test_what_a_file_next_to_both_is(image_name, mask_name, kinds):
    naming = Naming(image_name, mask_name)
    assert {name: naming.kind_of(name) for name in kinds} == kinds


NAMES = st.text(st.sampled_from("ab1_-. {}*+[(\\é"), min_size=1, max_size=8).filter(
    lambda name: name.strip(". ") == name and "\\" not in name
)


@settings(max_examples=40, deadline=None)
@given(NAMES, st.lists(NAMES, max_size=2), st.sampled_from(["{stem}_m.png", "{parent}/g/{stem}"]))
def test_any_name_of_an_image_has_a_mask_that_is_known_as_one(stem, folders, template):
    naming = Naming(None, template)
    mask = naming.with_suffix(naming.mask_of("/".join([*folders, f"{stem}.jpg"])))
    wanted = [*folders, f"{stem}_m.png"] if "_m" in template else [*folders, "g", f"{stem}.png"]
    assert mask == "/".join(wanted)
    assert naming.is_mask(mask)


USUAL = "write it as in 'data.layout.mask_name={stem}_lab.png'"


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{stm}_lab.png", "'{stm}_lab.png': there is no field {stm}; did you mean 'stem'?"),
        ("{}_lab", "'{}_lab': there is no field {}; known: name, parent, stem"),
        ("{stem:03d}", "'{stem:03d}': there is no field {stem:03d}; did you mean 'stem'?"),
        ("lab.png", f"'lab.png' has no field, so it is one name for all; {USUAL}"),
        ("", f"'' has no field, so it is one name for all; {USUAL}"),
        ("*_lab.png", f"'*_lab.png' has no field, so it is one name for all; {USUAL}"),
        (
            "_gt",
            "'_gt' has no field, so it is one name for all; "
            "write it as in 'data.layout.mask_name={stem}_gt'",
        ),
        ("{stem", f"'{{stem' has a brace without its counterpart; {USUAL}"),
        ("{stem}}", f"'{{stem}}}}' has a brace without its counterpart; {USUAL}"),
        ("../gt/{stem}.png", f"'../gt/{{stem}}.png' leaves its folder; {USUAL}"),
        ("/gt/{stem}.png", f"'/gt/{{stem}}.png' leaves its folder; {USUAL}"),
    ],
)
def test_a_wrong_template_is_one_line(template, line):
    with pytest.raises(ConfigError) as error:
        Naming(None, template)
    assert error.value.problems == (f"data.layout.mask_name: {line}",)


def test_a_template_of_images_has_no_name_of_an_image():
    with pytest.raises(ConfigError, match=r"image_name: '\{name\}': there is no field \{name\}"):
        Naming("{name}", None)


@pytest.mark.parametrize(
    ("images", "masks", "names"),
    [
        (["1", "10"], ["1_lab", "10_lab"], ("{stem}", "{stem}_lab")),
        (["n/1", "s/2"], ["n/gt_1", "s/gt_2"], ("{stem}", "gt_{stem}")),
        (["855_sat", "9_sat"], ["855_mask", "9_mask"], ("{stem}_sat", "{stem}_mask")),
        (["a_red", "b_red"], ["a_ref", "b_ref"], ("{stem}_red", "{stem}_ref")),
        (["IMG_1", "IMG_2"], ["GT_1", "GT_2"], ("IMG_{stem}", "GT_{stem}")),
        (["a_rgb"], ["a"], ("{stem}_rgb", "{stem}")),
        (["1", "2"], ["1_lab", "3_lab"], None),
        (["1", "2"], ["x", "y"], None),
        (["1"], [], None),
        ([], ["1"], None),
    ],
)
def test_how_masks_are_named_is_guessed_where_all_images_agree(images, masks, names):
    assert guess_names(images, masks) == names
