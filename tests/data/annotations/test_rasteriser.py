import numpy as np
import pytest
from pycocotools import mask as oracle

from aerialseg.data.annotations.rasteriser import crosses_itself, draw
from aerialseg.data.annotations.shapes import Polygons, Runs, ellipse, rectangle

# Of pycocotools, the oracle.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIZE = (40, 60)


def pixels(outline, size=SIZE):
    mask = np.zeros(size, dtype=bool)
    patch = draw(outline, size)
    height, width = patch.inside.shape
    mask[patch.top : patch.top + height, patch.left : patch.left + width] = patch.inside
    return mask


def polygon(*points):
    return Polygons((np.array(points, dtype=float),))


def block(rows, columns, size=SIZE):
    mask = np.zeros(size, dtype=bool)
    mask[rows[0] : rows[1], columns[0] : columns[1]] = True
    return mask


@pytest.mark.parametrize(
    ("outline", "rows", "columns"),
    [
        (rectangle(5, 3, 12, 9), (3, 9), (5, 12)),
        (polygon((5, 3), (12, 3), (12, 9), (5, 9)), (3, 9), (5, 12)),
        (rectangle(12, 9, 5, 3), (3, 9), (5, 12)),  # corners the other way round
        (rectangle(0, 0, 60, 40), (0, 40), (0, 60)),
        (rectangle(4.6, 2.6, 12.4, 9.4), (3, 9), (5, 12)),  # centres decide
        (rectangle(-20, -7, 4, 5), (0, 5), (0, 4)),
        (rectangle(55, 35, 300, 99), (35, 40), (55, 60)),
        (rectangle(70, 3, 80, 9), (0, 0), (0, 0)),
        (rectangle(-9, 3, -1, 9), (0, 0), (0, 0)),
        (rectangle(5.6, 3, 6.4, 9), (0, 0), (0, 0)),  # between two columns of centres
        (rectangle(10, 10, 20, 14, turn=90), (7, 17), (13, 17)),
    ],
)
def test_a_rectangle_covers_the_pixels_whose_centres_lie_in_it(outline, rows, columns):
    assert (pixels(outline) == block(rows, columns)).all()


def test_neighbours_share_no_pixel_and_leave_none_out():
    rng = np.random.default_rng(0)
    corners = [(0, 0), (60, 0), (60, 40), (0, 40)]
    for middle in rng.uniform((1, 1), (59, 39), (50, 2)):
        parts = [pixels(polygon(middle, corners[i], corners[(i + 1) % 4])) for i in range(4)]
        assert (np.sum(parts, axis=0) == 1).all()


def test_polygons_are_those_of_pycocotools_on_the_whole_image():
    rng = np.random.default_rng(1)
    for _ in range(100):
        points = rng.uniform((-15, -15), (75, 55), (rng.integers(3, 9), 2)).round(2)
        wanted = oracle.decode(oracle.frPyObjects([points.ravel().tolist()], *SIZE))[..., 0]
        assert (pixels(Polygons((points,))) == wanted.astype(bool)).all()


def test_the_parts_of_a_shape_are_united_and_nested_ones_counted():
    outer, inner, apart = (
        rectangle(5, 5, 30, 30),
        rectangle(10, 10, 15, 15),
        rectangle(40, 5, 45, 9),
    )
    both = Polygons((*outer.parts, *inner.parts, *apart.parts))
    assert (pixels(both) == pixels(outer) | pixels(apart)).all()
    assert draw(both, SIZE).nested_parts == 1
    assert draw(Polygons((*outer.parts, *apart.parts)), SIZE).nested_parts == 0


def test_a_clockwise_turn_takes_the_right_hand_side_down():
    long = pixels(polygon((20, 20), (40, 20), (40, 22), (20, 22)))
    turned = pixels(rectangle(20, 20, 40, 22, turn=45))
    assert long[21, 38]
    rows, columns = np.nonzero(turned)
    assert np.corrcoef(rows, columns)[0, 1] > 0.9


def test_an_ellipse_has_its_area_and_lies_around_its_centre():
    mask = pixels(ellipse(30, 20, 18, 9))
    assert mask.sum() == pytest.approx(np.pi * 18 * 9, rel=0.01)
    rows, columns = np.nonzero(mask)
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((20, 30), abs=0.05)
    upright = pixels(ellipse(30, 20, 18, 9, turn=90))
    assert np.ptp(np.nonzero(upright)[0]) > np.ptp(np.nonzero(mask)[0])


@pytest.mark.parametrize("by_columns", [True, False])
def test_runs_are_counted_down_or_along(by_columns):
    mask = np.random.default_rng(2).integers(0, 2, (5, 7)).astype(bool)
    flat = mask.ravel(order="F" if by_columns else "C")
    ends = np.flatnonzero(np.diff(flat, append=~flat[-1])) + 1
    counts = np.diff(ends, prepend=0)
    counts = np.concatenate([[0], counts]) if flat[0] else counts
    runs = Runs(counts, 5, 7, by_columns=by_columns, top=3, left=4)
    wanted = np.zeros(SIZE, dtype=bool)
    wanted[3:8, 4:11] = mask
    assert (pixels(runs) == wanted).all()


@pytest.mark.parametrize(
    ("points", "wanted"),
    [
        ([(0, 0), (9, 0), (9, 9), (0, 9)], False),
        ([(0, 0), (9, 9), (9, 0), (0, 9)], True),  # a bow tie
        ([(0, 0), (9, 0), (4, 4), (9, 9), (0, 9)], False),  # concave
        ([(0, 0), (9, 0), (9, 0), (9, 9), (0, 9), (0, 0)], False),  # points repeated
        # A hole joined to the outside by a cut, there and back.
        ([(0, 0), (9, 0), (9, 9), (0, 9), (0, 0), (3, 3), (3, 6), (6, 6), (6, 3), (3, 3)], False),
    ],
)
def test_crossing_edges_are_found_and_touching_ones_are_not(points, wanted):
    assert crosses_itself(np.array(points, dtype=float)) is wanted


def test_a_crossing_is_found_among_more_edges_than_are_compared_at_once():
    angles = np.linspace(0, 2 * np.pi, 700, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert not crosses_itself(circle)
    circle[[600, 601]] = circle[[601, 600]]
    assert crosses_itself(circle)
