"""What an image is recognised by: binary descriptors of its corners, and a hash of its whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

_EDGE = 640
"""The longer edge in pixels at which corners are looked for: overlaps are of large parts."""
_CORNERS = 320  # described in an image, and as many in its mirror image
_DETECTED = 3000
_CELLS = 8  # rows and columns of the grid over which corners are spread
_FAST_THRESHOLD = 7  # low enough for grass and fog
_BORDER = 16  # half of the patch that is described
_HASH_EDGE = 32  # pixels before the cosine transform, of which the 8x8 lowest frequencies count
_HASH_BITS = 8


@dataclass(frozen=True, eq=False)
class LocalFeatures:
    """The corners of one image, which overlapping images share.

    Attributes:
        points: ``(N, 2)`` float32 columns and rows, in pixels of the reduced image.
        descriptors: ``(N, 32)`` uint8, 256 bits a corner that turning the image does not change.
        mirrored_points: ``(M, 2)`` float32, those of the image mirrored left to right.
        mirrored_descriptors: ``(M, 32)`` uint8, likewise: mirroring changes descriptors.
        hashes: ``(8,)`` uint64 hashes of the whole image, as it is and in its 7 other
            orientations.
        size: Height and width of the reduced image.
    """

    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.uint8]
    mirrored_points: npt.NDArray[np.float32]
    mirrored_descriptors: npt.NDArray[np.uint8]
    hashes: npt.NDArray[np.uint64]
    size: tuple[int, int]


def local_features(grey: npt.NDArray[np.uint8]) -> LocalFeatures:
    """The corners and hashes of an image.

    Corners are ORB's (Rublee et al., "ORB: an efficient alternative to SIFT or SURF", ICCV 2011),
    the strongest of each cell of a grid, so that one tree does not have them all.

    Args:
        grey: ``(H, W)`` uint8, of any size.
    """
    small = reduced(grey, _EDGE)
    points, descriptors = _corners(small)
    mirror = np.ascontiguousarray(small[:, ::-1])
    mirrored_points, mirrored_descriptors = _corners(mirror)
    return LocalFeatures(
        *(points, descriptors, mirrored_points, mirrored_descriptors, _hashes(small)),
        (small.shape[0], small.shape[1]),
    )


def reduced(grey: npt.NDArray[np.uint8], edge: int) -> npt.NDArray[np.uint8]:
    """An image ``(H, W)`` whose longer edge is at most ``edge`` pixels; smaller ones stay."""
    factor = edge / max(grey.shape)
    if factor >= 1:
        return np.ascontiguousarray(grey)
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _corners(
    grey: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """``(N, 2)`` places of corners and their ``(N, 32)`` descriptors."""
    none = np.empty((0, 2), dtype=np.float32), np.empty((0, 32), dtype=np.uint8)
    if min(grey.shape) < 3 * _BORDER:
        return none
    orb = cv2.ORB.create(nfeatures=_DETECTED, edgeThreshold=_BORDER, fastThreshold=_FAST_THRESHOLD)
    found = orb.detect(grey, None)
    if not found:
        return none
    kept = _spread([corner.pt for corner in found], [corner.response for corner in found], grey)
    described: tuple[Any, Any] = orb.compute(grey, [found[index] for index in kept])
    corners, descriptors = described
    if descriptors is None:  # whatever OpenCV's type hints say
        return none
    return np.array([corner.pt for corner in corners], dtype=np.float32), np.asarray(descriptors)


def _spread(
    points: Sequence[Sequence[float]], strengths: list[float], grey: npt.NDArray[np.uint8]
) -> list[int]:
    """Indices of the strongest corners: first the best of every cell, then the second, ..."""
    columns, rows = np.array(points).T
    height, width = grey.shape
    cells = (rows * _CELLS // height) * _CELLS + columns * _CELLS // width
    order = np.lexsort((-np.array(strengths), cells))
    ordered = cells[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    rank = np.arange(len(ordered)) - np.repeat(starts, lengths)
    best = order[np.lexsort((-np.array(strengths)[order], rank))]
    return [int(index) for index in best[:_CORNERS]]


def _hashes(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """``(8,)`` uint64: the signs of the lowest frequencies, for each orientation of the image."""
    small = cv2.resize(grey, (_HASH_EDGE, _HASH_EDGE), interpolation=cv2.INTER_AREA)
    pixels = np.asarray(small, dtype=np.float32)
    views = [np.rot90(view, turns) for view in (pixels, pixels[:, ::-1]) for turns in range(4)]
    return np.array([_hash(np.ascontiguousarray(view)) for view in views], dtype=np.uint64)


def _hash(pixels: npt.NDArray[np.float32]) -> int:
    waves = cv2.dct(pixels)[: _HASH_BITS + 1, : _HASH_BITS + 1]
    # Without the mean, and without what lies above the 64 bits: row and column 0 have the ramps.
    low = np.asarray(waves, dtype=np.float64)[:_HASH_BITS, :_HASH_BITS].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
