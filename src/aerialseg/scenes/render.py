"""Renders images and masks."""

import cv2
import numpy as np
import numpy.typing as npt

from aerialseg.scenes.camera import Camera
from aerialseg.scenes.ground import paint_ground, trace_ground
from aerialseg.scenes.labels import Label
from aerialseg.scenes.noise import TILE, noise_tile
from aerialseg.scenes.paint import Canvas, paint_shadow, paint_thing
from aerialseg.scenes.sky import DISTANT, paint_horizon, paint_sky
from aerialseg.scenes.world import OtherDrone, World, draw_world

_OVERSAMPLING = 2  # antialiases the image; the mask keeps hard edges

# Contrast of the surface texture by class id; sky and ground have their own texture.
_ROUGHNESS = np.zeros(256, dtype=np.float32)
_ROUGHNESS[:10] = (0.02, 0.04, 0.04, 0.025, 0.025, 0.03, 0.06, 0.025, 0.035, 0.14)
_ROUGHNESS[DISTANT | Label.VEGETATION] = 0.04


def render_scene(
    seed: int, size: tuple[int, int], *, sequence: int = 0, frame: int = 0
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """One drone image with its mask, a function of the arguments alone.

    Args:
        seed: Seed of all worlds, 0 or more.
        size: Height and width in pixels.
        sequence: Index of the world.
        frame: Index of the frame in the flight over it; neighbouring frames overlap widely.

    Returns:
        Image ``(H, W, 3)`` uint8 RGB, and mask ``(H, W)`` uint8 of AeroScapes ids.
    """
    return render_frame(sequence_world(seed, size, sequence), seed, sequence, frame)


def sequence_world(seed: int, size: tuple[int, int], sequence: int) -> World:
    """The world of a sequence, for :func:`render_frame`."""
    height, width = size
    large = (height * _OVERSAMPLING, width * _OVERSAMPLING)
    return draw_world(np.random.default_rng([seed, sequence]), large)


def render_frame(
    world: World, seed: int, sequence: int, frame: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """One frame of a world, as :func:`render_scene` returns it."""
    camera = world.frame_camera(frame)
    canvas = np.empty((*camera.size, 4), dtype=np.uint8)
    view = trace_ground(camera)
    things = world.frame_things(frame, camera)
    shadow = np.zeros(camera.size, dtype=np.uint8)
    for thing in things:
        paint_shadow(shadow, thing, camera, world.light)
    paint_ground(canvas, world.land, camera, world.light, view, shadow=shadow, shift=world.texture)
    paint_sky(canvas, camera, world.light, view, world.texture)
    paint_horizon(canvas, camera, world.light, world.texture)
    for thing in things:
        paint_thing(canvas, thing, camera, world.light)
    if world.other_drone is not None:
        _paint_other_drone(canvas, world.other_drone, camera, world, frame)
    return _apply_camera_effects(canvas, world, np.random.default_rng([seed, sequence, frame, 1]))


def _paint_other_drone(
    canvas: Canvas, other_drone: OtherDrone, camera: Camera, world: World, frame: int
) -> None:
    """Paints the other drone at its place in this frame."""
    height, width = camera.size
    pixel = (other_drone.place + other_drone.drift * frame) * [width, height]
    spot = np.asarray(camera.position) + camera.rays(pixel) * other_drone.distance
    thing = other_drone.thing.moved(float(spot[0]), float(spot[1]), max(float(spot[2]), 1.5))
    paint_thing(canvas, thing, camera, world.light)


def _apply_camera_effects(
    canvas: Canvas, world: World, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Downsamples the canvas, then adds surface texture, blur, vignette, tint and noise."""
    ids = np.ascontiguousarray(canvas[::_OVERSAMPLING, ::_OVERSAMPLING, 3])
    height, width = ids.shape
    flat = cv2.cvtColor(canvas, cv2.COLOR_RGBA2RGB)
    image = cv2.resize(flat, (width, height), interpolation=cv2.INTER_AREA)
    x, y = rng.integers(0, TILE, 2)
    rows, columns = (np.arange(height) + y) % TILE, (np.arange(width) + x) % TILE
    grain = 1 + noise_tile(0.5, 9)[rows][:, columns] * cv2.LUT(ids, _ROUGHNESS)
    rough = cv2.multiply(image, cv2.merge([grain] * 3), dtype=cv2.CV_32F)
    rough = cv2.GaussianBlur(rough, (0, 0), float(rng.uniform(0.3, 0.55)))
    down, across = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    vignette = (1 - rng.uniform(0.02, 0.12) * (down**2 + across**2)).astype(np.float32)
    lens = cv2.merge([vignette * np.float32(tint) for tint in world.light.tint])
    exposed = cv2.multiply(rough, lens)
    level = np.float32(rng.uniform(1, 3.5))
    noise = level * rng.standard_normal((height, width, 3), dtype=np.float32)
    final = np.asarray(cv2.add(exposed, noise, dtype=cv2.CV_8U), dtype=np.uint8)
    return final, ids & np.uint8(DISTANT - 1)
