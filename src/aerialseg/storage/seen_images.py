"""Which images a network has seen: plain data in its checkpoints, and the questions asked of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Images: TypeAlias = Mapping[str, Sequence[str]]
"""Images by the digest of their files; files of one content have one digest and several ids."""


@dataclass(frozen=True)
class SeenImages:
    """The images that a network was trained and validated on.

    A digest, unlike an id, still names the image when files are renamed, copied or added, or when
    the data set is split in another way.

    Attributes:
        trained: Those trained on, by this stage and by all that led to it.
        validated: Those that this stage validated on.
    """

    trained: Images = field(default_factory=dict)
    validated: Images = field(default_factory=dict)

    def followed_by(self, *, trained: Images, validated: Images) -> "SeenImages":
        """What a stage has seen that continues from here."""
        digests = (*self.trained, *trained)
        both = {d: sorted({*self.trained.get(d, ()), *trained.get(d, ())}) for d in digests}
        return SeenImages(both, validated)

    def trained_among(self, images: Images) -> list[str]:
        """The ids of ``images`` whose scores say nothing, because they were trained on.

        Images that were validated on here too are left out: then one file lies in the data set
        twice, once on each side, which no other split settings can mend.
        """
        return sorted(
            name
            for digest, ids in images.items()
            if digest in self.trained and digest not in self.validated
            for name in ids
        )


def seen_by_any(networks: Sequence[SeenImages]) -> SeenImages:
    """What networks have seen whose predictions are averaged.

    An image that any was trained on was trained on; of those that one validated on these are left
    out, as the average would have learned them.
    """
    trained, validated = (
        _united([getattr(each, part) for each in networks]) for part in ("trained", "validated")
    )
    left = {digest: ids for digest, ids in validated.items() if digest not in trained}
    return SeenImages(trained, left)


def _united(parts: Sequence[Images]) -> dict[str, list[str]]:
    """All images of several, with all ids of each."""
    digests = {digest for images in parts for digest in images}
    return {d: sorted({name for images in parts for name in images.get(d, ())}) for d in digests}


def as_lists(images: Images) -> dict[str, list[str]]:
    """Images as a checkpoint holds them: dicts and lists, in an order of their own."""
    return {digest: sorted(images[digest]) for digest in sorted(images)}


def rows_of(images: Sequence[tuple[str, str]], wanted: Images) -> list[int]:
    """Where wanted images stand in a list.

    Args:
        images: Id and digest of each.
        wanted: What is looked for. Of several files of one content those with a wanted id are
            meant; all of them if none has.

    Returns:
        Indices in ascending order.
    """
    named = {digest for name, digest in images if name in wanted.get(digest, ())}
    return [
        row
        for row, (name, digest) in enumerate(images)
        if digest in wanted and (name in wanted[digest] or digest not in named)
    ]
