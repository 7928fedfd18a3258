import numpy as np
import pytest

from aerialseg.classes import ClassTable
from aerialseg.viz.sheets import PredictionRow, SampleRow, prediction_sheet, sample_sheet
from aerialseg.viz.theme import PANEL, WRONG

CLASSES = ClassTable(("land", "water", "road"), ((10, 200, 30), (0, 0, 200), (190, 90, 0)))
IMAGE_COLOUR = (250, 10, 240)


def plain_image(shape):
    return np.full((*shape, 3), IMAGE_COLOUR, dtype=np.uint8)


def full(shape, value):
    return np.full(shape, value, dtype=np.uint8)


def area(sheet, colour):
    return int((sheet == colour).all(axis=-1).sum())


def extent(sheet, colour):
    rows, columns = np.nonzero((sheet == colour).all(axis=-1))
    return int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def swatch_area(tile_width):
    row = PredictionRow("a", plain_image((20, 40)), None, full((20, 40), 1))
    sheet = prediction_sheet([row], CLASSES, tile_width=tile_width)
    return area(sheet, CLASSES.colours[0])


def test_input_truth_and_prediction_stand_side_by_side_in_equal_tiles():
    shape = (90, 160)
    row = PredictionRow("a", plain_image(shape), full(shape, 1), full(shape, 2), 0.5, 0.4, 0.9)

    sheet = prediction_sheet([row], CLASSES, tile_width=160)

    left, top, width, height = extent(sheet, IMAGE_COLOUR)
    assert (width, height) == (160, 90)
    tile = sheet[top : top + 90]
    second, third = (np.flatnonzero((tile[0] == CLASSES.colours[i]).all(axis=-1)) for i in (1, 2))
    assert len(second) == len(third) == 160
    assert second[0] - left == third[0] - second[0] > 160
    assert (tile == tile[:1]).all()


def test_a_legend_below_has_a_swatch_for_every_class_even_absent_ones():
    shape = (30, 40)
    row = PredictionRow("a", plain_image(shape), full(shape, 1), full(shape, 1))

    sheet = prediction_sheet([row], CLASSES, tile_width=100)

    for colour in (CLASSES.colours[0], CLASSES.colours[2]):
        assert area(sheet, colour) > 100
        assert extent(sheet, colour)[1] > extent(sheet, IMAGE_COLOUR)[1] + 75


def test_missing_truth_leaves_a_panel_and_is_no_class():
    shape = (30, 60)
    row = PredictionRow("test", plain_image(shape), None, full(shape, 2))

    sheet = prediction_sheet([row], CLASSES, tile_width=120, with_errors=True)

    assert area(sheet, PANEL) > 2 * 120 * 60 * 0.8
    assert area(sheet, WRONG) == 0
    assert area(sheet, CLASSES.colours[1]) == area(sheet, CLASSES.colours[0])


def test_ignored_pixels_are_not_painted_as_a_class():
    shape = (50, 50)
    row = PredictionRow("a", plain_image(shape), full(shape, 255), full(shape, 1))

    sheet = prediction_sheet([row], CLASSES, tile_width=50)

    swatch = swatch_area(50)
    assert area(sheet, CLASSES.colours[0]) == area(sheet, CLASSES.colours[2]) == swatch
    assert area(sheet, CLASSES.colours[1]) == 50 * 50 + swatch


def test_the_error_column_shows_the_share_that_is_wrong():
    shape = (40, 80)
    prediction = full(shape, 1)
    prediction[:, :20] = 0
    row = PredictionRow("a", plain_image(shape), full(shape, 1), prediction)

    sheet = prediction_sheet([row], CLASSES, tile_width=80, with_errors=True)

    assert area(sheet, WRONG) == 40 * 20 + swatch_area(80), "and what red means is in the legend"
    assert area(prediction_sheet([row], CLASSES, tile_width=80), WRONG) == 0


def test_scores_are_written_only_where_there_are_some():
    shape = (30, 60)
    row = {"id": "a", "image": plain_image(shape), "truth": None, "prediction": full(shape, 0)}

    without = prediction_sheet([PredictionRow(**row)], CLASSES)
    scored = prediction_sheet([PredictionRow(**row, dice=0.5)], CLASSES)
    undefined = prediction_sheet([PredictionRow(**row, dice=float("nan"))], CLASSES)

    assert without.shape == scored.shape == undefined.shape
    changed = np.argwhere((without != scored).any(axis=-1))
    assert changed[:, 0].max() < extent(without, IMAGE_COLOUR)[1]
    assert changed[:, 1].min() > without.shape[1] / 2
    assert (scored != undefined).any()


@pytest.mark.parametrize("tile_width", [16, 64, 320])
@pytest.mark.parametrize("name", ["x", "a_very_long_flight_name_" * 12 + "000045", "", "Übung\n1"])
def test_names_of_any_length_never_widen_the_sheet(tile_width, name):
    shape = (30, 40)
    row = PredictionRow(name, plain_image(shape), None, full(shape, 0), 0.5, 0.4, 0.3)

    sheet = prediction_sheet([row], CLASSES, tile_width=tile_width)

    assert sheet.shape[1] == 3 * tile_width + 2 * 6 + 2 * 16


def test_images_of_different_aspects_share_one_tile_size():
    shapes = [(100, 200), (200, 100), (100, 200)]
    rows = [
        PredictionRow(str(i), plain_image(shape), full(shape, 1), full(shape, 2))
        for i, shape in enumerate(shapes)
    ]

    sheet = prediction_sheet(rows, CLASSES, tile_width=100)

    upright = 25 * 50
    assert area(sheet, IMAGE_COLOUR) == 2 * 100 * 50 + upright


@pytest.mark.parametrize("count", [1, 2, 12, 40])
@pytest.mark.parametrize("rows", [1, 16])
def test_any_number_of_classes_and_rows_is_drawn(count, rows):
    rng = np.random.default_rng(count)
    colours = tuple((3 * i, 250 - 5 * i, 7 * i % 250) for i in range(count))
    classes = ClassTable(tuple(f"class {i}" for i in range(count)), colours)
    drawn_rows = []
    for i in range(rows):
        shape = tuple(rng.integers(1, 90, 2))
        mask = rng.integers(0, count, shape)
        image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
        drawn_rows.append(PredictionRow(str(i), image, mask, mask, 1.0, 1.0, 1.0))

    sheet = prediction_sheet(drawn_rows, classes, tile_width=48, with_errors=True)

    assert sheet.dtype == np.uint8
    assert sheet.ndim == 3


def test_a_sample_sheet_has_a_column_for_each_version_and_masks_below_images():
    shape = (40, 80)
    image, mask = plain_image(shape), full(shape, 1)
    row = SampleRow("a", image, mask, [(image, mask), (image, mask)])

    sheet = sample_sheet([row], CLASSES, tile_width=80)

    assert area(sheet, IMAGE_COLOUR) == 3 * 40 * 80
    below = sheet[extent(sheet, IMAGE_COLOUR)[1] + 40 + 6]
    mixed = np.round(0.55 * np.array(IMAGE_COLOUR) + 0.45 * np.array(CLASSES.colours[1]))
    assert (np.abs(below - mixed).max(axis=-1) <= 1).sum() == 3 * 80


def test_without_augmented_versions_the_mask_is_beside_the_image():
    shape = (40, 80)
    rows = [
        SampleRow("a", plain_image(shape), full(shape, 1)),
        SampleRow("b", plain_image(shape), None),
    ]

    sheet = sample_sheet(rows, CLASSES, tile_width=80)

    left, top, width, height = extent(sheet, IMAGE_COLOUR)
    assert width == 80
    assert height > 2 * 40
    mixed = np.round(0.55 * np.array(IMAGE_COLOUR) + 0.45 * np.array(CLASSES.colours[1]))
    beside = sheet[top : top + 40, left + 80 + 6 : left + 2 * 80 + 6]
    assert (np.abs(beside - mixed).max(axis=-1) <= 1).all()


def test_samples_without_masks_or_versions_are_drawn():
    shape = (40, 80)
    image, mask = plain_image(shape), full(shape, 1)

    bare = sample_sheet([SampleRow("a", image, None)], CLASSES, tile_width=80)
    mixed = sample_sheet(
        [SampleRow("a", image, None, [(image, mask)]), SampleRow("b", image, mask)],
        CLASSES,
        tile_width=80,
    )

    assert area(bare, IMAGE_COLOUR) == 40 * 80
    assert area(bare, PANEL) == 0
    assert area(mixed, IMAGE_COLOUR) == 3 * 40 * 80


def test_augmented_versions_may_be_of_another_size():
    small, large = (40, 80), (123, 61)
    row = SampleRow("a", plain_image(small), full(small, 0), [(plain_image(large), full(large, 1))])

    sheet = sample_sheet([row], CLASSES, tile_width=80)

    assert area(sheet, IMAGE_COLOUR) == 40 * 80 + 40 * 20


def test_an_empty_sheet_is_refused():
    with pytest.raises(ValueError, match="one row"):
        prediction_sheet([], CLASSES)
    with pytest.raises(ValueError, match="one row"):
        sample_sheet([], CLASSES)


def test_sheets_change_nothing_they_are_given():
    shape = (33, 47)
    image, mask = plain_image(shape), full(shape, 255)
    for array in (image, mask):
        array.setflags(write=False)

    prediction_sheet([PredictionRow("a", image, mask, mask)], CLASSES, with_errors=True)
    sample_sheet([SampleRow("a", image, mask, [(image, mask)])], CLASSES)

    assert (image == IMAGE_COLOUR).all()
    assert (mask == 255).all()
