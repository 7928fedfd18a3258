"""Weather and sunlight."""

from dataclasses import dataclass

import numpy as np

from aerialseg.scenes.camera import Floats


@dataclass(frozen=True, slots=True)
class Light:
    """Sun, sky and exposure of a scene.

    Args:
        sun: ``(3,)`` unit vector that points to the sun.
        ambient: Brightness of a face turned away from the sun, as a share of its colour.
        direct: Brightness that full sunlight adds.
        shadow: Share of the ground's brightness that a cast shadow removes.
        zenith: RGB of the sky overhead.
        haze: RGB of the sky at the horizon, into which distant objects fade.
        visibility: Distance in metres at which contrast has fallen to 1/e.
        clouds: Cloud cover, 0 to 1.
        tint: ``(3,)`` gain of the camera per channel.
    """

    sun: Floats
    ambient: float
    direct: float
    shadow: float
    zenith: Floats
    haze: Floats
    visibility: float
    clouds: float
    tint: Floats


def draw_light(rng: np.random.Generator) -> Light:
    """Random lighting: sunny, hazy or overcast, with a random position of the sun."""
    overcast = float(rng.choice([0.0, 0.35, 0.85], p=[0.6, 0.2, 0.2]))
    azimuth, elevation = rng.uniform(0, 2 * np.pi), np.deg2rad(rng.uniform(28, 62))
    sun = np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.cos(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ]
    )
    blue = np.array([74, 128, 200]) + rng.uniform(-16, 16, 3)
    grey = np.array([176, 184, 194]) + rng.uniform(-8, 8, 3)
    pale = np.array([196, 212, 228]) + rng.uniform(-8, 8, 3)
    warmth = rng.uniform(-0.05, 0.07)
    exposure = rng.uniform(0.86, 1.12)
    return Light(
        sun=sun,
        ambient=0.58 + 0.2 * overcast,
        direct=0.52 * (1 - 0.8 * overcast),
        shadow=0.52 * (1 - 0.75 * overcast),
        zenith=blue + overcast * (grey - blue),
        haze=pale + overcast * (grey + 14 - pale),
        visibility=float(rng.uniform(260, 700)),
        clouds=float(np.clip(rng.uniform(0.15, 0.7) + 0.3 * overcast, 0, 1)),
        tint=exposure * np.array([1 + warmth, 1.0, 1 - warmth]),
    )
