import numpy as np
import pytest
from PIL import Image

from aerialseg.data.annotations.drawn_sizes import drawn_sizes
from aerialseg.data.annotations.findings import Findings
from aerialseg.data.annotations.shapes import AnnotatedImage, Runs, Shape, rectangle
from aerialseg.errors import DataError
from helpers.annotations import images
from helpers.tiny_data import random_image, save

SIZE = (12, 16)


def exif(orientation):
    tags = Image.Exif()
    tags[274] = orientation
    return {"exif": tags}


def write(folder, turn, size=SIZE, name="a.png"):
    images(folder, name, size=size, **(exif(turn) if turn != 1 else {}))
    return folder / name


def check(path, size, *outlines, chosen=None, findings=None, more=()):
    shapes = tuple(Shape("roof", each, f"shape {i}") for i, each in enumerate(outlines, start=1))
    pairs = [(AnnotatedImage("a.png", "a.json", size, shapes), path), *more]
    return drawn_sizes(
        [image for image, _ in pairs],
        [path for _, path in pairs],
        chosen,
        max_megapixels=200,
        findings=findings or Findings(),
    )


def problem_of(*arguments, **options):
    with pytest.raises(DataError) as error:
        check(*arguments, **options)
    (line,) = error.value.problems
    return line


@pytest.mark.parametrize(
    ("turn", "said", "chosen", "wanted"),
    [
        (1, SIZE, None, (SIZE, None)),
        (1, None, "apply", (SIZE, None)),
        (6, (16, 12), None, ((16, 12), "apply")),
        (8, SIZE, None, (SIZE, "ignore")),
        (3, SIZE, "apply", (SIZE, "apply")),
        (3, SIZE, "ignore", (SIZE, "ignore")),
        (6, None, "apply", ((16, 12), "apply")),
    ],
)
def test_the_size_tells_how_an_image_was_seen(tmp_path, turn, said, chosen, wanted):
    path = write(tmp_path, turn)
    assert check(path, said, chosen=chosen) == ([wanted[0]], wanted[1])


def test_one_image_tells_for_those_that_do_not(tmp_path):
    sure = AnnotatedImage("b.png", "b.json", (16, 12), ())
    more = [(sure, write(tmp_path, 6, name="b.png"))]
    sizes, orientation = check(write(tmp_path, 3), SIZE, more=more)
    assert (sizes, orientation) == ([SIZE, (16, 12)], "apply")


@pytest.mark.parametrize(("turn", "said"), [(3, SIZE), (6, None), (2, SIZE)])
def test_an_orientation_that_no_size_tells_of_is_asked_for(tmp_path, turn, said):
    line = problem_of(write(tmp_path, turn), said)
    assert line.startswith("1 image (a.png) with an EXIF orientation, and no size tells ")
    assert "data.exif_orientation=apply or data.exif_orientation=ignore" in line


def test_square_images_tell_nothing(tmp_path):
    path = write(tmp_path, 6, size=(12, 12))
    assert "no size tells" in problem_of(path, (12, 12))


def test_images_that_were_seen_in_both_ways(tmp_path):
    other = AnnotatedImage("b.png", "b.json", SIZE, ())
    line = problem_of(
        write(tmp_path, 6), (16, 12), more=[(other, write(tmp_path, 8, name="b.png"))]
    )
    assert line.startswith(
        "1 image (a.png) drawn on as viewers turn them by their EXIF orientation"
    )
    assert "1 image (b.png) as they are stored" in line


@pytest.mark.parametrize(
    ("turn", "said", "chosen", "wanted"),
    [
        (1, (16, 12), None, "has 16x12 pixels, but a.json says 12x16, so it was turned after"),
        (1, (24, 32), None, "has 16x12 pixels, but a.json says 32x24, so it was resized"),
        (6, (16, 12), "ignore", "has 16x12 pixels, but a.json says 12x16, so it was turned"),
        (6, (7, 7), "apply", "has 12x16 pixels, but a.json says 7x7"),
    ],
)
def test_another_size_is_refused(tmp_path, turn, said, chosen, wanted):
    path = write(tmp_path, turn)
    line = problem_of(path, said, chosen=chosen)
    assert line.startswith(f"{path}: {wanted}")


def test_shapes_that_are_cut_are_noted_and_a_pixel_is_not(tmp_path):
    path, findings = write(tmp_path, 1), Findings()
    outlines = rectangle(-1, 0, 17, 13), rectangle(5, 5, 19, 9), rectangle(0, 0, 16, 12)
    check(path, SIZE, *outlines, findings=findings)
    assert list(findings.lines()) == [
        "shapes that reach outside their image by more than a pixel, cut at its edge: 1 case "
        "(a.png shape 2)"
    ]


def test_shapes_that_would_fit_a_turned_image_are_noted(tmp_path):
    path, findings = write(tmp_path, 1), Findings()
    check(path, SIZE, rectangle(1, 1, 5, 16), rectangle(7, 9, 11, 15), findings=findings)
    assert "if width and height were swapped: look at their masks: 1 case (a.png)" in "\n".join(
        findings.lines()
    )


ONES = np.array([0, 20])
BAD = {
    "far": (rectangle(0, 0, 5, 1e9), "reaches to (5, 1e+09), far outside the image of 16x12"),
    "far left": (rectangle(-5000, 0, 5, 9), "reaches to (-5000, 0), far outside"),
    "bitmap": (
        Runs(ONES, 4, 5, by_columns=True, is_whole=True),
        "is a bitmap of 5x4, which does not fit the image of 16x12",
    ),
    "bitmap at the edge": (Runs(ONES, 4, 5, by_columns=False, top=3, left=12), "does not fit"),
}


@pytest.mark.parametrize("case", BAD)
def test_shapes_of_another_image_are_refused(tmp_path, case):
    outline, wanted = BAD[case]
    line = problem_of(write(tmp_path, 1), SIZE, outline)
    assert line.startswith("a.json: a.png shape 1 ")
    assert wanted in line


def test_files_that_cannot_be_read_are_all_named(tmp_path):
    save(tmp_path / "a.png", random_image()).write_bytes(b"no image")
    more = [(AnnotatedImage("b.png", "b.json", SIZE, ()), tmp_path / "b.png")]
    with pytest.raises(DataError) as error:
        check(tmp_path / "a.png", SIZE, more=more)
    assert [line.partition(":")[0] for line in error.value.problems] == [
        str(tmp_path / name) for name in ("a.png", "b.png")
    ]
