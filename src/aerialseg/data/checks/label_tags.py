"""What the tags of mask files say about their values, against what the class table says."""

import logging
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from aerialseg.data.images.decoding import opened
from aerialseg.data.images.mask_encoding import MaskEncoding
from aerialseg.data.images.raster import tiff_nodata
from aerialseg.data.notices import say_once

logger = logging.getLogger(__name__)

_LOOKED_AT = 16  # files; whatever exports masks writes the same tag into all
_SUFFIXES = (".tif", ".tiff")


def check_nodata_tags(masks: Iterable[Path], encoding: MaskEncoding) -> None:
    """Warns of TIFF masks as :func:`nodata_tag_line` says it."""
    if line := nodata_tag_line(masks, encoding):
        say_once(logger, logging.WARNING, line)


def nodata_tag_line(masks: Iterable[Path], encoding: MaskEncoding) -> str:
    """One line about a TIFF mask whose tag takes the value of a class for no data; empty if none.

    GIS programs often write 0 there, for what nobody labelled, where the table's first class is.

    Args:
        masks: The files; the first few TIFFs among them are looked at.
        encoding: How they are read.
    """
    if encoding.is_painted:
        return ""
    tiffs = (path for path in masks if path.suffix.lower() in _SUFFIXES)
    for path in islice(tiffs, _LOOKED_AT):
        with opened(path) as image:
            value = tiff_nodata(image)
        if value is None or not value.is_integer():
            continue
        index = encoding.id_of_value.get(int(value))
        if index is not None and index < len(encoding.classes):
            name = encoding.classes.names[index]
            return (
                f"{path}: its nodata tag says that {value:g} means no data, and the class table "
                f"that it is '{name}', which is what it is taken for; if it means no label, set "
                f"data.ignore_values=[{value:g}]"
            )
    return ""
