"""How much images are resized before they reach the network, compared with training."""

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path

from aerialseg.durations import counted
from aerialseg.storage.checkpoints import Description

_TOLERATED = 2.0
"""Times that things may look larger or smaller than in training without a warning."""

_LARGE = 4.0
"""Times the pixels of a window that an image may have without a warning."""


def network_edge(
    size: tuple[int, int], description: Description, image_min_size: int | None
) -> int | None:
    """The smaller edge, in pixels, that an image is resized to; ``None`` for as it is.

    Without a choice it is that of training. A network that was trained on windows of large images
    knows things at the scale of the windows, so a larger image is resized by as much as they were.

    Args:
        size: Height and width of the image.
        description: Of the checkpoint.
        image_min_size: The edge that was chosen; ``None`` for none.
    """
    edge, window = description.image_min_size, description.window
    if image_min_size is not None or edge is None or window is None:
        return image_min_size or edge
    cut = min(min(edges) for edges in zip(size, window, strict=True))
    return max(1, (2 * min(size) * edge + cut) // (2 * cut))


def scale_warning(
    sizes: Mapping[Path, tuple[int, int]],
    description: Description,
    image_min_size: int | None,
    *,
    remedy: str | None = None,
) -> str | None:
    """Says which images are resized much more or less than those of training.

    A network knows things at the size at which it was trained on them. An image of ten times the
    area that is resized to the same edge shows them too small.

    Args:
        sizes: By file, height and width in pixels.
        description: Of the checkpoint.
        image_min_size: The smaller edge that was chosen for the images; ``None`` for that of
            :func:`network_edge`.
        remedy: What to do about it; ``None`` for what helps in ``task=predict``.

    Returns:
        One line; ``None`` if all are within a factor of two. Checkpoints of older releases do not
        say how large their images were; these are taken to have had the size of training.
    """
    to = description.image_min_size
    of_all = description.original_min_size or to
    originals: Sequence[int | None] = description.original_min_sizes or [of_all]
    trained = [1.0 if to is None or of is None else to / of for of in originals]
    resized = {
        path: (network_edge(size, description, image_min_size) or min(size)) / min(size)
        for path, size in sizes.items()
    }
    # Of several data sets, the one whose images look most like it.
    alike = {path: min(trained, key=lambda t: abs(log(r / t))) for path, r in resized.items()}
    factors = {path: resized[path] / alike[path] for path in sizes}
    far = {p: f for p, f in factors.items() if not 1 / _TOLERATED <= f <= _TOLERATED}
    if not far:
        return None
    path = max(far, key=lambda each: max(far[each], 1 / far[each]))
    factor, edge = far[path], min(sizes[path])
    times, than = (1 / factor, "smaller") if factor < 1 else (factor, "larger")
    fitting = max(1, round(edge * alike[path]))
    remedy = remedy or f"set task.tile_size to cut large images, or task.image_min_size={fitting}"
    return (
        f"{len(far)} of {counted(len(sizes), 'image')} look at least twice as large or small to "
        f"the network as in training: things in {path} (smaller edge {edge} pixels) {times:.1f} "
        f"times {than}; {remedy}"
    )


def memory_warning(
    sizes: Mapping[Path, tuple[int, int]], description: Description, image_min_size: int | None
) -> str | None:
    """Says which images are much larger to the network than the windows that it was trained on.

    Args:
        sizes: By file, height and width in pixels.
        description: Of the checkpoint.
        image_min_size: As in :func:`scale_warning`.

    Returns:
        One line; ``None`` if there are no such images, or it was not trained on windows.
    """
    if description.window is None:
        return None
    window = (description.window[0], description.window[1])
    usual = _pixels(window, description, None)
    pixels = {path: _pixels(size, description, image_min_size) for path, size in sizes.items()}
    large = {path: number for path, number in pixels.items() if number > _LARGE * usual}
    if not large:
        return None
    path = max(large, key=lambda each: large[each])
    height, width = sizes[path]
    return (
        f"the network was trained on windows of {window[1]}x{window[0]} pixels and is given "
        f"{counted(len(large), 'larger image')} whole: {path} ({width}x{height}) needs "
        f"{large[path] / usual:.0f} times the memory of a window; if that is too much, cut large "
        "images into tiles"
    )


def _pixels(size: tuple[int, int], description: Description, image_min_size: int | None) -> float:
    """Pixels of an image of this size as the network sees it."""
    scale = (network_edge(size, description, image_min_size) or min(size)) / min(size)
    return size[0] * size[1] * scale**2
