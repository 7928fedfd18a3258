"""How masks are named, from their names and those of the images."""

import re
from collections.abc import Collection, Sequence
from posixpath import dirname

_TRIED = 20
"""Masks that one image is compared with."""
_SEPARATOR = re.compile(r"[ ._-]")


def guess_names(images: Sequence[str], masks: Collection[str]) -> tuple[str, str] | None:
    """Templates by which every image has a mask.

    Args:
        images: Paths of images without suffix, with forward slashes.
        masks: Those of masks, in folders of the same names.

    Returns:
        ``image_name`` and ``mask_name``, as ``("{stem}", "{stem}_lab")`` or ``("{stem}_sat",
        "{stem}_mask")``; None if there are no such templates.
    """
    if not images:
        return None
    image = max(images, key=len)  # the longest name agrees with the fewest by chance
    folder = dirname(image)
    near = [mask for mask in masks if dirname(mask) == folder]
    start = len(folder) + 1 if folder else 0
    near.sort(key=lambda mask: -_agreement(image[start:], mask[start:]))
    for mask in near[:_TRIED]:
        for image_name, mask_name in _templates(image[start:], mask[start:]):
            if _fits(image_name, mask_name, images, masks):
                return image_name, mask_name
    return None


def _agreement(first: str, second: str) -> int:
    return max(len(_common_start(first, second)), len(_common_end(first, second)))


def _common_start(first: str, second: str) -> str:
    pairs = enumerate(zip(first, second, strict=False))
    length = min(len(first), len(second))
    return first[: next((place for place, (one, other) in pairs if one != other), length)]


def _common_end(first: str, second: str) -> str:
    return _common_start(first[::-1], second[::-1])[::-1]


def _templates(image: str, mask: str) -> list[tuple[str, str]]:
    """What the two names have in common at their start, or at their end, is the stem."""
    start, end = _common_start(image, mask), _common_end(image, mask)
    if start not in (image, mask):  # a_red and a_ref have the stem a
        cuts = [cut.start() for cut in _SEPARATOR.finditer(start)]
        start = start[: cuts[-1]] if cuts else ""
    if end not in (image, mask):
        cut = _SEPARATOR.search(end)
        end = end[cut.end() :] if cut else ""
    found = []
    if start:
        found.append((f"{{stem}}{image[len(start) :]}", f"{{stem}}{mask[len(start) :]}"))
    if end:
        found.append((f"{image[: -len(end)]}{{stem}}", f"{mask[: -len(end)]}{{stem}}"))
    return found


def _fits(image_name: str, mask_name: str, images: Collection[str], masks: Collection[str]) -> bool:
    """Whether every image has this name, and a mask of the other."""
    before, _, after = image_name.partition("{stem}")
    pattern = re.compile(rf"((?:.*/)?){re.escape(before)}([^/]+){re.escape(after)}")
    found = [pattern.fullmatch(image) for image in images]
    known = set(masks)
    return all(
        match is not None and match[1] + mask_name.replace("{stem}", match[2]) in known
        for match in found
    )
