"""What is in a TIFF that Pillow does not read, or would read wrongly.

TIFF is a container of hundreds of kinds. A whole file of a kind that is not read is not damaged:
its kind is named, from the tags in its header. Numbers and names of tags, compressions and colours
are those of the TIFF 6.0 specification, of libtiff's ``tiff.h`` and of the DNG specification.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from PIL import TiffImagePlugin

from aerialseg.data.images.formats import undecodable
from aerialseg.errors import DataError

Tags: TypeAlias = Mapping[int, Any]
"""Values of a TIFF's tags, by their numbers."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_CHANNELS, _PLANAR, _SAMPLE_FORMAT = 277, 284, 339
_PLACES = ((273, 279), (324, 325))  # offsets and sizes of strips, and of tiles
_STRIP_HEIGHT, _TILE_WIDTH, _TILE_HEIGHT = 278, 322, 323
_SUBFILE_TYPE = 254
_SEPARATE = 2
_UNSIGNED, _SIGNED = 1, 2
_BIG = 43  # the version of a TIFF of 64-bit offsets
_HEADER, _BIG_HEADER = 8, 16  # bytes

_UNREAD_COMPRESSION = {
    6: "JPEG (of the old kind)",
    9: "JBIG",
    10: "JBIG",
    32766: "NeXT",
    32809: "ThunderScan",
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34676: "LogLuv",
    34677: "LogLuv",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "JPEG",
    34933: "PNG",
    34934: "JPEG XR",
    22610: "JPEG XR",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_UNREAD_COLOURS = {
    4: "of a transparency mask",
    9: "in ICC L*a*b* colours",
    10: "in ITU L*a*b* colours",
    32803: "of raw camera data",
    32844: "in LogL brightness",
    32845: "in LogLuv colours",
    34892: "of raw camera data",
}
_KNOWN_COLOURS = (0, 1, 2, 3, 5, 6, 8)
_FORMATS = {_SIGNED: "signed ", 3: "floating-point ", 5: "complex ", 6: "complex "}
_WEBP = 50001
_COMPRESS = "write it with LZW compression or none"
_CONVERT = "convert it to 8 bits: an image to RGB, a mask to one channel"


def unread_tiff(path: str | Path, *, was_opened: bool) -> DataError | None:
    """The error for a TIFF that Pillow does not read though it is whole; None if it is damaged.

    Args:
        path: The file.
        was_opened: Whether Pillow knew its kind, and failed later: then its compression may be one
            that Pillow's libtiff lacks.
    """
    try:
        tags = read_tags(Path(path))
        if not _is_whole(tags, Path(path).stat().st_size):
            return None
        if was_opened and tags.get(_COMPRESSION) not in _UNREAD_COMPRESSION:
            return None
        return _unread(tags, path)
    except Exception:  # Pillow raises many types for damaged tags
        return None


def check_tiff_kind(tags: Tags, path: str | Path) -> None:
    """Refuses a TIFF that Pillow would open, but read wrongly or not at all.

    Raises:
        DataError: If strips or tiles are missing, which Pillow paints black; if it is compressed
            as WebP, which Pillow's own libtiff lacks; if it has signed values of 8 bits, which
            Pillow takes for unsigned ones, or more than 8 bits in separate channels, of which
            Pillow takes halves of values for values.
    """
    bits, sample_format = _bits(tags), _all(tags.get(_SAMPLE_FORMAT, _UNSIGNED))[0]
    is_separate = tags.get(_PLANAR) == _SEPARATE and tags.get(_CHANNELS, 1) > 1
    is_wrong = (bits == 8 and sample_format == _SIGNED) or (bits > 8 and is_separate)
    if (is_wrong or tags.get(_COMPRESSION) == _WEBP) and (error := _unread(tags, path)):
        raise error
    if _parts(tags) < _parts_needed(tags):
        raise undecodable(path, "its header lists fewer strips or tiles than its size needs")


def _parts(tags: Tags) -> int:
    """Number of strips or tiles whose places are listed."""
    return max((len(_all(tags[place])) for place, _ in _PLACES if place in tags), default=0)


def _parts_needed(tags: Tags) -> int:
    """Number of strips or tiles that make up the whole."""
    width, height = tags[_WIDTH], tags[_HEIGHT]
    across, down = tags.get(_TILE_WIDTH, width), tags.get(_TILE_HEIGHT)
    if down is None:
        across, down = width, min(tags.get(_STRIP_HEIGHT, height), height)
    planes = tags.get(_CHANNELS, 1) if tags.get(_PLANAR) == _SEPARATE else 1
    return int(planes * -(-width // max(across, 1)) * -(-height // max(down, 1)))


def read_tags(path: Path) -> Tags:
    """The tags of the first page; raises many types of error if they are damaged."""
    return next(_pages(path))


def subfile_types(path: Path) -> list[int]:
    """What each page is by its tag: 0 an image; bit 1 a smaller copy, bit 4 a transparency mask.

    Raises many types of error if tags are damaged.
    """
    return [int(tags.get(_SUBFILE_TYPE, 0)) for tags in _pages(path)]


def _pages(path: Path) -> Iterator[Tags]:
    """The tags of one page after the other."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
        if _BIG in header[2:4]:
            header += file.read(_BIG_HEADER - _HEADER)
        tags = TiffImagePlugin.ImageFileDirectory_v2(header)
        seen: set[int] = set()
        while tags.next and tags.next not in seen:  # a damaged file may lead in a circle
            seen.add(tags.next)
            file.seek(tags.next)
            tags.load(file)
            yield dict(tags)


def _is_whole(tags: Tags, size: int) -> bool:
    """Whether the header states a size, and places of pixels that are all inside the file."""
    if tags[_WIDTH] < 1 or tags[_HEIGHT] < 1:
        return False
    places = [(tags[first], tags[second]) for first, second in _PLACES if first in tags]
    return bool(places) and all(
        offset > 0 and offset + length <= size
        for offsets, lengths in places
        for offset, length in zip(_all(offsets), _all(lengths), strict=True)
    )


def _unread(tags: Tags, path: str | Path) -> DataError | None:
    """The error that names the kind; None if a tag has a value that means nothing."""
    compression, colours = tags.get(_COMPRESSION, 1), tags[_PHOTOMETRIC]
    bits, channels = _bits(tags), tags.get(_CHANNELS, 1)
    step = _CONVERT
    if name := _UNREAD_COMPRESSION.get(compression):
        what, step = f"with {name} compression", _COMPRESS
    elif compression not in TiffImagePlugin.COMPRESSION_INFO:
        return None
    elif colours in _UNREAD_COLOURS:
        what = _UNREAD_COLOURS[colours]
    elif colours not in _KNOWN_COLOURS or not 1 <= bits <= 128 or channels < 1:
        return None
    else:
        kind = _FORMATS.get(_all(tags.get(_SAMPLE_FORMAT, _UNSIGNED))[0], "")
        number = f"{channels} channels" if channels > 1 else "one channel"
        order = " one after the other" if channels > 1 and tags.get(_PLANAR) == _SEPARATE else ""
        what = f"of {number}{order}, with {kind}values of {bits} bit{'s' if bits > 1 else ''}"
    return DataError(f"{path}: is a TIFF {what}, which is not read; {step}")


def _bits(tags: Tags) -> int:
    return max(_all(tags.get(_BITS, 1)))


def _all(value: int | tuple[int, ...]) -> tuple[int, ...]:
    """All values of a tag, which is a number where it has one value only."""
    return value if isinstance(value, tuple) else (value,)
