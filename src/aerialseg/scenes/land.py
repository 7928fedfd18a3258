"""Generates a terrain: roads with their markings, water, fields, car parks."""

import numpy as np

from aerialseg.scenes.camera import Floats
from aerialseg.scenes.labels import Label
from aerialseg.scenes.solids import Colour
from aerialseg.scenes.surfaces import (
    Material,
    Road,
    Terrain,
    blob,
    curve,
    dashes,
    rectangle,
    shaded,
    turned,
)

_GRASSES: tuple[Colour, ...] = ((118, 134, 74), (134, 138, 82), (104, 126, 70), (152, 144, 96))
_SOILS: tuple[Colour, ...] = ((158, 132, 98), (140, 116, 88), (176, 156, 120))
_CROPS: tuple[Colour, ...] = ((86, 122, 52), (70, 104, 54), (112, 130, 58))
_WATERS: tuple[Colour, ...] = ((58, 92, 106), (66, 104, 98), (52, 80, 112))
_PAVING: Colour = (188, 182, 172)
_PAINT: Colour = (226, 226, 220)


def draw_land(rng: np.random.Generator, setting: str, ahead: Floats) -> Terrain:
    """The terrain around the origin, which is the point that the camera looks at.

    Args:
        rng: Makes all random choices.
        setting: ``street``, ``junction``, ``farm``, ``shore`` or ``park``.
        ahead: ``(2,)`` viewing direction on the ground; water is placed where it is visible.
    """
    land = Terrain(grass=_random_colour(rng, _GRASSES))
    for _ in range(int(rng.integers(3, 8))):
        spot, size = rng.uniform(-45, 45, 2), rng.uniform(2, 9, 2)
        patch = _random_colour(rng, _SOILS) if rng.random() < 0.5 else shaded(land.grass, 1.14)
        land.add(blob(rng, spot, (size[0], size[1])), patch, Label.BACKGROUND, Material.SOIL)
    through, heading = rng.uniform(-5, 5, 2), float(rng.uniform(0, np.pi))
    paved = setting not in ("farm", "park") or rng.random() < 0.3
    width = float(rng.uniform(6.5, 9.0)) if paved else float(rng.uniform(3.4, 4.6))
    bend = float(rng.uniform(-0.5, 0.5)) if setting != "junction" else 0.0
    road = Road(curve(through, heading, bend), width, paved)
    if setting == "farm" or rng.random() < 0.25:
        _fields(rng, land, road)
    if setting == "shore" or (setting == "park" and rng.random() < 0.75):
        _water(rng, land, road, ahead)
    if setting in ("street", "junction") and rng.random() < 0.5:
        _car_park(rng, land, road)
    if setting == "junction":
        across = curve(through, heading + np.pi / 2 + float(rng.uniform(-0.2, 0.2)), 0.0)
        other = Road(across, float(rng.uniform(6.5, 8.0)), paved=True)
        _add_roads(rng, land, [other, road], urban=True)
    else:
        _add_roads(rng, land, [road], urban=setting in ("street", "shore"))
    return land


def _add_roads(rng: np.random.Generator, land: Terrain, roads: list[Road], *, urban: bool) -> None:
    """Adds all verges before any road surface, so that no pavement crosses a road."""
    grey = float(rng.uniform(98, 136))
    asphalt: Colour = (grey * 1.01, grey, grey)
    land.roads.extend(roads)
    for road in roads:
        reach = road.width / 2 + (2.2 if urban else 0.8)
        colour, material = (_PAVING, Material.PAVED) if urban else (_SOILS[2], Material.SOIL)
        if road.paved:
            land.add(road.band(-reach, reach), colour, Label.BACKGROUND, material)
    for road in roads:
        if road.paved:
            _tarmac(rng, land, road, asphalt)
        else:
            _track(rng, land, road)
    if len(roads) > 1:
        _crossing(rng, land, roads, asphalt)


def _tarmac(rng: np.random.Generator, land: Terrain, road: Road, asphalt: Colour) -> None:
    """Adds an asphalt road with wheel tracks, edge lines and a dashed centre line."""
    half, worn = road.width / 2, shaded(asphalt, 0.94)
    land.add(road.band(-half, half), asphalt, Label.ROAD, Material.ASPHALT)
    for lane in (-half / 2, half / 2):
        for wheel in (-0.65, 0.65):
            strip = road.band(lane + wheel - 0.25, lane + wheel + 0.25)
            land.add(strip, worn, Label.ROAD, Material.ASPHALT)
    for side in (-1, 1):
        edge = road.band(side * (half - 0.35) - 0.08, side * (half - 0.35) + 0.08)
        land.add(edge, _PAINT, Label.ROAD, Material.ASPHALT)
    paint: Colour = (222, 180, 70) if rng.random() < 0.3 else _PAINT
    for dash in dashes(road, offset=0.0, dash=2.6, gap=3.6, width=0.2):
        land.add(dash, paint, Label.ROAD, Material.ASPHALT)


def _track(rng: np.random.Generator, land: Terrain, road: Road) -> None:
    half = road.width / 2
    gravel: Colour = shaded((184, 166, 138), float(rng.uniform(0.9, 1.1)))
    land.add(road.band(-half, half), gravel, Label.ROAD, Material.SOIL)
    for lane in (-half * 0.45, half * 0.45):
        rut = road.band(lane - 0.35, lane + 0.35)
        land.add(rut, shaded(gravel, 1.1), Label.ROAD, Material.SOIL)


def _crossing(rng: np.random.Generator, land: Terrain, roads: list[Road], asphalt: Colour) -> None:
    """Adds a junction: unmarked asphalt in the middle, zebra crossings around it."""
    middle = roads[0].line[30]
    reach = max(road.width for road in roads) / 2 + 1.2
    angles = np.linspace(0, 2 * np.pi, 25)[:-1]
    disc = middle + reach * 1.18 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    land.add(disc, asphalt, Label.ROAD, Material.ASPHALT)
    for road in roads:
        heading = road.heading(30)
        for side in (-1, 1):
            if rng.random() < 0.8:
                _zebra(land, middle, heading, side * (reach + 1.9), road.width)


def _zebra(land: Terrain, middle: Floats, heading: float, distance: float, width: float) -> None:
    for across in np.arange(-width / 2 + 0.7, width / 2 - 0.4, 1.0):
        spot = turned(np.array([[across, distance]]), heading)[0] + middle
        land.add(rectangle(spot, (0.5, 2.8), heading), _PAINT, Label.ROAD, Material.ASPHALT)


def _fields(rng: np.random.Generator, land: Terrain, road: Road) -> None:
    """Adds one or two fields beside the road, with rows of crop or furrows."""
    sides = (-1, 1) if rng.random() < 0.6 else (int(rng.choice([-1, 1])),)
    for side in sides:
        step = int(rng.integers(26, 35))
        heading = road.heading(step)
        size = (float(rng.uniform(16, 30)), float(rng.uniform(20, 40)))
        offset = side * (road.width / 2 + 2.5 + size[0] / 2)
        centre = road.line[step] + turned(np.array([[offset, 0.0]]), heading)[0]
        tilled = rng.random() < 0.25
        colour = _random_colour(rng, _SOILS) if tilled else _random_colour(rng, _CROPS)
        label = Label.BACKGROUND if tilled else Label.VEGETATION
        material = Material.SOIL if tilled else Material.CROP
        land.add(rectangle(centre, size, heading), colour, label, material)
        gap = float(rng.uniform(1.1, 1.8))
        for row in np.arange(-size[0] / 2 + gap / 2, size[0] / 2, gap):
            spot = centre + turned(np.array([[row, 0.0]]), heading)[0]
            furrow = rectangle(spot, (gap * 0.45, size[1]), heading)
            land.add(furrow, shaded(colour, 0.78), label, material)


def _water(rng: np.random.Generator, land: Terrain, road: Road, ahead: Floats) -> None:
    """Adds a lake or a river beside the road, on the side that the camera sees more of."""
    step = int(rng.integers(28, 33))
    along = road.line[step + 1] - road.line[step]
    right = np.array([along[1], -along[0]]) / np.linalg.norm(along)
    side = 1.0 if right @ ahead > 0 else -1.0
    colour, sand = _random_colour(rng, _WATERS), _random_colour(rng, _SOILS)
    margin = road.width / 2 + float(rng.uniform(3.5, 6.0))
    if rng.random() < 0.4:
        near, far = sorted((side * margin, side * (margin + float(rng.uniform(16, 30)))))
        shore = road.band(near, far)
        land.add(road.band(near - 1.0, far + 1.0), sand, Label.BACKGROUND, Material.SOIL)
    else:
        radius = float(rng.uniform(15, 30))
        centre = road.line[step] + side * right * (margin + radius)
        shore = blob(rng, centre, (radius, radius))
        outer = centre + (shore - centre) * 1.07
        land.add(outer, sand, Label.BACKGROUND, Material.SOIL)
    land.add(shore, colour, Label.BACKGROUND, Material.WATER)
    land.shores.append(shore)


def _car_park(rng: np.random.Generator, land: Terrain, road: Road) -> None:
    """Adds a car park beside the road, with marked bays."""
    step, side = int(rng.integers(27, 34)), int(rng.choice([-1, 1]))
    heading = road.heading(step)
    offset = side * (road.width / 2 + 2.2 + 6.0)
    centre = road.line[step] + turned(np.array([[offset, 0.0]]), heading)[0]
    grey = float(rng.uniform(104, 130))
    land.add(
        rectangle(centre, (12.0, 22.0), heading),
        (grey, grey, grey * 0.98),
        Label.ROAD,
        Material.ASPHALT,
    )
    for y in np.arange(-10.5, 10.6, 3.0):
        spot = centre + turned(np.array([[side * 3.2, y]]), heading)[0]
        land.add(rectangle(spot, (5.2, 0.14), heading), _PAINT, Label.ROAD, Material.ASPHALT)
        if y < 10:
            bay = centre + turned(np.array([[side * 3.2, y + 1.5]]), heading)[0]
            land.bays.append((float(bay[0]), float(bay[1]), heading + side * np.pi / 2))


def _random_colour(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    return shaded(colours[int(rng.integers(len(colours)))], float(rng.uniform(0.9, 1.1)))
