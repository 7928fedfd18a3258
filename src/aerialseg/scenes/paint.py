"""Paints objects and their shadows.

The canvas has four channels, red, green, blue and class id: each drawing operation writes image
and mask together, so their edges are identical.
"""

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.scenes.camera import NEAR, Camera, Floats
from aerialseg.scenes.light import Light
from aerialseg.scenes.solids import Thing

Canvas = npt.NDArray[np.uint8]

_SHIFT = 3  # fixed-point coordinates for OpenCV: eighths of a pixel
_RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)


def fill(canvas: Canvas, outline: Floats, colour: tuple[float, ...]) -> None:
    """Fills any polygon, given as ``(N, 2)`` pixels, with one value per channel."""
    if len(outline) >= 3:
        corners = np.rint(np.clip(outline, -1e6, 1e6) * 8).astype(np.int32)
        cv2.fillPoly(canvas, [corners], colour, cv2.LINE_8, _SHIFT)


def paint_thing(canvas: Canvas, thing: Thing, camera: Camera, light: Light) -> None:
    """Paints an object over the canvas; returns early if it is out of view."""
    pixels, depth = camera.project(thing.points)
    height, width = camera.size
    (left, top), (right, bottom) = pixels.min(axis=0), pixels.max(axis=0)
    if depth.min() < NEAR or right < 0 or bottom < 0 or left > width or top > height:
        return
    fixed = np.rint(pixels * 8).astype(np.int32)
    middle = depth[thing.ends].mean(axis=1)
    colours = _shaded(thing, middle, light).tolist()
    order = (
        np.argsort(-middle, kind="stable").tolist() if thing.sorted_parts else range(len(middle))
    )
    widths = (2 * camera.focal / middle).tolist()
    for i in order:
        part = thing.parts[i]
        value = (*colours[i], float(part.label))
        run = fixed[part.start : part.stop]
        if part.radius:
            _rod(canvas, run, part.radius * widths[i], value, lit=part.lit)
        elif _faces_us(run):
            cv2.fillConvexPoly(canvas, run, value, cv2.LINE_8, _SHIFT)


def paint_shadow(layer: Canvas, thing: Thing, camera: Camera, light: Light) -> None:
    """Paints the shadow of an object on the ground into a one-channel layer, as 255."""
    slant = light.sun[:2] / light.sun[2]
    for start, stop, radius in thing.shades:
        points = thing.points[start:stop]
        ground = points[:, :2] - points[:, 2:] * slant
        if radius:
            ground = (ground[:, None] + radius * _RING).reshape(-1, 2)
        hull = cv2.convexHull(ground.astype(np.float32))[:, 0].astype(np.float64)
        fill(layer, camera.outline(np.column_stack([hull, np.zeros(len(hull))])), (255.0,))


def _shaded(thing: Thing, depth: Floats, light: Light) -> Floats:
    """``(P, 3)`` colours of the parts after shading and haze."""
    first, last = thing.ends.T
    flat = last - first >= 2
    a, b, c = (thing.points[np.minimum(first + i, last)] for i in range(3))
    (ux, uy, uz), (vx, vy, vz) = (b - a).T, (c - a).T
    normals = np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx])
    lengths = np.sqrt((normals**2).sum(axis=0))
    facing = np.maximum(light.sun @ normals / np.maximum(lengths, 1e-9), 0)
    shade = light.ambient + light.direct * np.where(flat, facing, 0.75)
    clear = np.exp(-depth / light.visibility)[:, None]
    bright = np.minimum(thing.colours * shade[:, None], 255)
    return np.asarray(clear * bright + (1 - clear) * light.haze)


def _rod(
    canvas: Canvas,
    run: npt.NDArray[np.int32],
    thickness: float,
    value: tuple[float, ...],
    *,
    lit: bool,
) -> None:
    """Paints a rod or a ball, with a highlight if it is lit and large enough to show one."""
    _stroke(canvas, run, thickness, value)
    if lit and thickness > 5:
        bright = (*(min(255.0, 1.18 * v + 6) for v in value[:3]), value[3])
        _stroke(canvas, run - np.int32(thickness * 1.2), thickness * 0.45, bright)


def _stroke(
    canvas: Canvas, run: npt.NDArray[np.int32], thickness: float, value: tuple[float, ...]
) -> None:
    """Paints a thick line between two points, or a disc at a single point."""
    if len(run) == 1:
        radius = max(4, round(thickness * 4))
        cv2.circle(canvas, run[0].tolist(), radius, value, cv2.FILLED, cv2.LINE_8, _SHIFT)
    else:
        width = min(max(1, round(thickness)), 255)
        cv2.line(canvas, run[0].tolist(), run[1].tolist(), value, width, cv2.LINE_8, _SHIFT)


def _faces_us(run: npt.NDArray[np.int32]) -> bool:
    (x0, y0), (x1, y1), (x2, y2) = run[:3].tolist()
    return bool((x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0) < 0)
