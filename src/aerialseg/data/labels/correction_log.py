"""What was changed in corrected masks, for whoever asks later where a label came from."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aerialseg.classes import IGNORE_INDEX
from aerialseg.data.labels.corrected_crops import CorrectedCrop
from aerialseg.data.labels.review_record import ReviewRecord
from aerialseg.data.labels.stored_masks import StoredMask
from aerialseg.storage.atomic_files import hash_file


@dataclass(frozen=True, eq=False)
class ChangedMask:
    """A mask with its corrections, as it is written.

    Attributes:
        name: Path of the old mask below the data's root.
        mask: The corrected mask.
        data: The bytes of its file.
        sha256_before: Of the old mask's file.
        crops: The corrected crops.
    """

    name: str
    mask: StoredMask
    data: bytes
    sha256_before: str
    crops: Sequence[CorrectedCrop]


def log_of(
    review: Path,
    record: ReviewRecord,
    changed: Sequence[ChangedMask],
    places: Mapping[str, Path],
    root: Path,
) -> dict[str, Any]:
    """What was changed, by mask and by region, as JSON can hold it.

    Args:
        review: The review folder.
        record: Its record.
        changed: The masks that were changed.
        places: Where the new file of each mask is.
        root: The data's root.
    """
    names = record.reading.given_encoding.classes.names
    return {
        "review": str(review.absolute()),
        "checkpoints": record.checkpoints,
        "root": str(root.absolute()),
        "masks_changed": len(changed),
        "masks_copied": len(record.masks) - len(changed),
        "changes": [
            {
                "mask": each.name,
                "new_mask": Path(os.path.relpath(places[each.name], root)).as_posix(),
                "sha256_before": each.sha256_before,
                "sha256_after": hash_file(places[each.name]),
                "regions": [_change(crop, names) for crop in each.crops if crop.pixels],
            }
            for each in changed
        ],
    }


def _change(crop: CorrectedCrop, names: Sequence[str]) -> dict[str, Any]:
    """What one corrected crop changed, by classes before and after."""
    pairs = Counter(zip(crop.before.tolist(), crop.after.tolist(), strict=True))
    box = crop.region.crop
    return {
        "region": crop.region.name,
        "rank": crop.region.rank,
        "image": crop.region.image,
        "source": crop.path.name,
        "source_sha256": hash_file(crop.path),
        "crop": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
        "pixels": crop.pixels,
        "classes": [
            {"from": _name(before, names), "to": _name(after, names), "pixels": pixels}
            for (before, after), pixels in pairs.most_common()
        ],
    }


def _name(index: int, names: Sequence[str]) -> str:
    return "ignored" if index == IGNORE_INDEX else names[index]
