"""Label errors planted into masks: objects of a wrong class, left out, or shifted."""

from dataclasses import dataclass

import cv2
import numpy as np

KINDS = ("wrong class", "missing", "shifted")


@dataclass
class PlantedError:
    """One planted error.

    Attributes:
        kind: One of KINDS.
        changed: ``(H, W)`` bool: the pixels whose label is wrong now.
        mask: ``(H, W)`` uint8: the spoilt mask.
    """

    kind: str
    changed: np.ndarray
    mask: np.ndarray


def plant(truth, kind, rng, *, classes, pixels=(60, 2000), stays=()):
    """Spoils one object of a mask; None if it has no object that fits.

    Args:
        truth: ``(H, W)`` uint8.
        kind: One of KINDS.
        rng: Generator.
        classes: Ids that objects may get.
        pixels: The least and the most pixels of an object.
        stays: Ids that are no objects, such as the background.
    """
    objects = [each for each in _objects(truth, stays) if pixels[0] <= each.sum() <= pixels[1]]
    if not objects:
        return None
    thing = objects[rng.integers(len(objects))]
    index = int(truth[thing][0])
    ring = cv2.dilate(thing.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & ~thing
    around = int(np.bincount(truth[ring]).argmax())
    mask = truth.copy()
    mask[thing] = around
    if kind == "wrong class":
        mask[thing] = rng.choice([each for each in classes if each not in (index, around)])
    if kind == "shifted":
        edge = max(8, round(0.7 * np.sqrt(thing.sum())))
        step = rng.choice([-edge, edge], 2)
        moved = np.roll(thing, step, (0, 1))
        for axis, by in enumerate(step):  # what rolled over the edge is gone
            gone = np.s_[:by] if by > 0 else np.s_[by:]
            moved[gone if axis == 0 else (np.s_[:], gone)] = False
        mask[moved] = index
    changed = mask != truth
    return PlantedError(kind, changed, mask) if changed.sum() >= pixels[0] // 2 else None


def plant_into(truths, seed, *, errors=30, **options):
    """Plants one error into each of some masks, of each kind as many.

    Args:
        truths: Masks by name.
        seed: Of what is planted where.
        errors: How many.
        options: As of plant.

    Returns:
        The errors by name of the mask.
    """
    rng = np.random.default_rng(seed)
    planted = {}
    for name in rng.permutation(sorted(truths)).tolist():
        found = plant(truths[name], KINDS[len(planted) % len(KINDS)], rng, **options)
        if found is not None and len(planted) < errors:
            planted[name] = found
    assert len(planted) == errors
    return planted


def _objects(truth, stays):
    for index in np.unique(truth):
        if index not in (*stays, 255):
            count, parts = cv2.connectedComponents((truth == index).astype(np.uint8))
            yield from (parts == part for part in range(1, count))


def recall(planted, regions):
    """The share of planted errors that one of the regions lies on.

    Args:
        planted: By name of the mask.
        regions: Name and ``(left, top, width, height)``, of which half the pixels must be wrong.
    """
    found = set()
    for name, (left, top, width, height) in regions:
        if name in planted:
            part = planted[name].changed[top : top + height, left : left + width]
            if part.mean() > 0.25:
                found.add(name)
    return len(found) / len(planted)
