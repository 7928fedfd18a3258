"""Links from a page to files beside it."""

import os
from pathlib import Path
from urllib.parse import quote

_SHOWN_BY_BROWSERS = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp"})


def image_link(image: Path, folder: Path) -> str:
    """A relative link to an image; empty if it is not there or browsers do not show such files.

    Args:
        image: The file.
        folder: Of the page.
    """
    if image.suffix.lower() not in _SHOWN_BY_BROWSERS or not image.is_file():
        return ""
    try:
        return quote(Path(os.path.relpath(image, folder)).as_posix())
    except ValueError:  # of another drive
        return ""
