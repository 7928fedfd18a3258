"""Paints the sky and the hills at the horizon."""

import cv2
import numpy as np

from aerialseg.scenes.camera import Camera, Floats
from aerialseg.scenes.ground import Singles, View
from aerialseg.scenes.labels import Label
from aerialseg.scenes.light import Light
from aerialseg.scenes.noise import TILE, noise_tile
from aerialseg.scenes.paint import Canvas, fill

DISTANT = 16
"""Flag added to the class id on the canvas for objects too distant to show texture."""

_WHITE = 249.0


def paint_sky(canvas: Canvas, camera: Camera, light: Light, view: View, shift: Floats) -> None:
    """Fills the canvas above the horizon with a gradient and clouds, class id included.

    Args:
        canvas: ``(H, W, 4)`` red, green, blue, mask id.
        camera: The camera.
        light: Colours and cloud cover.
        view: The camera's rays, from :func:`~aerialseg.scenes.ground.trace_ground`.
        shift: ``(4,)`` texels by which the clouds of this world are moved.
    """
    above = view.rise > 0
    rows = np.flatnonzero(above.any(axis=1))
    if not len(rows):
        return
    band = slice(0, int(rows[-1]) + 1)
    rise = np.maximum(view.rise[band], 0)
    height = np.sqrt(np.minimum(rise * np.float32(3.2), 1))
    cover = _clouds(camera, rise, light, shift)
    planes = []
    for low, high in zip(light.haze, light.zenith, strict=True):
        plane = np.float32(low) + np.float32(high - low) * height
        planes.append(plane + (np.float32(_WHITE) - plane) * cover)
    above = view.rise[band] > 0
    canvas[band][above] = cv2.merge([*planes, np.full_like(rise, Label.SKY)])[above]


def paint_horizon(canvas: Canvas, camera: Camera, light: Light, shift: Floats) -> None:
    """Paints three rows of hills and woods along the horizon, paler with distance."""
    for distance, low, high, slope, green in (
        (2600.0, 20.0, 210.0, 1.6, (84, 104, 78)),
        (900.0, 8.0, 50.0, 1.3, (78, 100, 66)),
        (340.0, 3.0, 13.0, 0.75, (66, 92, 50)),
    ):
        spread = np.linspace(-0.9, 0.9, 160)
        profile = noise_tile(slope, 3)[int(shift[0] + distance) % TILE, :160].astype(np.float64)
        heights = np.clip(low + (high - low) * (0.35 + 0.3 * profile), 0, None)
        angles = camera.yaw + spread
        east = camera.position[0] + distance * np.sin(angles)
        north = camera.position[1] + distance * np.cos(angles)
        crest = np.column_stack([east, north, heights])
        foot = np.column_stack([east, north, np.zeros(160)])
        clear = float(np.exp(-distance / light.visibility / 2.5))
        colour = light.haze * 0.92 + (np.array(green) - light.haze * 0.92) * clear
        outline = camera.outline(np.concatenate([crest, foot[::-1]]))
        fill(canvas, outline, (*colour.tolist(), float(DISTANT | Label.VEGETATION)))


def _clouds(camera: Camera, rise: Singles, light: Light, shift: Floats) -> Singles:
    """Cloud opacity, 0 to 1: noise on a horizontal plane, seen in perspective."""
    width = rise.shape[1]
    columns = (np.arange(width, dtype=np.float32) - width / 2) / np.float32(camera.focal)
    reach = np.float32(0.9) / (np.maximum(rise, 0) + np.float32(0.22))
    across = columns[None] * reach * 120 + np.float32(shift[1])
    ahead = reach * 190 + np.float32(shift[2])
    noise = cv2.remap(
        noise_tile(1.75, 5),
        np.float32(1) * (across % TILE),
        np.float32(1) * (ahead % TILE),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    density = (noise + np.float32(2.6 * light.clouds - 1.4)) * np.float32(0.8)
    return np.asarray(np.clip(density, 0, 1) * np.minimum(rise * np.float32(14), 1))
