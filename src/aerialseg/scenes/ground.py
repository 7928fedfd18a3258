"""Paints the ground with its textures, shadows and haze."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.scenes.camera import NEAR, Camera, Floats
from aerialseg.scenes.labels import Label
from aerialseg.scenes.light import Light
from aerialseg.scenes.noise import TILE, noise_tile
from aerialseg.scenes.paint import Canvas, fill
from aerialseg.scenes.surfaces import Surface, Terrain

Singles = npt.NDArray[np.float32]


def _table(*values: float) -> Singles:
    """A look-up table with one value per material, in the order of ``Material``."""
    table = np.zeros(256, dtype=np.float32)
    table[: len(values)] = values
    return table


# Per material: contrast of coarse and of fine texture, how much browner bright patches of the
# coarse texture are, and the highest share of sky that is reflected.
_BROAD = _table(0.09, 0.07, 0.03, 0.035, 0.02, 0.07)
_FINE = _table(0.13, 0.1, 0.05, 0.045, 0.06, 0.2)
_HUE = _table(0.05, 0.02, 0.0, 0.0, 0.0, 0.03)
_MIRROR = _table(0.0, 0.0, 0.0, 0.0, 0.75)


class View(NamedTuple):
    """Where the ray through each pixel meets the ground, all ``(H, W)`` float32.

    Args:
        east: World x of the ground point, in metres.
        north: World y of the ground point, in metres.
        reach: Length of the ray to the ground, in metres; very large above the horizon.
        rise: Sine of the ray's elevation: 0 at the horizon, 1 straight up, -1 straight down.
    """

    east: Singles
    north: Singles
    reach: Singles
    rise: Singles


def trace_ground(camera: Camera) -> View:
    """Intersects the ray through each pixel with the ground."""
    height, width = camera.size
    down_axis, columns = np.arange(height), np.arange(width)
    across = ((columns - camera.centre[0]) / camera.focal).astype(np.float32)[None]
    down = ((down_axis - camera.centre[1]) / camera.focal).astype(np.float32)[:, None]
    axes = camera.axes.astype(np.float32)
    x, y, z = (axes[0, i] * across + axes[1, i] * down + axes[2, i] for i in range(3))
    length = np.sqrt(1 + across**2 + down**2)
    reach = np.float32(camera.position[2]) / np.maximum(-z, np.float32(1e-4))
    east = np.float32(camera.position[0]) + x * reach
    north = np.float32(camera.position[1]) + y * reach
    return View(east, north, reach * length, z / length)


def paint_ground(
    canvas: Canvas,
    land: Terrain,
    camera: Camera,
    light: Light,
    view: View,
    *,
    shadow: Canvas,
    shift: Floats,
) -> None:
    """Paints the terrain without the objects on it.

    Args:
        canvas: ``(H, W, 4)`` red, green, blue, mask id.
        land: The terrain.
        camera: The camera.
        light: Haze and darkness of the shadows.
        view: The camera's rays, from :func:`trace_ground`.
        shadow: ``(H, W)`` uint8, 255 where the ground is in shadow.
        shift: ``(4,)`` texels by which the textures of this world are moved.
    """
    materials = np.zeros(canvas.shape[:2], dtype=np.uint8)
    canvas[:] = (*(round(c) for c in land.grass), int(Label.BACKGROUND))
    for surface, outline in _outlines(land, camera):
        fill(canvas, outline, (*surface.colour, float(surface.label)))
        fill(materials, outline, (float(surface.material),))
    dim = 1 - np.exp(view.reach * np.float32(-1 / light.visibility))
    # Water reflects more sky at grazing angles.
    glance = (1 + view.rise) ** 2
    pale = np.maximum(dim, glance * glance * cv2.LUT(materials, _MIRROR))
    gain, hue = _texture(materials, view, shift)
    dark = cv2.GaussianBlur(shadow, (0, 0), 1.2) * np.float32(light.shadow / 255)
    clear = 1 - pale
    gains = [
        # Shadows are lit by the blue sky only, so they darken red more than blue.
        clear * (gain + tone * hue) * (1 - dark * np.float32(share))
        for tone, share in ((1, 1.0), (0, 0.97), (-1, 0.9))
    ]
    flat = cv2.cvtColor(canvas, cv2.COLOR_RGBA2RGB)
    colour = cv2.multiply(flat, cv2.merge(gains), dtype=cv2.CV_32F)
    veil = cv2.merge([pale * np.float32(h) for h in light.haze])
    final = cv2.add(colour, veil, dtype=cv2.CV_8U)
    cv2.mixChannels([final], [canvas], [0, 0, 1, 1, 2, 2])


def _outlines(land: Terrain, camera: Camera) -> Iterator[tuple[Surface, Floats]]:
    """The visible surfaces and their outlines in pixels, in painting order."""
    corners = np.concatenate([surface.polygon for surface in land.surfaces])
    starts = np.cumsum([0] + [len(surface.polygon) for surface in land.surfaces])
    pixels, depth = camera.project(np.column_stack([corners, np.zeros(len(corners))]))
    nearest = np.minimum.reduceat(depth, starts[:-1])
    low = np.minimum.reduceat(pixels, starts[:-1])
    high = np.maximum.reduceat(pixels, starts[:-1])
    height, width = camera.size
    outside = (high < 0).any(axis=1) | (low > [width, height]).any(axis=1)
    tiny = (high - low).max(axis=1) < 1.0
    hidden = np.asarray(outside | tiny)
    for i, surface in enumerate(land.surfaces):
        if nearest[i] >= NEAR:
            if not hidden[i]:
                yield surface, pixels[starts[i] : starts[i + 1]]
        else:
            foot = np.column_stack([surface.polygon, np.zeros(len(surface.polygon))])
            yield surface, camera.outline(foot)


def _texture(materials: Canvas, view: View, shift: Floats) -> tuple[Singles, Singles]:
    """Gain and hue shift of the ground; texture finer than a pixel fades with distance."""
    fade = np.minimum(np.float32(1), np.float32(22) / view.reach)
    broad = _sampled(noise_tile(1.3), view, scale=3.0, shift=shift[:2])
    broad *= np.minimum(np.float32(1), np.float32(160) / view.reach)
    fine = _sampled(noise_tile(0.55, 1), view, scale=14.0, shift=shift[2:]) * fade
    gain = 1 + broad * cv2.LUT(materials, _BROAD) + fine * cv2.LUT(materials, _FINE)
    return gain, broad * cv2.LUT(materials, _HUE)


def _sampled(tile: Singles, view: View, *, scale: float, shift: Floats) -> Singles:
    """The noise tile repeated over the ground at ``scale`` texels per metre."""
    planes: list[Singles] = []
    for plane, move in ((view.east, shift[0]), (view.north, shift[1])):
        texels = np.clip(plane, -2000, 2000) * np.float32(scale) + np.float32(move)
        planes.append(texels - TILE * np.floor(texels * np.float32(1 / TILE)))
    return np.asarray(
        cv2.remap(tile, planes[0], planes[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    )
