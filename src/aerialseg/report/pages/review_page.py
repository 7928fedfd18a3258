"""The page for looking through the regions of a review."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aerialseg.classes import ClassTable
from aerialseg.data.labels.review_record import CORRECTED, ReviewedRegion, ReviewRecord
from aerialseg.durations import counted
from aerialseg.report.pages.rendering import asset, render_page

_CROPS = {
    "image": "image",
    "mask": "mask",
    "predicted": "prediction",
    "suggested": "suggestion",
}
"""The crops of a region that the page links to, and how it calls them."""

_SECTIONS = {
    "no": (
        "unseen",
        "Judged without having been seen",
        "No network that judges these images was trained on them: this is the evidence to trust.",
    ),
    "unknown": (
        "unknown",
        "Perhaps trained on",
        "The checkpoints do not say which images they were trained on.",
    ),
    "yes": (
        "trained",
        "Trained on",
        "Every network was trained on these images with the masks that it contradicts here. It may "
        "have learnt their errors, so errors are missed, and what is left is often an image that "
        "it has not learnt well.",
    ),
}


def review_page(
    record: ReviewRecord,
    *,
    files: Sequence[Mapping[str, str]],
    sizes: Sequence[tuple[int, int]],
    index: str,
    classes: ClassTable,
    subtitle: Sequence[str],
    command: str,
) -> str:
    """The HTML of the page, which shows the overviews beside it and links to the crops.

    Args:
        record: The review.
        files: Of each region, paths from the page: those of its crops and ``overview``.
        sizes: Of each region, height and width of the overview in pixels.
        index: The table of all regions, as a path from the page.
        classes: The trained classes.
        subtitle: Lines below the title.
        command: What applies the corrections.
    """
    colours = {
        name: "rgb({}, {}, {})".format(*colour)
        for name, colour in zip(classes.names, classes.colours, strict=True)
    }
    cards = [
        _card(region, paths, size, colours)
        for region, paths, size in zip(record.regions, files, sizes, strict=True)
    ]
    sections = [
        {
            "anchor": anchor,
            "title": title,
            "about": about,
            "cards": [card for card in cards if card["trained_on"] == key],
        }
        for key, (anchor, title, about) in _SECTIONS.items()
    ]
    sections = [section for section in sections if section["cards"]]
    return render_page(
        "review.html",
        title="Labels to review",
        subtitle=subtitle,
        contents=[("how", "How"), *((each["anchor"], each["title"]) for each in sections)],
        sections=sections,
        command=command,
        review_css=asset("review.css"),
        index=index,
        footer=f"{counted(len(cards), 'region')} shown",
    )


def _card(
    region: ReviewedRegion,
    files: Mapping[str, str],
    size: tuple[int, int],
    colours: dict[str, str],
) -> dict[str, Any]:
    """What is shown of one region."""
    return {
        "rank": region.rank,
        "name": region.name,
        "image": region.image,
        "trained_on": region.trained_on,
        "overview": quote(files["overview"]),
        "height": size[0],
        "width": size[1],
        "crops": [(name, quote(files[key])) for key, name in _CROPS.items()],
        "command": shlex.join(("cp", files["suggested"], f"{CORRECTED}/")),
        "mask_class": region.mask_class,
        "mask_colour": colours[region.mask_class],
        "predicted_class": region.predicted_class,
        "predicted_colour": colours[region.predicted_class],
        "given": f"{100 * region.given:.1f}",
        "confidence": f"{100 * region.confidence:.0f}",
        "pixels": f"{region.pixels:,}",
        "score": f"{region.score:.4f}",
        "judged_by": ", ".join(region.judged_by),
    }
