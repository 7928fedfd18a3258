from pathlib import Path

import numpy as np
import pytest

from aerialseg.classes import ClassTable
from aerialseg.scenes import Label, render_scene
from aerialseg.scenes.camera import Camera
from aerialseg.scenes.labels import Label as Ids
from aerialseg.scenes.noise import noise_tile
from aerialseg.scenes.paint import paint_thing
from aerialseg.scenes.render import render_frame, sequence_world
from aerialseg.scenes.solids import Model

SIZE = (96, 128)
CLASSES = Path(__file__).parents[2] / "conf" / "data" / "classes" / "aeroscapes.yaml"


@pytest.fixture(scope="module")
def masks():
    """One mask of each of 60 worlds, small but drawn as the large ones are."""
    return np.stack([render_scene(0, SIZE, sequence=i)[1] for i in range(60)])


def test_labels_are_the_aeroscapes_class_table():
    table = ClassTable.read(CLASSES)

    assert [label.name.lower() for label in Label] == list(table.names)
    assert [int(label) for label in Label] == list(range(len(table)))


@pytest.mark.parametrize("size", [(96, 128), (120, 90), (75, 101)])
def test_a_scene_has_the_size_asked_for(size):
    image, mask = render_scene(0, size)

    assert image.shape == (*size, 3)
    assert image.dtype == np.uint8
    assert mask.shape == size
    assert mask.dtype == np.uint8


def test_a_scene_is_a_function_of_its_arguments_alone():
    first = render_scene(5, SIZE, sequence=2, frame=1)
    render_scene(6, SIZE)
    second = render_scene(5, SIZE, sequence=2, frame=1)

    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


@pytest.mark.parametrize("other", [(8, 0, 0), (7, 1, 0), (7, 0, 1)])
def test_seed_sequence_and_frame_each_change_the_scene(other):
    seed, sequence, frame = other
    before = render_scene(7, SIZE)
    after = render_scene(seed, SIZE, sequence=sequence, frame=frame)

    assert not np.array_equal(before[1], after[1])
    assert np.abs(before[0].astype(int) - after[0]).mean() > 1


def test_frames_of_a_sequence_look_alike_and_other_sequences_do_not():
    def agreement(a, b):
        return np.mean(a == b)

    near, far = [], []
    for sequence in range(12):
        first = render_scene(1, SIZE, sequence=sequence)[1]
        near.append(agreement(first, render_scene(1, SIZE, sequence=sequence, frame=1)[1]))
        far.append(agreement(first, render_scene(1, SIZE, sequence=sequence + 1)[1]))

    assert np.mean(near) > np.mean(far) + 0.15


def test_rendering_a_frame_leaves_its_world_as_it_was():
    world = sequence_world(2, SIZE, 4)
    first = render_frame(world, 2, 4, 0)
    render_frame(world, 2, 4, 2)
    again = render_frame(world, 2, 4, 0)

    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])


def test_masks_hold_class_ids_only(masks):
    assert set(np.unique(masks)) == {int(label) for label in Label}


def test_every_class_is_in_a_good_share_of_the_scenes(masks):
    # At this size 4 pixels are 16 of the full image.
    present = {
        label.name: np.mean([(mask == label).sum() >= 4 for mask in masks]) for label in Label
    }

    assert min(present.values()) >= 0.25, present


def test_some_scenes_show_the_sky_above_and_some_look_straight_down(masks):
    sky = (masks == Label.SKY).mean(axis=(1, 2))

    assert 0.3 < np.mean(sky > 0) < 0.8
    assert all((mask[-1] != Label.SKY).all() for mask in masks)
    assert 0.1 < sky[sky > 0].mean() < 0.4


def test_the_background_is_less_than_most_of_the_pixels(masks):
    assert 0.2 < np.mean(masks == Label.BACKGROUND) < 0.6


def test_images_have_contrast_and_texture():
    images = np.stack([render_scene(4, SIZE, sequence=i)[0] for i in range(8)])

    assert images.std(axis=(1, 2, 3)).min() > 15
    assert np.abs(np.diff(images.astype(int), axis=2)).mean(axis=(1, 2, 3)).min() > 2


def test_a_thing_is_painted_where_the_camera_formula_puts_it():
    camera = Camera((0.0, -30.0, 10.0), 0.0, 0.3, 0.0, 200.0, (150, 200))
    # By hand: forward = (0, cos 0.3, -sin 0.3), down = (0, -sin 0.3, -cos 0.3).
    along, below = 30.0, 10.0 - 1.0
    depth = along * np.cos(0.3) + below * np.sin(0.3)
    row = 74.5 + 200 * (below * np.cos(0.3) - along * np.sin(0.3)) / depth
    model = Model(Label.CAR)
    model.ball((0.0, 0.0, 1.0), 1.0, (255.0, 0.0, 0.0), lit=False)
    canvas = np.zeros((150, 200, 4), dtype=np.uint8)

    paint_thing(canvas, model.place(0.0, 0.0), camera, sequence_world(0, SIZE, 0).light)
    rows, columns = np.nonzero(canvas[..., 3])

    assert rows.mean() == pytest.approx(row, abs=0.6)
    assert columns.mean() == pytest.approx(99.5, abs=0.6)
    assert np.ptp(columns) + 1 == pytest.approx(2 * 200 / depth, abs=2)


def test_ground_points_project_back_to_their_pixels():
    camera = Camera((3.0, -5.0, 12.0), 0.7, 0.5, 0.03, 180.0, (150, 200))
    pixels = np.array([[10.0, 60.0], [100.0, 75.0], [190.0, 149.0]])

    ground = camera.on_ground(pixels)
    again, depth = camera.project(np.column_stack([ground, np.zeros(3)]))

    assert np.allclose(again, pixels)
    assert (depth > 0).all()
    assert not np.isfinite(
        Camera((0, 0, 9), 0, 0.1, 0, 180.0, (150, 200)).on_ground(np.array([[100.0, 0.0]]))
    ).all()


def test_image_and_mask_are_painted_by_the_same_stroke():
    camera = Camera((0.0, -12.0, 6.0), 0.0, 0.45, 0.1, 150.0, (120, 160))
    model = Model(Label.CONSTRUCTION)
    model.box((0, 0, 0), (3, 5, 2), (200.0, 180.0, 160.0))
    model.rod((-4, 0, 0), (-4, 0, 4), 0.2, (90.0, 90.0, 90.0), label=Ids.OBSTACLE)
    canvas = np.zeros((120, 160, 4), dtype=np.uint8)

    paint_thing(
        canvas, model.place(0.0, 0.0, heading=0.6), camera, sequence_world(0, SIZE, 0).light
    )

    assert np.array_equal(canvas[..., :3].any(axis=2), canvas[..., 3] > 0)
    assert set(np.unique(canvas[..., 3])) == {0, Label.CONSTRUCTION, Label.OBSTACLE}


def test_noise_tiles_have_no_seam():
    tile = noise_tile(1.3)
    inside = np.abs(np.diff(tile, axis=1)).mean()

    assert np.abs(tile[:, 0] - tile[:, -1]).mean() < 1.5 * inside
    with pytest.raises(ValueError, match="read-only"):
        tile[0, 0] = 0
