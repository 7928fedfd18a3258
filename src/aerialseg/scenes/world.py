"""A world: terrain, objects, lighting, and the flight of the camera."""

from dataclasses import dataclass

import numpy as np

from aerialseg.scenes.camera import Camera, Floats
from aerialseg.scenes.land import draw_land
from aerialseg.scenes.light import Light, draw_light
from aerialseg.scenes.populate import populate
from aerialseg.scenes.site import Objects
from aerialseg.scenes.solids import Thing
from aerialseg.scenes.surfaces import Terrain
from aerialseg.scenes.vehicles import drone

_SETTINGS = ("street", "junction", "farm", "shore", "park")


@dataclass(frozen=True, slots=True)
class OtherDrone:
    """Another drone, which flies beside the camera.

    Args:
        thing: The drone at the origin.
        place: Column and row in the first frame, as shares of the image's width and height.
        drift: Movement per frame, as shares of the image's width and height.
        distance: Distance in metres from the camera.
    """

    thing: Thing
    place: Floats
    drift: Floats
    distance: float


@dataclass(frozen=True, slots=True)
class World:
    """Everything that the frames of one sequence share."""

    light: Light
    land: Terrain
    objects: Objects
    camera: Camera
    other_drone: OtherDrone | None
    flight: Floats
    texture: Floats

    def frame_camera(self, frame: int) -> Camera:
        """The camera of a frame: the drone moves along its course and turns."""
        east, north, climb, turn = self.flight * frame
        x, y, height = self.camera.position
        c = self.camera
        place = (x + float(east), y + float(north), height + float(climb))
        return Camera(place, c.yaw + float(turn), c.pitch, c.roll, c.focal, c.size)

    def frame_things(self, frame: int, camera: Camera) -> list[Thing]:
        """The objects in view of the camera at their places in this frame, far ones first."""
        anchors = np.array([thing.anchor for thing in self.objects.things])
        moves = np.array(self.objects.pace) * frame
        anchors[:, :2] += moves
        # From above the top of an object decides occlusion, from the side its base.
        anchors[:, 2] *= np.sin(camera.pitch)
        pixels, depth = camera.project(anchors)
        margin = camera.focal * 12 / np.maximum(depth, 1.0)[:, None]
        near = np.asarray((np.abs(pixels - camera.centre) < camera.centre + margin).all(axis=1))
        reach = np.linalg.norm(anchors - np.asarray(camera.position), axis=1)
        order = np.argsort(-reach, kind="stable")
        return [
            self.objects.things[i].moved(*moves[i].tolist())
            for i in order[near[order] & (depth[order] > -5.0)]
        ]


def draw_world(rng: np.random.Generator, size: tuple[int, int]) -> World:
    """A random world for images of ``size``, height and width in pixels."""
    light = draw_light(rng)
    camera = _draw_camera(rng, size)
    setting = str(rng.choice(_SETTINGS, p=[0.2, 0.15, 0.18, 0.3, 0.17]))
    land = draw_land(rng, setting, camera.axes[2, :2])
    objects = populate(rng, setting, land, camera)
    step, course = rng.uniform(1.5, 3.5), camera.yaw + rng.uniform(-1.2, 1.2)
    turn = np.deg2rad(rng.uniform(2, 6)) * rng.choice([-1, 1])
    climb = rng.uniform(-0.5, 0.5)
    flight = np.array([step * np.sin(course), step * np.cos(course), climb, turn])
    return World(
        light, land, objects, camera, _draw_other_drone(rng), flight, rng.uniform(0, 512, 4)
    )


def _draw_camera(rng: np.random.Generator, size: tuple[int, int]) -> Camera:
    """A random camera: horizon in view, oblique, or nearly straight down."""
    view = rng.random()
    if view < 0.52:
        height, pitch, focal = rng.uniform(7, 14), rng.uniform(8, 17), rng.uniform(0.9, 1.15)
        aim = pitch + 9
    elif view < 0.8:
        height, pitch, focal = rng.uniform(10, 17), rng.uniform(26, 48), rng.uniform(0.9, 1.15)
        aim = pitch
    else:
        height, pitch, focal = rng.uniform(17, 26), rng.uniform(66, 88), rng.uniform(0.85, 1.05)
        aim = pitch
    yaw = float(rng.uniform(0, 2 * np.pi))
    away = height / np.tan(np.deg2rad(aim))
    place = (float(-away * np.sin(yaw)), float(-away * np.cos(yaw)), float(height))
    roll = float(np.deg2rad(rng.normal(0, 1.5)))
    pixels = float(focal * max(size[1], 4 / 3 * size[0]))
    return Camera(place, yaw, float(np.deg2rad(pitch)), roll, pixels, size)


def _draw_other_drone(rng: np.random.Generator) -> OtherDrone | None:
    if rng.random() > 0.5:
        return None
    thing = drone(rng).place(0.0, 0.0, heading=float(rng.uniform(0, 2 * np.pi)))
    place, drift = rng.uniform([0.14, 0.12], [0.86, 0.7]), rng.uniform(-0.05, 0.05, 2)
    return OtherDrone(thing, place, drift, float(rng.uniform(6, 10)))
