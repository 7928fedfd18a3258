"""Whether two images show the same place: one homography that many of their corners agree on."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.data.checks.local_features import LocalFeatures
from aerialseg.data.checks.overlap_candidates import Candidate

_Matrix: TypeAlias = npt.NDArray[np.float64]

_RATIO = 0.85  # a match must be so much closer than the next best
_FARTHEST = 72  # of 256 bits that may differ in a match
_REPROJECTION = 4.0  # pixels of the reduced image
_ROUNDS = 600  # of RANSAC: enough where a third of the matches are right
_LEAST_INLIERS = 14
_LEAST_SHARE = 0.12  # of the corners where the images overlap
_LEAST_RATIO = 0.25  # of the matches
_SCALES = (0.25, 4.0)
_LEAST_OVERLAP = 0.05  # of the smaller image
_LEAST_SPREAD = 0.15  # of the overlap that is covered by inliers, so that a stamp is no place
_SKEW = 0.6  # how far the corners of a frame may be from those of a parallelogram, by its edge


@dataclass(frozen=True)
class Overlap:
    """Two images of one place.

    Attributes:
        first: Index of an image.
        second: Index of another.
        inliers: Corners that agree on how one image lies on the other.
        matches: Corners that were alike.
        share: The part of the smaller image that the other shows too, 0 to 1.
    """

    first: int
    second: int
    inliers: int
    matches: int
    share: float


def confirmed(pair: Candidate, one: LocalFeatures, other: LocalFeatures) -> Overlap | None:
    """The overlap of two images, if their corners confirm it.

    Args:
        pair: The two, of which ``other`` is mirrored if the pair says so.
        one: The features of the first.
        other: Those of the second.
    """
    points, words = other.points, other.descriptors
    if pair.is_mirrored:
        points, words = other.mirrored_points, other.mirrored_descriptors
    rows = _matches(one.descriptors, words)
    if len(rows) < _LEAST_INLIERS:
        return None
    source, target = one.points[rows[:, 0]], points[rows[:, 1]]
    # RANSAC's own generator begins anew in every call, so the result is the same in each run.
    fit: tuple[Any, Any] = cv2.findHomography(
        *(source, target, cv2.RANSAC, _REPROJECTION), maxIters=_ROUNDS, confidence=0.999
    )
    found, kept = fit
    if found is None or kept is None:  # whatever OpenCV's type hints say
        return None
    inliers = kept.ravel().astype(bool)
    matrix = np.asarray(found, dtype=np.float64)
    number = int(inliers.sum())
    if number < _LEAST_INLIERS or number < _LEAST_RATIO * len(rows):
        return None
    share = _share(matrix, one, points, other.size, source[inliers], number)
    return None if share is None else Overlap(pair.first, pair.second, number, len(rows), share)


def _matches(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """``(M, 2)`` rows of descriptors that are each other's nearest, and nearer than the next."""
    if len(one) < 2 or len(other) < 2:
        return np.empty((0, 2), dtype=np.intp)
    # Bits of a hundred thousand pairs at once: a matrix product counts those that differ.
    left, right = (np.unpackbits(each, axis=1).astype(np.float32) for each in (one, other))
    distances = left.sum(1)[:, None] + right.sum(1)[None] - 2 * (left @ right.T)
    nearest = distances.argmin(axis=1)
    back = distances.argmin(axis=0)
    rows = np.arange(len(one))
    two = np.partition(distances, 1, axis=1)[:, :2]
    good = (back[nearest] == rows) & (two[:, 0] <= _FARTHEST) & (two[:, 0] < _RATIO * two[:, 1])
    return np.stack([rows[good], nearest[good]], axis=1)


def _share(
    matrix: _Matrix,
    one: LocalFeatures,
    points: npt.NDArray[np.float32],
    size: tuple[int, int],
    inliers: npt.NDArray[np.float32],
    number: int,
) -> float | None:
    """The part of the smaller image that both show; None if the homography is no such view.

    Args:
        matrix: From pixels of ``one`` to those of the other image.
        one: The first image.
        points: The corners of the other.
        size: Its height and width.
        inliers: ``(number, 2)`` corners of ``one`` that agree.
        number: How many.
    """
    frame = _frame(one.size)
    seen = _projected(matrix, frame)
    if seen is None or not _is_view(seen, one.size):
        return None
    target = _frame(size)
    area, polygon = cv2.intersectConvexConvex(_convex(seen), target)
    if area <= 0 or polygon is None:
        return None
    share = float(area) / min(float(cv2.contourArea(_convex(seen))), float(size[0] * size[1]))
    landed = _projected(matrix, one.points)
    if share < _LEAST_OVERLAP or landed is None:
        return None
    height, width = size
    mine = ((landed >= 0) & (landed <= [width, height])).all(axis=1).sum()
    theirs = sum(cv2.pointPolygonTest(_convex(seen), each.tolist(), False) >= 0 for each in points)
    placed = _projected(matrix, inliers)
    hull = 0.0 if placed is None else float(cv2.contourArea(cv2.convexHull(placed)))
    fits = number >= _LEAST_SHARE * min(mine, theirs) and hull >= _LEAST_SPREAD * float(area)
    return min(share, 1.0) if fits else None


def _frame(size: tuple[int, int]) -> npt.NDArray[np.float32]:
    height, width = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)


def _projected(matrix: _Matrix, points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
    """``(N, 2)`` points in the other image; None if some lie behind the camera."""
    homogeneous = np.c_[points, np.ones(len(points))] @ matrix.T
    if (homogeneous[:, 2] <= 1e-3 * abs(matrix[2, 2])).any():
        return None
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], dtype=np.float32)


def _is_view(seen: npt.NDArray[np.float32], size: tuple[int, int]) -> bool:
    """Whether a camera over the ground can see a frame so: convex, not mirrored, not squeezed."""
    if not cv2.isContourConvex(seen.reshape(-1, 1, 2)) or cv2.contourArea(seen, True) <= 0:
        return False
    scale = (float(cv2.contourArea(seen)) / (size[0] * size[1])) ** 0.5
    edges = np.linalg.norm(seen - np.roll(seen, -1, axis=0), axis=1)
    stretch = edges / (scale * np.array([size[1], size[0], size[1], size[0]]))
    skew = np.linalg.norm(seen[0] - seen[1] + seen[2] - seen[3]) / edges.mean()
    fits = (stretch > 0.4).all() and (stretch < 2.5).all() and skew < _SKEW
    return bool(_SCALES[0] < scale < _SCALES[1] and fits)


def _convex(polygon: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(polygon.reshape(-1, 1, 2))
