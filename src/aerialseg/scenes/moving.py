"""Places objects that move: boats, cars, bikes, animals, people."""

import numpy as np

from aerialseg.scenes import creatures, vehicles
from aerialseg.scenes.camera import Floats
from aerialseg.scenes.site import OPEN, WALKED, Site
from aerialseg.scenes.surfaces import Material, turned


def launch_boats(site: Site) -> None:
    """Places boats on the water."""
    if not site.land.shores:
        return
    count = int(site.rng.integers(3, 7))
    for spot in site.plan.find(
        (Material.WATER,), count, clearance=2.6, far=site.visible_distance(6.5, 9)
    ):
        heading, size = site.any_heading(), float(site.rng.uniform(0.75, 1.2))
        site.put(vehicles.boat(site.rng), spot, heading, scale=size, step=0.6)


def drive_cars(site: Site) -> None:
    """Places cars in car parks and in lanes, or on open ground where no road is paved."""
    if not site.occurs("traffic"):
        return
    far = site.visible_distance(4.6, 15)
    for x, y, heading in site.land.bays:
        if site.rng.random() < 0.6:
            spot = np.array([x, y])
            site.plan.take(spot, 1.6)
            site.put(vehicles.car(site.rng), spot, heading)
    count = int(site.rng.integers(2, 6))
    kinds = (Material.ASPHALT,) if site.land.roads[0].paved else OPEN
    queue: list[Floats] = []
    for found in site.plan.find(kinds, count, clearance=2.2, far=far):
        spot, heading = _nearest_lane(site, found)
        if any(np.hypot(*(spot - other)) < 6.5 for other in queue):
            continue
        queue.append(spot)
        site.plan.take(spot, 2.4)
        site.put(vehicles.car(site.rng), spot, heading, step=float(site.rng.uniform(0, 4)))


def ride_bikes(site: Site) -> None:
    """Places bicycles and scooters, most of them with a rider."""
    if not site.occurs("bikes"):
        return
    kinds = (Material.ASPHALT, Material.PAVED, Material.SOIL)
    count = int(site.rng.integers(2, 5))
    spots = site.plan.find(kinds, count, clearance=0.9, far=site.visible_distance(2.2, 13))
    if not spots:
        spots = site.plan.find(WALKED, 2, clearance=0.9, far=site.visible_distance(2.2, 13))
    for found in spots:
        road, step = site.nearest(found)
        heading = road.heading(step) + (np.pi if site.rng.random() < 0.5 else 0.0)
        ridden = bool(site.rng.random() < 0.7)
        make = vehicles.bicycle if site.rng.random() < 0.5 else vehicles.scooter
        if not ridden:
            heading = site.any_heading()
        model = make(site.rng, ridden=ridden)
        site.put(model, found, heading, scale=1.4, step=1.5 if ridden else 0.0)


def graze_animals(site: Site) -> None:
    """Places cattle, sheep or dogs."""
    if not site.occurs("animals"):
        return
    grazing = site.setting == "farm" or site.rng.random() < 0.4
    make = creatures.dog
    if grazing:
        make = creatures.cow if site.rng.random() < 0.6 else creatures.sheep
    length = 2.4 if make is creatures.cow else 1.6
    count = int(site.rng.integers(3, 8)) if grazing else int(site.rng.integers(2, 4))
    kinds = OPEN if grazing else WALKED
    for spot in site.plan.find(kinds, count, clearance=1.3, far=site.visible_distance(length, 11)):
        scale = 1.2 if make is creatures.cow else 1.4
        site.put(make(site.rng), spot, site.any_heading(), scale=scale, step=0.3)


def walk_people(site: Site) -> None:
    """Places pedestrians anywhere except in fields and water."""
    if not site.occurs("people"):
        return
    kinds = (*WALKED, Material.ASPHALT)
    count = int(site.rng.integers(2, 8))
    for spot in site.plan.find(kinds, count, clearance=0.6, far=site.visible_distance(2.1, 10)):
        heading, step = site.any_heading(), float(site.rng.uniform(0, 1.2))
        site.put(creatures.person(site.rng), spot, heading, scale=1.2, step=step)


def _nearest_lane(site: Site, found: Floats) -> tuple[Floats, float]:
    """The nearest point in a lane, and the heading of traffic there."""
    road, step = site.nearest(found)
    heading = road.heading(step)
    across, ahead = turned((found - road.line[step])[None], -heading)[0]
    if abs(across) > road.width:
        return found, site.any_heading()
    side = 1.0 if across >= 0 else -1.0
    lane = side * road.width / 4 if road.paved else 0.0
    spot = road.line[step] + turned(np.array([[lane, ahead]]), heading)[0]
    return spot, heading if side > 0 else heading + np.pi
