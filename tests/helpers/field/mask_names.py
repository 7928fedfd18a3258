"""How images and masks are named, and what is typed for it."""

from collections.abc import Callable
from typing import NamedTuple


class Naming(NamedTuple):
    """Names of files without suffix.

    Attributes:
        mask: A stem and the suffix of the image made into the name of the mask.
        image: A stem made into the name of the image.
        mask_name: What is typed of masks, before their suffix; None for nothing.
        image_name: Likewise of images.
        has_suffix: Whether what is typed ends in the suffix.
    """

    mask: Callable = lambda stem, suffix: stem
    image: Callable = lambda stem: stem
    mask_name: str | None = None
    image_name: str | None = None
    has_suffix: bool = True

    def typed(self, image_suffix, mask_suffix):
        """What a user types, who writes suffixes in lower case."""
        names = {"image_name": self.image_name, "mask_name": self.mask_name}
        suffixes = {"image_name": image_suffix.lower(), "mask_name": mask_suffix.lower()}
        return [
            f"data.layout.{key}={name}{suffixes[key] if self.has_suffix else ''}"
            for key, name in names.items()
            if name is not None
        ]


def _labelled(stem, suffix):
    return f"{stem}_lab"


NAMINGS = {
    "same": Naming(),
    "behind": Naming(_labelled, mask_name="{stem}_lab"),
    "behind-any-suffix": Naming(_labelled, mask_name="{stem}_lab", has_suffix=False),
    "before": Naming(lambda stem, suffix: f"gt_{stem}", mask_name="gt_{stem}"),
    "with-suffix": Naming(lambda stem, suffix: f"{stem}{suffix}", mask_name="{name}"),
    "deeper": Naming(lambda stem, suffix: f"gt/{stem}", mask_name="{parent}/gt/{stem}"),
    "both": Naming(
        lambda stem, suffix: f"{stem}_mask",
        lambda stem: f"{stem}_sat",
        mask_name="{stem}_mask",
        image_name="{stem}_sat",
    ),
    "wrong": Naming(mask_name="{stem}_wrong"),
}
