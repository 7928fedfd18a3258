"""Which images two networks may both be scored on."""

from collections.abc import Collection
from dataclasses import dataclass

from aerialseg.durations import counted
from aerialseg.storage.seen_images import SeenImages


@dataclass(frozen=True)
class CommonImages:
    """Images that one or both of two networks, a and b, validated on.

    Attributes:
        scored: Digests of those that neither was trained on and that are in the data of both.
        validated: How many images each validated on.
        by_both: How many of them are the same.
        trained: How many of all of them each was trained on, which are left out.
        missing: How many of the others are not in the data of both, or have no mask there.
        chosen_on: How many of ``scored`` each alone validated on.
    """

    scored: tuple[str, ...]
    validated: tuple[int, int]
    by_both: int
    trained: tuple[int, int]
    missing: int
    chosen_on: tuple[int, int]

    @property
    def are_same(self) -> bool:
        """Whether both validated on the same images."""
        return self.validated == (self.by_both, self.by_both)

    def in_words(self) -> list[str]:
        """What is scored and what is left out, a line each; empty if that is what one expects."""
        lines = []
        if not self.are_same:
            lines.append(
                "a and b validated on different images: "
                f"a on {self.validated[0]}, b on {self.validated[1]}, of which "
                f"{self.by_both or 'none'} {'is' if self.by_both == 1 else 'are'} the same"
            )
        lines += [
            f"left out: {counted(number, 'image')} that {side} was trained on"
            for side, number in zip("ab", self.trained, strict=True)
            if number
        ]
        if self.missing:
            text = "not in the data of both, or without a mask there"
            lines.append(f"left out: {counted(self.missing, 'image')} {text}")
        lines += [
            f"{counted(number, 'image')} only {side} validated on: its best epoch was chosen by "
            f"them, which favours {side} a little"
            for side, number in zip("ab", self.chosen_on, strict=True)
            if number
        ]
        return lines


def common_images(
    a: SeenImages, b: SeenImages, *, in_a: Collection[str], in_b: Collection[str]
) -> CommonImages:
    """Finds the images that two networks may both be scored on.

    Args:
        a: What one network has seen.
        b: What the other has seen.
        in_a: Digests of the labelled images of its data, in their order.
        in_b: Likewise.
    """
    validated = [set(a.validated), set(b.validated)]
    either, both = validated[0] | validated[1], validated[0] & validated[1]
    unseen = {each for each in either if each not in a.trained and each not in b.trained}
    there = set(in_a) & set(in_b)
    scored = tuple(each for each in in_a if each in unseen and each in there)
    alone = [sum(each in mine - both for each in scored) for mine in validated]
    trained = [sum(each in seen.trained for each in either) for seen in (a, b)]
    return CommonImages(
        scored=scored,
        validated=(len(validated[0]), len(validated[1])),
        by_both=len(both),
        trained=(trained[0], trained[1]),
        missing=len(unseen - there),
        chosen_on=(alone[0], alone[1]),
    )
