"""Results of an evaluation: CSV tables, images, and a table on the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from torch import Tensor

from aerialseg.classes import ClassTable
from aerialseg.data.images.writing import write_image
from aerialseg.metrics.scores import dice_per_class, image_scores, iou_per_class
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
    """

    index: int
    id: str
    matrix: Tensor

    def scores(self) -> dict[str, float]:
        """Dice, IoU and accuracy, absent classes left out."""
        return image_scores(self.matrix)


def write_tables(
    folder: Path,
    matrix: Tensor,
    results: Sequence[ImageResult],
    names: Sequence[str],
    metrics: Mapping[str, object],
) -> None:
    """Writes the CSVs per image, per class and of the confusion matrix, then ``metrics.json``.

    These CSVs are opened in spreadsheets, which evaluate text that looks like a formula, so an id
    or a class name such as ``=1+1`` gets an apostrophe in front. Files that programs read, such as
    submissions, keep the text unchanged.
    """
    tables: dict[str, Sequence[Mapping[str, Any]]] = {
        "images": [{"id": result.id, **result.scores()} for result in results],
        "classes": _class_rows(matrix, names),
        "confusion_matrix": [
            {"truth": name, **dict(zip(names, row, strict=True))}
            for name, row in zip(names, matrix.tolist(), strict=True)
        ],
    }
    for name, rows in tables.items():
        text = csv_text(map(_no_formula, rows[0]), (map(_no_formula, r.values()) for r in rows))
        write_text(folder / f"{name}.csv", text)
    write_json(folder / "metrics.json", metrics)


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
    scores: Mapping[str, float], matrix: Tensor, names: Sequence[str], *, title: str
) -> None:
    """Prints Dice and IoU per class and their means under both conventions for absent classes."""
    table = Table(title=title, title_justify="left")
    table.add_column("class")
    for column in ("share of pixels", "Dice", "IoU"):
        table.add_column(column, justify="right")
    for row in _class_rows(matrix, names):
        share = f"{float(row['pixel_share']):.2%}"
        table.add_row(escape(row["class"]), share, row["dice"] or "absent", row["iou"] or "absent")
    table.add_section()
    for label, dice, iou in (
        ("mean of present classes", "dice", "miou"),
        ("mean, absent count as 1", "dice_absent_one", "miou_absent_one"),
    ):
        table.add_row(label, "", f"{scores[dice]:.4f}", f"{scores[iou]:.4f}")
    table.add_section()
    table.add_row("pixel accuracy", f"{scores['accuracy']:.2%}", "", "")
    Console().print(table)


def _no_formula(cell: object) -> object:
    is_formula = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@"))
    return f"'{cell}" if is_formula else cell


def _class_rows(matrix: Tensor, names: Sequence[str]) -> list[dict[str, str]]:
    """One row per class; the scores are empty if it is absent from truth and prediction."""
    shares = matrix.sum(1) / matrix.sum().clamp(min=1)
    columns = zip(names, shares, dice_per_class(matrix), iou_per_class(matrix), strict=True)
    return [
        {
            "class": name,
            "pixel_share": f"{float(share):.6f}",
            "dice": "" if dice.isnan() else f"{float(dice):.4f}",
            "iou": "" if iou.isnan() else f"{float(iou):.4f}",
        }
        for name, share, dice, iou in columns
    ]
