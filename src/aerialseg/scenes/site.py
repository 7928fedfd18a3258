"""The state of a terrain while objects are placed on it."""

from dataclasses import dataclass, field

import numpy as np

from aerialseg.scenes.camera import Camera, Floats
from aerialseg.scenes.plan import Plan
from aerialseg.scenes.solids import Model, Thing
from aerialseg.scenes.surfaces import Material, Road, Terrain

OPEN = (Material.GRASS, Material.SOIL)
WALKED = (Material.GRASS, Material.SOIL, Material.PAVED)

# Probability that a kind of object occurs, by setting.
_SHARES: dict[str, dict[str, float]] = {
    "houses": {"street": 1.0, "junction": 0.9, "farm": 0.6, "shore": 0.6, "park": 0.4},
    "house": {"street": 0.75, "junction": 0.6, "farm": 0.28, "shore": 0.4, "park": 0.22},
    "traffic": {"street": 0.95, "junction": 1.0, "farm": 0.5, "shore": 0.6, "park": 0.35},
    "bikes": {"street": 0.8, "junction": 0.8, "farm": 0.55, "shore": 0.7, "park": 0.8},
    "animals": {"street": 0.3, "junction": 0.15, "farm": 0.9, "shore": 0.4, "park": 0.6},
    "people": {"street": 0.9, "junction": 0.9, "farm": 0.6, "shore": 0.85, "park": 0.95},
    "fence": {"street": 0.3, "junction": 0.3, "farm": 0.75, "shore": 0.3, "park": 0.5},
}


@dataclass(slots=True)
class Objects:
    """All objects on the terrain.

    Args:
        things: The objects as placed in the first frame.
        pace: Movement of each object per frame, metres east and north.
    """

    things: list[Thing] = field(default_factory=list)
    pace: list[tuple[float, float]] = field(default_factory=list)

    def add(self, thing: Thing, *, heading: float = 0.0, step: float = 0.0) -> None:
        """Adds an object that moves ``step`` metres per frame along ``heading``."""
        self.things.append(thing)
        self.pace.append((step * float(np.sin(heading)), step * float(np.cos(heading))))


class Site:
    """The terrain, the map of occupied places, and the objects placed so far.

    Args:
        rng: Makes all random choices.
        setting: The kind of terrain, as in :func:`~aerialseg.scenes.land.draw_land`.
        land: The terrain to fill.
        camera: The camera; small objects are placed near enough to it to be recognisable.
    """

    def __init__(
        self, rng: np.random.Generator, setting: str, land: Terrain, camera: Camera
    ) -> None:
        self.rng, self.setting, self.land, self.camera = rng, setting, land, camera
        self.plan = Plan(land, camera, rng)
        self.objects = Objects()

    def visible_distance(self, metres: float, pixels: float) -> float:
        """The distance at which an object of this size still spans so many rows of 192."""
        return metres * self.camera.focal / self.camera.size[0] * 192 / pixels

    def occurs(self, what: str) -> bool:
        """Whether a kind of object occurs here, drawn with its probability in this setting."""
        return bool(self.rng.random() < _SHARES[what][self.setting])

    def any_heading(self) -> float:
        """A random heading, in radians."""
        return float(self.rng.uniform(0, 2 * np.pi))

    def reach(self, spot: Floats) -> float:
        """Distance in metres, on the ground, from the camera's nadir to a place."""
        return float(np.linalg.norm(spot - np.asarray(self.camera.position[:2])))

    def nearest(self, spot: Floats) -> tuple[Road, int]:
        """The road nearest to a place, and the index of the nearest point of its line."""
        away = [np.linalg.norm(road.line - spot, axis=1) for road in self.land.roads]
        best = int(np.argmin([distances.min() for distances in away]))
        road = self.land.roads[best]
        return road, min(max(int(np.argmin(away[best])), 1), len(road.line) - 2)

    def put(
        self, model: Model, spot: Floats, heading: float, *, scale: float = 1.0, step: float = 0.0
    ) -> None:
        """Places a model that moves ``step`` metres per frame along its heading."""
        thing = model.place(float(spot[0]), float(spot[1]), heading=heading, scale=scale)
        self.objects.add(thing, heading=heading, step=step)
