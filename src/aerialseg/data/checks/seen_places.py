"""Which images show a place that the images show too that a network was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aerialseg.data.cache.measurements import kept_measurements
from aerialseg.data.checks.image_measurements import ImageMeasurements
from aerialseg.data.checks.in_parallel import Progress, in_parallel
from aerialseg.data.checks.overlap_search import find_overlaps, kept_overlaps
from aerialseg.data.checks.overlaps import Overlap
from aerialseg.data.layouts.listing import Sample
from aerialseg.data.sources.contents import Contents
from aerialseg.data.sources.data_sources import Sources
from aerialseg.storage.seen_images import SeenImages


@dataclass(frozen=True)
class SeenPlace:
    """The training image that shows most of what an image shows.

    Attributes:
        trained: Its id.
        share: The part of the smaller image that the other shows too, 0 to 1.
        is_same: Whether the image itself was trained on, or a file with the same bytes.
    """

    trained: str
    share: float
    is_same: bool


def seen_places(
    sources: Sources, seen: SeenImages, *, cache_dir: Path, progress: Progress
) -> dict[str, SeenPlace] | None:
    """The images of which a network knows the place, by their ids.

    An inspection of the data has measured every image, and its measurements are of files as they
    are now. Which images may be compared follows from what the network itself was trained on, never
    from a split: the pairs of an inspection are used only if that split them in just this way,
    others are searched for and kept.

    Args:
        sources: The data, checked.
        seen: What the network has seen.
        cache_dir: Pairs are kept in ``overlaps`` below it.
        progress: Shows how far a search is.

    Returns:
        None if that is not known, because an image was not inspected as it is now.
    """
    contents = sources.checked
    overlaps = _overlaps(sources, contents, seen, cache_dir, progress)
    if overlaps is None:
        return None
    ids = [sample.id for sample in contents.samples]
    digests = contents.images.digests
    found = {
        key: SeenPlace(_trained_id(key, seen.trained[digest]), 1.0, is_same=True)
        for key, digest in zip(ids, digests, strict=True)
        if digest in seen.trained
    }
    both_ways = ((o, *pair) for o in overlaps for pair in _both_ways(o))
    for overlap, mine, other in both_ways:
        before = found.get(ids[mine])
        if digests[other] in seen.trained and (before is None or overlap.share > before.share):
            found[ids[mine]] = SeenPlace(ids[other], overlap.share, is_same=False)
    return found


def sides_of(contents: Contents, seen: SeenImages) -> list[str]:
    """The side of each image for a network: what it was trained or validated on, or another.

    Args:
        contents: The images.
        seen: What the network has seen. Of a file that is there twice, and of which each was on
            another side, each id keeps its own.
    """
    pairs = zip(contents.samples, contents.images.digests, strict=True)
    return [_side(sample, digest, seen) for sample, digest in pairs]


def _side(sample: Sample, digest: str, seen: SeenImages) -> str:
    if sample.id in seen.validated.get(digest, ()):
        return "val"
    if digest in seen.trained:
        return "train"
    return "val" if digest in seen.validated else sample.split or ""


def _overlaps(
    sources: Sources, contents: Contents, seen: SeenImages, cache_dir: Path, progress: Progress
) -> list[Overlap] | None:
    """The pairs of images of one place, from the cache or from kept measurements."""
    digests, sides = contents.images.digests, sides_of(contents, seen)
    kept = kept_overlaps(digests, sides, cache_dir=cache_dir)
    if kept is not None:
        return kept
    measured = _measured(sources, contents.samples, progress)
    if measured is None:
        return None
    return find_overlaps(measured, sides, cache_dir=cache_dir, progress=progress)


def _measured(
    sources: Sources, samples: Sequence[Sample], progress: Progress
) -> list[ImageMeasurements] | None:
    """What an inspection has measured of all images; None if one of them was not."""

    def find(sample: Sample) -> ImageMeasurements | None:
        source = sources.by_name[sample.data_set]
        reading = source.reading.unmapped
        return kept_measurements(sample.image, reading, cache_dir=source.cache_dir)

    if not samples or find(samples[0]) is None:  # so that nothing is read for nothing
        return None
    found = in_parallel(find, samples, progress, "read what is known of places")
    known = [each for each in found if each is not None]
    return known if len(known) == len(samples) else None


def _both_ways(overlap: Overlap) -> tuple[tuple[int, int], tuple[int, int]]:
    return (overlap.first, overlap.second), (overlap.second, overlap.first)


def _trained_id(key: str, trained: Sequence[str]) -> str:
    """The id that a file was trained on as: its own if it is one of them."""
    return key if key in trained else trained[0]


def missing(trained: Mapping[str, Sequence[str]], contents: Contents) -> int:
    """How many of the images that a network was trained on are not in the data."""
    here = set(contents.images.digests)
    return sum(len(ids) for digest, ids in trained.items() if digest not in here)
