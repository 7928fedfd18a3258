"""Charts as Vega-Lite specifications, which the browser draws in the colours of the page."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from aerialseg.metrics.calibration import ConfidenceBin

_SCORES = ("val/dice", "val/miou")
_LOSSES = ("val/loss", "train/loss")
_NAMES = {
    "val/dice": "Dice",
    "val/miou": "mIoU",
    "val/loss": "validation",
    "train/loss": "training",
}
_COMPARED = {
    "val/dice": "validation Dice",
    "val/miou": "validation mIoU",
    "val/loss": "validation loss",
    "train/loss": "training loss",
}
_FEW_EPOCHS = 10
_COLOURS = ["#2a78d6", "#e08a1e"]


def learning_curves(curves: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Scores and losses of all stages, each on one axis of epochs.

    Args:
        curves: A row for each epoch with the columns ``stage``, ``epoch``, counted over all stages
            from 1, and some of ``val/dice``, ``val/miou``, ``val/loss`` and ``train/loss``.

    Returns:
        The charts ``scores`` and ``losses``, unless there is nothing to draw in one.
    """
    ends = curves.groupby("stage", sort=False)["epoch"].agg(["min", "max"]).reset_index()
    ends["begin"], ends["middle"] = ends["min"] - 0.5, (ends["min"] + ends["max"]) / 2
    charts = {}
    for key, names, title in (
        ("scores", _SCORES, "validation score"),
        ("losses", _LOSSES, "loss"),
    ):
        present = [name for name in names if name in curves]
        rows = curves.melt(["stage", "epoch"], present, "curve", "value").dropna()
        if len(rows):
            rows["curve"] = rows["curve"].map(_NAMES)
            charts[key] = plain(_panel(rows, ends, title, [_NAMES[name] for name in present]))
    return charts


def compared_curves(curves: pd.DataFrame, names: tuple[str, str]) -> dict[str, dict[str, Any]]:
    """Scores and losses of two runs, each on one axis of epochs.

    Args:
        curves: A row for each epoch of both with the columns ``run``, which is ``a`` or ``b``,
            ``stage``, ``epoch``, counted over the stages of a run from 1, and some of those of
            :func:`learning_curves`.
        names: What the two are called.

    Returns:
        A chart for each curve that was logged, by its name with ``_`` for ``/``.
    """
    titles = [f"{side}: {name}" for side, name in zip("ab", names, strict=True)]
    ends = pd.DataFrame({"max": [curves["epoch"].max()]})
    charts = {}
    for key, title in _COMPARED.items():
        rows = curves[["run", "stage", "epoch", key]].dropna() if key in curves else curves[:0]
        if len(rows):
            rows = rows.rename(columns={"run": "curve", key: "value"})
            rows["curve"] = rows["curve"].map(dict(zip("ab", titles, strict=True)))
            charts[key.replace("/", "_")] = plain(_panel(rows, ends, title, titles))
    return charts


def reliability(bins: Sequence[ConfidenceBin]) -> dict[str, Any]:
    """Accuracy against confidence; the diagonal is a network that is right as often as it says."""
    rows = pd.DataFrame(
        [(each.confidence, each.accuracy, each.share) for each in bins],
        columns=["confidence", "accuracy", "share"],
    )
    scale = alt.Scale(domain=[0, 1])
    diagonal = pd.DataFrame({"confidence": [0.0, 1.0], "accuracy": [0.0, 1.0]})
    x = alt.X("confidence:Q", scale=scale, title="confidence", axis=alt.Axis(format="%"))
    y = alt.Y("accuracy:Q", scale=scale, title="right", axis=alt.Axis(format="%"))
    ideal = alt.Chart(diagonal).mark_line(strokeDash=[4, 4], color="gray").encode(x, y)
    percent = [alt.Tooltip(f"{name}:Q", format=".1%") for name in rows.columns]
    line = alt.Chart(rows).mark_line(color=_COLOURS[0]).encode(x, y)
    points = alt.Chart(rows).mark_circle(color=_COLOURS[0], opacity=1)
    sized = points.encode(
        x,
        y,
        size=alt.Size(
            "share:Q",
            title="share of pixels",
            scale=alt.Scale(range=[30, 400]),
            legend=alt.Legend(format=".0%", orient="bottom", tickCount=3),
        ),
        tooltip=percent,
    )
    return plain((ideal + line + sized).properties(width="container", height=320))


def _panel(rows: pd.DataFrame, ends: pd.DataFrame, title: str, names: list[str]) -> Any:  # noqa: ANN401
    """Curves of one kind, with a line where each stage begins and its name above."""
    last = int(ends["max"].max())
    x = alt.X(
        "epoch:Q",
        title="epoch",
        scale=alt.Scale(domain=[0.5, last + 0.5], nice=False),
        axis=_epoch_axis(last),
    )
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    legend = alt.Legend(orient="top", direction="horizontal")  # beside it would be cut off
    scale = alt.Scale(domain=names, range=_COLOURS[: len(names)])
    colour = alt.Color("curve:N", title=None, legend=legend, scale=scale)
    tooltip = [alt.Tooltip(name) for name in ("stage:N", "epoch:Q", "curve:N")]
    tooltip.append(alt.Tooltip("value:Q", format=".4f"))
    # One line a stage: between two, another network goes on.
    base = alt.Chart(rows).encode(x, y, colour, alt.Detail("stage:N"), tooltip=tooltip)
    layers = [base.mark_line(point=alt.OverlayMarkDef(size=18))]
    if len(ends) > 1:
        stages = alt.Chart(ends)
        layers.append(stages.mark_rule(strokeDash=[3, 3]).encode(alt.X("begin:Q")))
        layers.append(
            stages.mark_text(dy=-8, baseline="bottom").encode(
                alt.X("middle:Q"), alt.Text("stage:N"), y=alt.value(0)
            )
        )
    return alt.layer(*layers).properties(width="container", height=200)


def _epoch_axis(last: int) -> alt.Axis:
    """Whole epochs; Vega puts ticks between them where there are few."""
    if last <= _FEW_EPOCHS:
        return alt.Axis(values=list(range(1, last + 1)), format="d", grid=False)
    return alt.Axis(tickMinStep=1, format="d", grid=False)


def plain(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The specification without Altair's own theme, which is that of a light page."""
    spec: dict[str, Any] = chart.to_dict()
    spec.pop("config", None)
    return spec
