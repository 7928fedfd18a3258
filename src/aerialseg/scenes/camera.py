"""A pinhole camera over flat ground.

World axes: x east, y north, z up, in metres; the ground is z = 0.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NEAR = 1.0
"""The near plane, in metres: nothing closer is drawn."""


@dataclass(frozen=True)
class Camera:
    """Pose and focal length of a camera without lens distortion.

    Args:
        position: x, y and height above ground in metres.
        yaw: Heading in radians, 0 is north and positive is clockwise.
        pitch: Radians below the horizon; half of pi looks straight down.
        roll: Radians about the viewing axis.
        focal: Focal length in pixels.
        size: Height and width of the image in pixels.
    """

    position: tuple[float, float, float]
    yaw: float
    pitch: float
    roll: float
    focal: float
    size: tuple[int, int]

    @cached_property
    def axes(self) -> Floats:
        """``(3, 3)``: rows are the camera's right, down and forward in world axes."""
        sin_yaw, cos_yaw = np.sin(self.yaw), np.cos(self.yaw)
        sin_pitch, cos_pitch = np.sin(self.pitch), np.cos(self.pitch)
        forward = np.array([sin_yaw * cos_pitch, cos_yaw * cos_pitch, -sin_pitch])
        level = np.array([cos_yaw, -sin_yaw, 0.0])
        upright = np.cross(forward, level)
        right = np.cos(self.roll) * level + np.sin(self.roll) * upright
        return np.stack([right, np.cross(forward, right), forward])

    @cached_property
    def centre(self) -> Floats:
        """``(2,)``: column and row of the principal point."""
        height, width = self.size
        return np.array([width / 2 - 0.5, height / 2 - 0.5])

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Projects world points into the image.

        Args:
            points: ``(N, 3)`` metres.

        Returns:
            ``(N, 2)`` columns and rows in pixels, and ``(N,)`` depths in metres. Pixels are
            invalid where the depth is below ``NEAR``.
        """
        seen = (points - np.asarray(self.position)) @ self.axes.T
        depth = seen[:, 2]
        pixels = self.focal * seen[:, :2] / np.maximum(depth, NEAR)[:, None] + self.centre
        return pixels, depth

    def outline(self, polygon: Floats) -> Floats:
        """Projects a flat polygon, clipped at the near plane.

        Args:
            polygon: ``(N, 3)`` corners in metres.

        Returns:
            ``(M, 2)`` pixels; M is 0 for a polygon entirely behind the camera.
        """
        seen = (polygon - np.asarray(self.position)) @ self.axes.T
        if seen[:, 2].min() < NEAR:
            seen = _clip(seen)
        return np.asarray(self.focal * seen[:, :2] / seen[:, 2:] + self.centre)

    def rays(self, pixels: Floats) -> Floats:
        """``(..., 3)`` world directions of depth 1 m through ``(..., 2)`` pixels."""
        slopes = (pixels - self.centre) / self.focal
        return np.asarray(slopes @ self.axes[:2] + self.axes[2])

    def on_ground(self, pixels: Floats) -> Floats:
        """``(N, 2)`` ground points seen at ``(N, 2)`` pixels; infinite above the horizon."""
        rays = self.rays(pixels)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(rays[:, 2] < 0, -self.position[2] / rays[:, 2], np.inf)
            return np.asarray(self.position[:2]) + reach[:, None] * rays[:, :2]


def _clip(seen: Floats) -> Floats:
    """Sutherland-Hodgman clipping of a polygon at the near plane."""
    following = np.roll(seen, -1, axis=0)
    kept: list[Floats] = []
    for here, there in zip(seen, following, strict=True):
        if here[2] >= NEAR:
            kept.append(here)
        if (here[2] >= NEAR) != (there[2] >= NEAR):
            kept.append(here + (there - here) * (NEAR - here[2]) / (there[2] - here[2]))
    return np.array(kept).reshape(-1, 3)
