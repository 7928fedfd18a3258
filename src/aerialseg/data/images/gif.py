"""GIF: whether a file is whole, and holds one frame that fills the image.

Pillow takes a file without its end for a whole one, and fills what a smaller frame leaves out.
"""

from collections.abc import Container
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.data.images.formats import CUT_SHORT, undecodable
from aerialseg.errors import DataError

_HEADER = 13  # bytes, up to the palette
_END, _EXTENSION, _FRAME, _PADDING = 0x3B, 0x21, 0x2C, 0x00
_HAS_PALETTE = 0x80
_SHOWN = 5  # values named in one line


def check_gif(data: bytes, path: str | Path) -> None:
    """Checks the blocks of a GIF; their pixels are not decoded.

    Raises:
        DataError: If the file is damaged, cut short or animated, or if its frame is smaller or
            larger than the image.
    """
    try:
        frame = _only_frame(data, path)
    except IndexError:
        raise undecodable(path, CUT_SHORT) from None
    left, top, *size = (int.from_bytes(frame[i : i + 2], "little") for i in range(0, 8, 2))
    whole = [int.from_bytes(data[i : i + 2], "little") for i in (6, 8)]
    if left or top or size != whole:
        raise DataError(
            f"{path}: has a frame of {size[0]}x{size[1]} pixels in an image of "
            f"{whole[0]}x{whole[1]}; wanted one that fills it; write it as PNG"
        )


def check_greys(
    image: Image.Image,
    values: npt.NDArray[np.integer],
    path: str | Path,
    *,
    said: Container[int] | None = None,
) -> None:
    """Refuses a mask that stores other values than the greys it shows.

    A GIF has a palette even if it is grey, and programs that write one number the greys which
    occur: the values 0, 2 and 4 are stored as 0, 1 and 2.

    Args:
        image: The decoded mask.
        values: What it stores.
        path: The file, for the error.
        said: The values of which it was said what they mean. Greys that are not among them are not
            meant. None: nothing was said.

    Raises:
        DataError: If so; shows both.
    """
    colours = image.getpalette("RGB") if image.mode == "P" else None
    if colours is None:
        return
    palette = list(zip(colours[::3], colours[1::3], colours[2::3], strict=True))
    stored = [v for v in np.unique(values).tolist() if v < len(palette)]
    if any(len(set(palette[value])) > 1 for value in stored):
        return
    greys = [palette[value][0] for value in stored]
    if stored == greys or (said is not None and not all(grey in said for grey in greys)):
        return
    shown = [", ".join(map(str, some[:_SHOWN])) for some in (stored, greys)]
    more = ", ..." if len(stored) > _SHOWN else ""
    advice = "write it as PNG"
    if said is None:
        advice = "write it as PNG, or say which stored value is which class with data.mask_values"
    raise DataError(
        f"{path}: stores {shown[0]}{more} and shows them as the greys {shown[1]}{more}, so "
        f"either may be meant; {advice}"
    )


def _only_frame(data: bytes, path: str | Path) -> bytes:
    """The description of the one frame; raises IndexError where the file ends early."""
    frame = b""
    position = _HEADER + _palette_size(data[10])
    while (kind := data[position]) != _END:
        if kind == _EXTENSION:
            position = _behind_blocks(data, position + 2)
        elif kind == _FRAME and frame:
            raise DataError(f"{path}: is animated; wanted a still image; save one frame of it")
        elif kind == _FRAME:
            frame = data[position + 1 : position + 10]
            position = _behind_blocks(data, position + 11 + _palette_size(frame[8]))
        elif kind == _PADDING:
            position += 1
        else:
            raise undecodable(path, f"the GIF has a block of no known kind ({kind})")
    if not frame:
        raise undecodable(path, "the GIF has no frame")
    return frame


def _palette_size(flags: int) -> int:
    """Bytes of a palette, by the flags in front of it."""
    return 3 << (flags & 7) + 1 if flags & _HAS_PALETTE else 0


def _behind_blocks(data: bytes, position: int) -> int:
    """Where a sequence of blocks, each with its length in front and the last empty, ends."""
    while length := data[position]:
        position += 1 + length
    return position + 1
