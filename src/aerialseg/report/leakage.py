"""Leakage among scored images: which of them a network has seen, in words and in numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aerialseg.data.checks.seen_places import SeenPlace
from aerialseg.durations import counted

_SHOWN = 2  # pairs that a sentence names


@dataclass(frozen=True)
class Leakage:
    """Scored images whose scores are too good, because training has seen what they show.

    Attributes:
        images: The ids of all scored images.
        places: The leaking ones by id, with the training image that shows most of each.
        not_compared: Images that were trained on and are not in the data: what they show is not
            known.
    """

    images: Sequence[str]
    places: Mapping[str, SeenPlace]
    not_compared: int = 0

    @property
    def left(self) -> int:
        """How many images do not leak."""
        return len(self.images) - len(self.places)

    def rows_left(self, images: Sequence[str]) -> list[int]:
        """Where images that do not leak stand in a list of ids, which may hold one repeatedly."""
        return [row for row, key in enumerate(images) if key not in self.places]

    def seen_in(self, image: str) -> str:
        """What training has seen of an image: ``tile_3, overlap 43%``; empty if it does not leak.

        Args:
            image: Its id.
        """
        place = self.places.get(image)
        if place is None:
            return ""
        return (
            "the image itself" if place.is_same else f"{place.trained}, overlap {place.share:.0%}"
        )

    def sentence(self, noun: str) -> str:
        """What leaks, and what follows for the scores.

        Args:
            noun: What the images are called, in the singular.
        """
        total, leaking = len(self.images), len(self.places)
        same = sum(place.is_same for place in self.places.values())
        other = leaking - same
        verb = ("show", "shows")[other == 1]
        places = f"{verb} {'a place' if other == 1 else 'places'} that training images show too"
        of = f"of {counted(total, noun)}"
        trained = ("were", "was")[same == 1]
        if not same:
            what = f"{leaking} {of} {places}"
        elif not other:
            what = f"{leaking} {of} {trained} trained on"
        else:
            what = f"{of} {same} {trained} trained on and {other} {places}"
        what = f"{what[0].upper()}{what[1:]}{self._examples()}, so the score of all may be too good"
        if not self.left:
            return f"{what}; none is left for a score without leakage."
        verb = "does" if self.left == 1 else "do"
        return f"{what}; the score without leakage is that of the {self.left} that {verb} not leak."

    def _examples(self) -> str:
        """Pairs that overlap most, in brackets; empty if there are only images trained on."""
        overlapping = [(key, place) for key, place in self.places.items() if not place.is_same]
        worst = sorted(overlapping, key=lambda item: (-item[1].share, item[0]))
        shown = [f"{key} = {p.trained}, overlap {p.share:.0%}" for key, p in worst[:_SHOWN]]
        more = ", ..." if len(worst) > _SHOWN else ""
        return f" ({', '.join(shown)}{more})" if shown else ""
