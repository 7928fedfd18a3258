"""Charts of a data set: shares of its classes, and how its images are distributed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd

from aerialseg.report.pages.charts import plain

_COLOURS = {"train": "#2a78d6", "val": "#e08a1e", "test": "#3f9d6b", "not split": "#8a8f98"}
_HEIGHT = 190
_TICKS = 6  # of an axis that counts images
_FEW_SIZES = 8  # which are named; more are a histogram


def class_shares(shares: pd.DataFrame, classes: Sequence[str]) -> dict[str, Any]:
    """A dot for the share of each class in the pixels of each split, on a logarithmic axis.

    Args:
        shares: A row for each with the columns ``class``, ``split``, ``share`` (0 to 1) and
            ``images``.
        classes: All classes in the order of the table.
    """
    rows = shares[shares["share"] > 0]
    splits = _splits(shares["split"])
    y = alt.Y("class:N", sort=list(classes), title=None, scale=alt.Scale(domain=list(classes)))
    x = alt.X(
        "share:Q",
        scale=alt.Scale(type="log", domain=[_decade_below(rows["share"]), 1]),
        title="share of labelled pixels, logarithmic",
        axis=alt.Axis(format="~%", values=[10.0**n for n in range(-9, 1)], grid=True),
    )
    tooltip = [
        *("class:N", "split:N"),
        alt.Tooltip("share:Q", format=".3%"),
        alt.Tooltip("images:Q", title="images with it"),
    ]
    dots = alt.Chart(rows).mark_point(filled=True, size=90, opacity=0.9)
    # The same domain as the colour's, so that both share a legend.
    forms = alt.Scale(domain=splits, range=["circle", "square", "triangle-up", "diamond"])
    shape = alt.Shape("split:N", scale=forms, sort=splits, title=None, legend=_legend())
    chart = dots.encode(x, y, _colour(splits), shape, tooltip=tooltip)
    height = max(120, 26 * len(classes))
    described = "Share of each class in the labelled pixels of each split; also in the table above."
    return plain(chart.properties(width="container", height=height, description=described))


def histogram(
    values: Mapping[str, Sequence[float]],
    edges: npt.NDArray[np.float64],
    *,
    title: str,
    form: str = "~s",
    is_log: bool = False,
) -> dict[str, Any]:
    """How many images of each split have a value within each bin.

    Args:
        values: By split.
        edges: ``(N + 1,)`` increasing; a value outside counts in the bin next to it.
        title: Of the axis.
        form: How its labels are written, as D3 formats numbers.
        is_log: Whether it is logarithmic.
    """
    rows = []
    for split, each in values.items():
        counts = np.histogram(np.clip(each, edges[0], edges[-1]), edges)[0].tolist()
        bins = zip(edges[:-1].tolist(), edges[1:].tolist(), counts, strict=True)
        rows += [(split, low, high, count) for low, high, count in bins if count]
    table = pd.DataFrame(rows, columns=["split", "low", "high", "images"])
    splits = _splits(table["split"])
    scale = alt.Scale(
        type="log" if is_log else "linear",
        domain=[float(edges[0]), float(edges[-1])],
        nice=False,
    )
    axis = alt.Axis(format=form, grid=False, labelOverlap=True, tickCount=6)
    x = alt.X("low:Q", bin="binned", scale=scale, title=title, axis=axis)
    # Up to the next tick: bars that end where the chart does look cut off.
    scale_y = alt.Scale(nice=_TICKS)
    y = alt.Y("images:Q", title="images", axis=_whole_numbers(), scale=scale_y)
    tooltip = [
        "split:N",
        alt.Tooltip("low:Q", format=form, title="from"),
        alt.Tooltip("high:Q", format=form, title="to"),
        "images:Q",
    ]
    bars = alt.Chart(table).mark_bar(binSpacing=1)
    chart = bars.encode(x, alt.X2("high"), y, _colour(splits), tooltip=tooltip)
    described = f"Histogram of images by {title}."
    return plain(chart.properties(width="container", height=_HEIGHT, description=described))


def image_sizes(sizes: Mapping[str, Sequence[tuple[int, int]]]) -> dict[str, Any]:
    """How many images have each size; of many sizes, a histogram of megapixels.

    Args:
        sizes: Height and width in pixels of the images of each split.
    """
    counts = {split: Counter(each) for split, each in sizes.items()}
    distinct = sorted(
        {size for each in counts.values() for size in each}, key=lambda s: -s[0] * s[1]
    )
    if len(distinct) > _FEW_SIZES:
        pixels = {split: [h * w / 1e6 for h, w in each] for split, each in sizes.items()}
        every = np.array([each for values in pixels.values() for each in values])
        edges = np.linspace(0, float(every.max()), 25)
        return histogram(pixels, edges, title="megapixels", form="~g")
    rows = [
        (split, f"{width}x{height}", number)
        for split, each in counts.items()
        for (height, width), number in each.items()
    ]
    table = pd.DataFrame(rows, columns=["split", "size", "images"])
    names = [f"{width}x{height}" for height, width in distinct]
    bars = alt.Chart(table).mark_bar()
    chart = bars.encode(
        alt.X("images:Q", title="images", axis=_whole_numbers()),
        alt.Y("size:N", sort=names, title="width x height"),
        _colour(_splits(table["split"])),
        tooltip=["split:N", "size:N", "images:Q"],
    )
    described = "Images by size in pixels."
    height = min(_HEIGHT, 48 * len(names))
    return plain(chart.properties(width="container", height=height, description=described))


def _splits(column: Any) -> list[str]:  # noqa: ANN401 - a column of pandas
    """The splits that occur, in the order of their colours."""
    return [split for split in _COLOURS if split in set(column)]


def _colour(splits: Sequence[str]) -> alt.Color:
    scale = alt.Scale(domain=list(splits), range=[_COLOURS[split] for split in splits])
    return alt.Color("split:N", scale=scale, sort=list(splits), title=None, legend=_legend())


def _whole_numbers() -> alt.Axis:
    # Where only one image is counted, the axis has ticks at halves all the same.
    only = "datum.value % 1 ? '' : datum.label"
    return alt.Axis(format=",d", tickCount=_TICKS, labelOverlap=True, labelExpr=only)


def _legend() -> alt.Legend:
    return alt.Legend(orient="top", direction="horizontal")  # beside it would be cut off


def _decade_below(shares: Any) -> float:  # noqa: ANN401 - a column of pandas
    """The power of ten below the least share."""
    return float(10.0 ** np.floor(np.log10(shares.min()))) if len(shares) else 0.1
