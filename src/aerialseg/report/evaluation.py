"""Results of an evaluation: CSV tables, images, and a table on the terminal."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.markup import escape
from rich.table import Table
from torch import Tensor

from aerialseg.classes import ClassTable
from aerialseg.data.images.writing import write_image
from aerialseg.metrics.scores import dice_per_class, image_scores, iou_per_class, summarise
from aerialseg.report.leakage import Leakage
from aerialseg.report.printing import print_whole
from aerialseg.storage.atomic_files import csv_text, write_json, write_text
from aerialseg.viz.matrix import draw_confusion_matrix
from aerialseg.viz.sheets import PredictionRow, prediction_sheet


@dataclass(frozen=True, eq=False)
class ImageResult:
    """The confusion matrix of one image.

    Attributes:
        index: Index of the sample in the data set.
        id: Id of the sample.
        matrix: ``(C, C)`` int64 confusion matrix, row truth and column prediction.
        data_set: Name of its data set where there are several; empty if there is one.
    """

    index: int
    id: str
    matrix: Tensor
    data_set: str = ""

    def scores(self) -> dict[str, float]:
        """Dice, IoU and accuracy, absent classes left out."""
        return image_scores(self.matrix)


def write_tables(
    folder: Path,
    matrix: Tensor,
    results: Sequence[ImageResult],
    names: Sequence[str],
    metrics: Mapping[str, object],
    *,
    leakage: Leakage | None = None,
) -> None:
    """Writes the CSVs per image, per class and of the confusion matrix, then ``metrics.json``.

    Where there are several data sets, ``sets.csv`` and the entry ``sets`` have the scores of each.
    Where images leak, ``images.csv`` names the training image that shows most of each, and the
    entry ``without_leakage`` has the scores of the others.

    These CSVs are opened in spreadsheets, which evaluate text that looks like a formula, so an id
    or a class name such as ``=1+1`` gets an apostrophe in front. Files that programs read, such as
    submissions, keep the text unchanged.
    """
    tables: dict[str, Sequence[Mapping[str, Any]]] = {
        "images": [
            {"id": result.id, **_four_digits(result.scores()), **_seen_in(result.id, leakage)}
            for result in results
        ],
        "classes": _class_rows(matrix, names),
        "confusion_matrix": [
            {"truth": name, **dict(zip(names, row, strict=True))}
            for name, row in zip(names, matrix.tolist(), strict=True)
        ],
    }
    if sets := set_scores(results):
        tables["sets"] = [
            {"set": name, "images": images, **_four_digits(scores)}
            for name, (images, scores) in sets.items()
        ]
        metrics = {**metrics, "sets": _set_entries(sets)}
    if leakage is not None:
        metrics = {**metrics, "without_leakage": _without_leakage(results, names, leakage)}
    for name, rows in tables.items():
        text = csv_text(map(_no_formula, rows[0]), (map(_no_formula, r.values()) for r in rows))
        write_text(folder / f"{name}.csv", text)
    write_json(folder / "metrics.json", metrics)


def left_matrix(results: Sequence[ImageResult], leakage: Leakage) -> Tensor:
    """``(C, C)`` int64: the sum of the images that do not leak; zeros if all do."""
    left = torch.stack([result.matrix for result in results])
    return left[leakage.rows_left([result.id for result in results])].sum(0)


def set_scores(results: Sequence[ImageResult]) -> dict[str, tuple[int, dict[str, float]]]:
    """The number of images and the scores of each data set by name; empty if there is one.

    Scores are those of all pixels of a set; a class that is neither in its masks nor predicted in
    its images is left out of the means.
    """
    matrices: dict[str, list[Tensor]] = {}
    for result in results:
        if result.data_set:
            matrices.setdefault(result.data_set, []).append(result.matrix)
    found = {}
    for name, each in matrices.items():
        dice, miou, accuracy = image_scores(torch.stack(each).sum(0)).values()
        found[name] = len(each), {"dice": dice, "miou": miou, "accuracy": accuracy}
    return found


def print_sets(results: Sequence[ImageResult]) -> None:
    """Prints the scores of each data set, if there are several."""
    sets = set_scores(results)
    if len(sets) < 2:
        return
    table = Table(title="each data set; classes absent from it are left out", title_justify="left")
    table.add_column("data set")
    for column in ("images", "Dice", "mIoU", "pixel accuracy"):
        table.add_column(column, justify="right")
    for name, (images, scores) in sets.items():
        means = f"{scores['dice']:.4f}", f"{scores['miou']:.4f}", f"{scores['accuracy']:.2%}"
        table.add_row(escape(name), str(images), *means)
    print_whole(table)


def write_images(
    folder: Path, matrix: Tensor, sheet: Sequence[PredictionRow], classes: ClassTable
) -> None:
    """Writes the confusion matrix, as counts and as percentages, and the prediction sheet."""
    counts = matrix.numpy()
    for name, normalise in (("confusion_counts", False), ("confusion_normalised", True)):
        drawing = draw_confusion_matrix(counts, classes.names, normalise=normalise)
        write_image(folder / f"{name}.png", drawing)
    write_image(folder / "predictions.png", prediction_sheet(sheet, classes))


def print_classes(
    scores: Mapping[str, float],
    matrix: Tensor,
    names: Sequence[str],
    *,
    title: str,
    left: Tensor | None = None,
) -> None:
    """Prints Dice and IoU per class and their means, under both conventions if they differ.

    Args:
        scores: All scores of ``matrix``.
        matrix: ``(C, C)`` integer, of all images.
        names: Of the classes.
        title: Of the table.
        left: The same of the images that do not leak, for columns of their own; None, or no pixel,
            if there are none.
    """
    columns = [(matrix, scores)]
    if left is not None and left.any():
        columns.append((left, summarise(left, names)))
    table = Table(title=title, title_justify="left")
    table.add_column("class")
    for about in ("", "without leakage: ")[: len(columns)]:
        for column in ("share of pixels", "Dice", "IoU"):
            table.add_column(f"{about}{column}", justify="right", max_width=16 if about else None)
    for name, *rows in zip(names, *(_class_rows(each, names) for each, _ in columns), strict=True):
        table.add_row(escape(name), *(text for row in rows for text in _class_texts(row)))
    table.add_section()
    means = {
        label: [text for _, s in columns for text in ("", f"{s[dice]:.4f}", f"{s[iou]:.4f}")]
        for label, dice, iou in (
            ("mean of present classes", "dice", "miou"),
            ("mean, an absent class counts as 1", "dice_absent_one", "miou_absent_one"),
        )
    }
    if len({tuple(texts) for texts in means.values()}) == 1:  # no class is absent
        means.popitem()
    for label, texts in means.items():
        table.add_row(label, *texts)
    table.add_section()
    accuracies = [text for _, s in columns for text in (f"{s['accuracy']:.2%}", "", "")]
    table.add_row("pixel accuracy", *accuracies)
    print_whole(table)


def _class_texts(row: Mapping[str, str]) -> tuple[str, str, str]:
    """Share, Dice and IoU of a class."""
    return f"{float(row['pixel_share']):.2%}", row["dice"] or "absent", row["iou"] or "absent"


def _seen_in(key: str, leakage: Leakage | None) -> dict[str, str]:
    """The training image that shows most of an image, and how much; nothing if none leaks."""
    if leakage is None:
        return {}
    place = leakage.places.get(key)
    overlap = "" if place is None else f"{place.share:.4f}"
    return {"seen_in": "" if place is None else place.trained, "overlap": overlap}


def _set_entries(sets: Mapping[str, tuple[int, dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {name: {"images": images, **scores} for name, (images, scores) in sets.items()}


def _without_leakage(
    results: Sequence[ImageResult], names: Sequence[str], leakage: Leakage
) -> dict[str, object]:
    """Of the images that do not leak: how many, and all scores; none if no pixel is left."""
    left = [result for result in results if result.id not in leakage.places]
    found: dict[str, object] = {"images": len(left), "images_left_out": len(leakage.places)}
    matrix = left_matrix(results, leakage)
    if matrix.any():
        found |= summarise(matrix, names)
    if sets := set_scores(left):
        found["sets"] = _set_entries(sets)
    return found


def _no_formula(cell: object) -> object:
    is_formula = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@"))
    return f"'{cell}" if is_formula else cell


def _four_digits(scores: Mapping[str, float]) -> dict[str, str]:
    return {name: "" if math.isnan(score) else f"{score:.4f}" for name, score in scores.items()}


def _class_rows(matrix: Tensor, names: Sequence[str]) -> list[dict[str, str]]:
    """One row per class; the scores are empty if it is absent from truth and prediction."""
    shares = matrix.sum(1) / matrix.sum().clamp(min=1)
    columns = zip(names, shares, dice_per_class(matrix), iou_per_class(matrix), strict=True)
    return [
        {
            "class": name,
            "pixel_share": f"{float(share):.6f}",
            **_four_digits({"dice": float(dice), "iou": float(iou)}),
        }
        for name, share, dice, iou in columns
    ]
