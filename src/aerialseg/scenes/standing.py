"""Places objects that do not move: houses, jetties, lamps, fences, trees."""

import numpy as np

from aerialseg.scenes import buildings, obstacles, plants
from aerialseg.scenes.site import OPEN, Site
from aerialseg.scenes.surfaces import Material, Road, rectangle, turned


def build(site: Site) -> None:
    """Places houses, or larger blocks in town, in rows along the roads."""
    if not site.occurs("houses"):
        return
    tall = site.setting == "junction" or (site.setting == "street" and site.rng.random() < 0.3)
    limit = max(3.0, min(site.camera.position[2] - 2.0, 11.0))
    for road in site.land.roads:
        for step in range(16, 46, 3):
            for side in (-1, 1):
                if site.occurs("house"):
                    _place_building(site, road, step, side, tall=tall, limit=limit)


def land_jetties(site: Site) -> None:
    """Places up to two jetties, from the shore towards the middle of the water."""
    if not site.land.shores:
        return
    shore = site.land.shores[0]
    for _ in range(int(site.rng.integers(0, 3))):
        i = int(site.rng.integers(len(shore)))
        out = shore.mean(axis=0) - shore[i]
        heading = float(np.arctan2(out[0], out[1]))
        spot = shore[i] + out / np.linalg.norm(out) * 3.0
        site.plan.take(spot, 3.0)
        site.put(buildings.jetty(length=8.0), spot, heading)


def put_obstacles(site: Site) -> None:
    """Places lamps or poles along the roads, fences, signs, bollards and barriers."""
    for road in site.land.roads:
        _place_row(site, road)
        if site.occurs("fence"):
            _place_fence(site, road)
    makers = (obstacles.bollard, obstacles.barrier, obstacles.sign)
    count = int(site.rng.integers(1, 6))
    kinds = (Material.PAVED, Material.SOIL, Material.GRASS)
    for spot in site.plan.find(kinds, count, clearance=0.8, far=site.visible_distance(2.0, 8)):
        model = makers[int(site.rng.integers(3))](site.rng)
        site.put(model, spot, site.any_heading(), scale=1.3)


def plant(site: Site) -> None:
    """Places trees and shrubs: some spread over the image, some in groups."""
    count = int(site.rng.integers(8, 24))
    spots = site.plan.find((Material.GRASS,), count, clearance=2.2, far=150.0, margin=0.0)
    for _ in range(int(site.rng.integers(0, 4))):
        middle = site.rng.uniform(-80, 80, 2)
        wood = middle + site.rng.normal(0, 6.0, (10, 2))
        spots += list(wood[site.plan.is_free(wood, (Material.GRASS,))])
    leafy = site.rng.random() < 0.75
    for spot in spots:
        distance = site.reach(spot)
        detail = int(np.clip(1100 / (distance + 12), 9, 36))
        kind = site.rng.random()
        if kind < 0.3 or distance < 14:
            model = plants.shrub(site.rng, detail=detail)
        else:
            make = plants.broadleaf if leafy or kind < 0.5 else plants.conifer
            model = make(site.rng, height=float(site.rng.uniform(4.5, 9)), detail=detail)
        site.put(model, spot, 0.0)


def _place_building(
    site: Site, road: Road, step: int, side: int, *, tall: bool, limit: float
) -> None:
    """Places a building beside a road if its plot is free and not too near the camera."""
    width, length = float(site.rng.uniform(6.5, 9)), float(site.rng.uniform(8, 12))
    if tall:
        width, length = width * 1.3, length * 1.3
    heading = road.heading(step)
    setback = road.width / 2 + 3.5 + width / 2 + float(site.rng.uniform(0, 4))
    spot = road.line[step] + turned(np.array([[side * setback, 0.0]]), heading)[0]
    plot = rectangle(spot, (width + 1.5, length + 1.5), heading)
    grid = np.linspace(-0.5, 0.5, 6)
    inner = np.stack(np.meshgrid(grid * width, grid * length), axis=-1).reshape(-1, 2)
    nearby = site.reach(spot) < 4 + length / 2
    if nearby or not site.plan.is_free(turned(inner, heading) + spot, OPEN).all():
        return
    site.plan.mark(plot, Material.BUILT)
    turn = heading + (np.pi if side > 0 else 0.0)
    if tall:
        height = float(site.rng.uniform(min(4.0, limit), limit))
        model = buildings.block(site.rng, width=width, length=length, height=height)
    elif site.setting == "farm" and site.rng.random() < 0.2:
        model = buildings.silo(site.rng)
    else:
        model = buildings.house(site.rng, width=width, length=length)
    site.objects.add(model.place(float(spot[0]), float(spot[1]), heading=turn))


def _place_row(site: Site, road: Road) -> None:
    """Places a row of lamps along a paved road, or of power poles along a track."""
    make = obstacles.street_lamp if road.paved else obstacles.power_pole
    side = int(site.rng.choice([-1, 1]))
    kinds = (Material.PAVED, *OPEN)
    for step in range(int(site.rng.integers(4)), 61, 4):
        spot = road.side(side * (road.width / 2 + 1.0))[step]
        if site.plan.is_free(spot[None], kinds).all():
            site.plan.take(spot, 0.5)
            turn = road.heading(step) + (np.pi if side > 0 else 0.0)
            site.put(make(site.rng), spot, turn)


def _place_fence(site: Site, road: Road) -> None:
    """Places a fence or a hedge along part of a road."""
    offset = float(site.rng.choice([-1, 1])) * (road.width / 2 + float(site.rng.uniform(3, 6)))
    line = road.side(offset)
    make = obstacles.fence if site.rng.random() < 0.7 else plants.hedge
    first = int(site.rng.integers(20, 30))
    for step in range(first, first + int(site.rng.integers(5, 12))):
        middle, run = (line[step] + line[step + 1]) / 2, line[step + 1] - line[step]
        if site.plan.is_free(np.stack([line[step], middle, line[step + 1]]), OPEN).all():
            model = make(site.rng, length=float(np.linalg.norm(run)))
            site.put(model, middle, float(np.arctan2(run[0], run[1])))
            site.plan.take(middle, 1.5)
