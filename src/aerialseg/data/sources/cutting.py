"""Which images of a data set are served in windows, and the samples that come of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, TypeAlias

from annotated_types import Ge

from aerialseg.data.images.windows import Window, grid
from aerialseg.data.layouts.listing import Sample, count
from aerialseg.errors import ConfigError, DataError

WindowEdge: TypeAlias = Annotated[int, Ge(16)]
"""Pixels of a window's height or width."""


def window_size(window: int | Sequence[int] | None) -> tuple[int, int] | None:
    """Height and width of a window, given as both or as one number for a square.

    Raises:
        ConfigError: If it is anything else.
    """
    if window is None:
        return None
    edges = (window, window) if isinstance(window, int) else tuple(window)
    if len(edges) != 2 or min(edges) < 1:
        raise ConfigError(
            f"data.window: is {window}; wanted one number of pixels, or [height, width]"
        )
    return edges[0], edges[1]


def parts_of(
    sample: Sample, size: tuple[int, int], window: tuple[int, int] | None
) -> tuple[Window | None, ...]:
    """The windows that a sample is served in; one None for a whole image.

    Args:
        sample: Without a mask it stays whole: what is predicted for it must cover it.
        size: Height and width of its image.
        window: Height and width of a window; None cuts nothing.
    """
    if sample.window is not None:
        return (sample.window,)
    is_larger = window is not None and (size[0] > window[0] or size[1] > window[1])
    if window is None or sample.mask is None or not is_larger:
        return (None,)
    return grid(size, window)


def cut_samples(
    samples: Sequence[Sample], sizes: Sequence[tuple[int, int]], window: tuple[int, int] | None
) -> tuple[tuple[Sample, ...], tuple[int, ...]]:
    """What is served: a sample for each window of a large image, and small images as they are.

    The id of a window is that of its image and where the window begins: ``site@y0_x512``.

    Args:
        samples: As they are listed.
        sizes: Height and width of their images.
        window: Height and width of a window; None cuts nothing.

    Returns:
        The samples, and for each the index of the one that it was cut from.

    Raises:
        DataError: If an image is named as a window of another is.
    """
    served: list[Sample] = []
    origins: list[int] = []
    for index, (sample, size) in enumerate(zip(samples, sizes, strict=True)):
        for part in parts_of(sample, size, window):
            served.append(sample if part is None else _of_window(sample, part))
            origins.append(index)
    cut_ids = {each.id for each, i in zip(served, origins, strict=True) if each is not samples[i]}
    if taken := sorted(cut_ids & {sample.id for sample in samples if sample.window is None}):
        raise DataError(
            f"{count(taken, 'image')} named as windows of another image are; rename one of them"
        )
    return tuple(served), tuple(origins)


def image_id(sample: Sample) -> str:
    """The id of the image that a sample is, or is a window of."""
    return sample.id if sample.window is None else sample.id.removesuffix(_place(sample.window))


def _of_window(sample: Sample, window: Window) -> Sample:
    if sample.window is not None:
        return sample
    return replace(sample, id=sample.id + _place(window), window=window)


def _place(window: Window) -> str:
    return f"@y{window.box.top}_x{window.box.left}"
