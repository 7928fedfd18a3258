"""All overlaps among the images of a data set: candidates, confirmed and kept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aerialseg.data.cache.store import EntryWriter, entry_folder, find_entry, keep_entry
from aerialseg.data.checks.image_measurements import ImageMeasurements
from aerialseg.data.checks.in_parallel import Progress, in_parallel
from aerialseg.data.checks.overlap_candidates import Candidate, candidates
from aerialseg.data.checks.overlaps import Overlap, confirmed

_METHOD = 2  # goes into the key; a new number searches anew
_CHUNK = 64  # candidates that a thread takes at once


def find_overlaps(
    images: Sequence[ImageMeasurements],
    sides: Sequence[str],
    *,
    cache_dir: Path,
    progress: Progress,
) -> list[Overlap]:
    """The pairs of images that show the same place, in order.

    Args:
        images: The images.
        sides: The side of the split of each; partners are looked for on its own and on others.
        cache_dir: The pairs are kept in ``overlaps`` below it.
        progress: Shows how far it is.
    """
    digests = [image.digest for image in images]
    kept = kept_overlaps(digests, sides, cache_dir=cache_dir)
    if kept is not None:
        return kept
    overlaps = _search(images, sides, progress)
    rows = [(o.first, o.second, o.inliers, o.matches, o.share) for o in overlaps]

    def fill(writer: EntryWriter) -> None:
        writer.append("pairs", np.array(rows, dtype=np.float64).reshape(-1, 5))

    keep_entry(_folder(digests, sides, cache_dir), fill)
    return overlaps


def kept_overlaps(
    digests: Sequence[str], sides: Sequence[str], *, cache_dir: Path
) -> list[Overlap] | None:
    """The pairs of a search among just these images, on just these sides; None if there was none.

    Args:
        digests: Of the images, in their order.
        sides: As of :func:`find_overlaps`.
        cache_dir: Likewise.
    """
    folder = _folder(digests, sides, cache_dir)
    entry = find_entry(folder, again="overlaps are searched")
    if entry is None:
        return None
    return [
        Overlap(int(first), int(second), int(inliers), int(matches), share)
        for first, second, inliers, matches, share in entry.arrays["pairs"].tolist()
    ]


def _folder(digests: Sequence[str], sides: Sequence[str], cache_dir: Path) -> Path:
    made_from = list(zip(digests, sides, strict=True))
    return entry_folder(cache_dir, "overlaps", _METHOD, made_from)


def _search(
    images: Sequence[ImageMeasurements], sides: Sequence[str], progress: Progress
) -> list[Overlap]:
    """The pairs, from the features of the images."""
    features = [image.features for image in images]
    pairs = candidates(features, sides, [image.camera.position for image in images])

    def confirm(chunk: Sequence[Candidate]) -> list[Overlap]:
        found = (confirmed(pair, features[pair.first], features[pair.second]) for pair in chunk)
        return [overlap for overlap in found if overlap is not None]

    chunks = [pairs[start : start + _CHUNK] for start in range(0, len(pairs), _CHUNK)]
    best: dict[tuple[int, int], Overlap] = {}
    for overlap in (
        o for found in in_parallel(confirm, chunks, progress, "compare") for o in found
    ):
        pair = overlap.first, overlap.second  # perhaps as it is and mirrored
        if pair not in best or overlap.inliers > best[pair].inliers:
            best[pair] = overlap
    return [best[pair] for pair in sorted(best)]
