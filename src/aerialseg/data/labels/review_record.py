"""What a review folder knows of its data: enough to apply corrections without a config."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from pydantic import TypeAdapter, ValidationError

from aerialseg.classes import ClassTable
from aerialseg.data.images.mask_encoding import MaskEncoding, MaskFormat
from aerialseg.data.images.reading_settings import Reading
from aerialseg.data.images.windows import Box
from aerialseg.data.labels.as_folders import AsFolders
from aerialseg.data.labels.mask_folders import MaskFolders
from aerialseg.errors import DataError

RECORD, CORRECTED = "review.json", "corrected"
FORMAT: Literal[1] = 1

TrainedOn: TypeAlias = Literal["no", "unknown", "yes"]
"""Whether the networks that judged an image were trained on it, the most trustworthy first."""


@dataclass(frozen=True)
class ReviewedRegion:
    """A region of the review.

    Attributes:
        rank: 1 for the most doubtful label.
        name: Of its files, without suffix.
        image: Id of its image.
        mask: Path of the mask below the data's root, with forward slashes.
        mask_sha256: Of the mask's file.
        mask_class: Name of the class in the mask.
        predicted_class: Name of the class that is predicted.
        score: As of :class:`~aerialseg.data.labels.disagreements.Disagreement`.
        given: Likewise.
        confidence: Likewise.
        pixels: Of the region.
        region: Its rectangle in pixels of the mask.
        crop: The rectangle of its crops, in pixels of the mask.
        trained_on: Whether its image was trained on.
        judged_by: The checkpoints that judged it.
    """

    rank: int
    name: str
    image: str
    mask: str
    mask_sha256: str
    mask_class: str
    predicted_class: str
    score: float
    given: float
    confidence: float
    pixels: int
    region: Box
    crop: Box
    trained_on: TrainedOn
    judged_by: tuple[str, ...]


@dataclass(frozen=True)
class ReviewRecord:
    """The content of ``review.json``.

    Attributes:
        format: 1.
        root: The data's root as an absolute path.
        classes: The masks' own class table.
        mask_format: As ``data.mask_format``.
        mask_values: As ``data.mask_values``, as pairs.
        ignore_values: As ``data.ignore_values``.
        applies_orientation: Whether EXIF orientations are applied.
        max_megapixels: Most millions of pixels of a mask.
        folders: Where corrected masks go.
        as_folders: How ``data=folders`` reads the images with them; None if it cannot, or if the
            layout itself can choose masks.
        masks: All masks below the root, in the order of ``folders.targets``.
        checkpoints: sha256 of each checkpoint by its path.
        regions: By rank.
    """

    format: Literal[1]
    root: str
    classes: dict[str, list[int]]
    mask_format: MaskFormat
    mask_values: tuple[tuple[int, str], ...] | None
    ignore_values: tuple[int | tuple[int, ...], ...] | None
    applies_orientation: bool
    max_megapixels: float
    folders: MaskFolders
    as_folders: AsFolders | None
    masks: tuple[str, ...]
    checkpoints: dict[str, str]
    regions: tuple[ReviewedRegion, ...]

    @property
    def reading(self) -> Reading:
        """How masks and corrected crops are read, by the masks' own classes."""
        values = None if self.mask_values is None else dict(self.mask_values)
        ignored = cast("Sequence[int | Sequence[int]] | None", self.ignore_values)
        classes = ClassTable.from_mapping(self.classes)
        return Reading(
            encoding=MaskEncoding(classes, self.mask_format, values, ignored),
            exif_orientation="apply" if self.applies_orientation else None,
            max_megapixels=self.max_megapixels,
        )

    def to_mapping(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def root_of(record: ReviewRecord, folder: Path) -> Path:
    """The data's root.

    Raises:
        DataError: If there is none.
    """
    if (root := Path(record.root)).is_dir():
        return root
    raise DataError(
        f"{folder}: is the review of {record.root}, which is not there any more; put it back, or "
        "inspect it where it is now"
    )


def read_record(folder: Path) -> ReviewRecord:
    """Reads ``review.json`` of a review folder.

    Raises:
        DataError: If there is none, or it is damaged.
    """
    path = folder / RECORD
    try:
        content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(ReviewRecord).validate_python(content)
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"task.review: {folder} holds no {RECORD}; give the folder that task=inspect "
            "checkpoint=PATH has written, such as runs/default/inspect/review"
        ) from None
    except (OSError, ValueError, ValidationError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"{path}: is damaged: {reason}; inspect again") from None
