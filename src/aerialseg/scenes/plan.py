"""A raster map of the terrain: materials and occupied places."""

from collections.abc import Collection

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.scenes.camera import Camera, Floats
from aerialseg.scenes.surfaces import Material, Terrain

_REACH, _CELL = 160.0, 0.5  # metres from the centre to the edge of the map, and per cell


class Plan:
    """Finds free places of given materials in view of a camera.

    Args:
        land: The terrain.
        camera: The camera that has to see the places.
        rng: Draws the candidate places.
    """

    def __init__(self, land: Terrain, camera: Camera, rng: np.random.Generator) -> None:
        cells = int(2 * _REACH / _CELL)
        self._kinds = np.full((cells, cells), int(Material.GRASS), dtype=np.uint8)
        self._taken = np.zeros((cells, cells), dtype=np.uint8)
        for surface in land.surfaces:
            self.mark(surface.polygon, surface.material)
        self._camera, self._rng = camera, rng

    def mark(self, polygon: Floats, material: Material) -> None:
        """Sets the material inside a polygon on the ground, ``(N, 2)`` metres."""
        cv2.fillPoly(self._kinds, [_cells(polygon)], int(material))

    def take(self, spot: Floats, radius: float) -> None:
        """Marks a disc around a place as occupied."""
        centre = _cells(spot[None])[0].tolist()
        cv2.circle(self._taken, centre, max(1, round(radius / _CELL)), 1, cv2.FILLED)

    def is_free(self, points: Floats, kinds: Collection[Material]) -> npt.NDArray[np.bool_]:
        """``(N,)`` bool: which of ``(N, 2)`` points have one of these materials and are free."""
        cells = _cells(points)
        column, row = np.clip(cells, 0, len(self._kinds) - 1).T
        inside = (np.abs(points) < _REACH - 1).all(axis=1)
        allowed = np.zeros(len(Material), dtype=bool)
        allowed[list(kinds)] = True
        return np.asarray(
            inside & allowed[self._kinds[row, column]] & (self._taken[row, column] == 0)
        )

    def find(
        self,
        kinds: Collection[Material],
        count: int,
        *,
        clearance: float,
        far: float = 200.0,
        margin: float = 0.06,
    ) -> list[Floats]:
        """Finds free places, uniformly distributed over the image, and marks them as occupied.

        Args:
            kinds: Allowed materials, at the place and ``clearance`` metres around it.
            count: Most places; there are fewer if the room is not enough.
            clearance: Distance in metres to other objects.
            far: Largest distance in metres from the camera, on the ground.
            margin: Share of the image that is left out at each edge.
        """
        height, width = self._camera.size
        edge = np.array([width, height]) * margin
        pixels = self._rng.uniform(edge, np.array([width, height]) - edge, (240, 2))
        points = self._camera.on_ground(pixels)
        reach = np.linalg.norm(points - np.asarray(self._camera.position[:2]), axis=1)
        points = points[np.isfinite(reach) & (reach < far)]
        free = self.is_free(points, kinds)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            free &= self.is_free(points + np.array([dx, dy]) * clearance, kinds)
        chosen: list[Floats] = []
        for point in points[free]:
            if len(chosen) == count:
                break
            if all(np.hypot(*(point - other)) > 2 * clearance for other in chosen):
                chosen.append(point)
                self.take(point, clearance)
        return chosen


def _cells(points: Floats) -> npt.NDArray[np.int32]:
    return np.rint((np.clip(points, -1e5, 1e5) + _REACH) / _CELL).astype(np.int32)
