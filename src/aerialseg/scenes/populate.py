"""Fills a terrain: buildings first, then moving objects, then obstacles and trees."""

import numpy as np

from aerialseg.scenes.camera import Camera
from aerialseg.scenes.moving import drive_cars, graze_animals, launch_boats, ride_bikes, walk_people
from aerialseg.scenes.site import Objects, Site
from aerialseg.scenes.standing import build, land_jetties, plant, put_obstacles
from aerialseg.scenes.surfaces import Terrain


def populate(rng: np.random.Generator, setting: str, land: Terrain, camera: Camera) -> Objects:
    """All objects on the terrain, arranged for a camera.

    Args:
        rng: Makes all random choices.
        setting: The kind of terrain, as in :func:`~aerialseg.scenes.land.draw_land`.
        land: The terrain to fill.
        camera: The camera; small objects are placed near enough to it to be recognisable.
    """
    site = Site(rng, setting, land, camera)
    for place in (
        build,
        land_jetties,
        launch_boats,
        drive_cars,
        ride_bikes,
        graze_animals,
        walk_people,
        put_obstacles,
        plant,
    ):
        place(site)
    return site.objects
