"""Fills a piece of land: what stands first, then whoever uses it, then trees in the gaps."""

import numpy as np

from aerialseg.scenes.camera import Camera
from aerialseg.scenes.moving import drive_cars, graze_animals, launch_boats, ride_bikes, walk_people
from aerialseg.scenes.site import Crowd, Site
from aerialseg.scenes.standing import build, land_jetties, plant, put_obstacles
from aerialseg.scenes.surfaces import Layout


def populate(rng: np.random.Generator, setting: str, land: Layout, camera: Camera) -> Crowd:
    """Everything that stands or moves on the land, arranged for a camera.

    Args:
        rng: Draws what goes where.
        setting: The kind of land, as in :func:`~aerialseg.scenes.land.draw_land`.
        land: What to fill.
        camera: For whom: what is small is put near enough to be made out.
    """
    site = Site(rng, setting, land, camera)
    for fill in (
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
        fill(site)
    return site.crowd
