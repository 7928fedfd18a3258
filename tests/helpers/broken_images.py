"""Broken images and masks, each with the line that refuses it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from helpers import broken
from helpers.broken import IDS, IMAGE, RGB, archive, cut, png, saved
from helpers.tiff_files import tiff

COLOURS = np.array([[10, 20, 30], [200, 0, 0], [0, 200, 0]], dtype=np.uint8)

READ_AGAIN = "; copy it again from its source, or take it out"
KNOWN = "JPEG, PNG, WebP, BMP, TIFF or GIF"
CONVERT = f"; wanted {KNOWN}; convert it, or get it again from its source"
NO_IMAGE = f"cannot be decoded: not an image of any known format ({KNOWN}){READ_AGAIN}"
CUT_SHORT = f"cannot be decoded: the file is cut short{READ_AGAIN}"
TRUNCATED = f"cannot be decoded: image file is truncated...{READ_AGAIN}"
FEWER_ROWS = f"cannot be decoded: the file has fewer rows than its header says{READ_AGAIN}"
DAMAGED = f"cannot be decoded: ...{READ_AGAIN}"
TILES = "; wanted at most 200 million; cut it into tiles, or raise data.max_megapixels"
DEEP = (
    "has more than 8 bits a channel (mode ...); which of its values are dark and bright only you "
    "know, so write it as 8-bit RGB"
)
BANDS = (
    "is no 8-bit RGB but holds ..., with values from about ...; say which bands are used, red, "
    "green and blue first, by data.bands=[...], and which values become 0 and 255 by "
    "data.value_range=[LOW,HIGH], or by 'data.value_range={percentiles: [2, 98]}' of the training "
    "images"
)
PRINTED = "has ... colours, which become RGB by a colour profile only; write it as 8-bit RGB"
ANIMATED = "is animated; wanted a still image; save one frame of it"
NOT_INDEX = (
    "is no single-channel mask (mode ...) where class ids are expected; set "
    "data.mask_format=colour if it is painted in the class table's colours"
)
TRANSPARENT = (
    "has transparent pixels (...%), of which only you know whether they have a class; export it "
    "without transparency"
)
LOSSY_WEBP = "is a lossy WebP, which changes values; masks need PNG; export it again"
INVERTED = (
    "stores its values inverted (a TIFF in which white is zero), so programs disagree about them; "
    "export it as PNG"
)
SMALL_FRAME = (
    "has a frame of 32x24 pixels in an image of 32x48; wanted one that fills it; write it as PNG"
)
FRACTIONS = (
    "is a TIFF of one channel, with floating-point values of 64 bits, which is not read; convert "
    "it to 8 bits: an image to RGB, a mask to one channel"
)
JPEG_MASK = "is a JPEG, which changes values; masks need PNG; export it again"


class Case(NamedTuple):
    """A file's name, how its bytes are made, and the line about it; ``...`` is anything."""

    name: str
    make: Callable[[], bytes]
    line: str


IMAGES = [
    Case("empty.jpg", lambda: b"", f"cannot be decoded: the file is empty{READ_AGAIN}"),
    Case("text.jpg", lambda: b"no image", NO_IMAGE),
    Case("zeros.png", lambda: bytes(2000), NO_IMAGE),
    Case("page.jpg", lambda: b"<!DOCTYPE html>", f"holds a web page or SVG{CONVERT}"),
    Case("lfs.jpg", lambda: b"version https://git-lfs.", f"holds a Git LFS pointer{CONVERT}"),
    Case("zip.png", lambda: archive(("a", "b")), f"holds a zip archive{CONVERT}"),
    Case("a.ico", lambda: saved(IMAGE, "ICO", sizes=[(16, 16)]), f"holds an icon{CONVERT}"),
    Case("psd.png", lambda: b"8BPS\0\1" + bytes(90), f"holds Photoshop data{CONVERT}"),
    Case("eps.jpg", lambda: saved(IMAGE, "EPS"), f"holds PostScript{CONVERT}"),
    Case("pdf.png", lambda: saved(IMAGE, "PDF"), f"holds PDF{CONVERT}"),
    Case("jp2.jpg", lambda: saved(IMAGE, "JPEG2000"), f"holds JPEG 2000{CONVERT}"),
    Case("heic.jpg", lambda: b"\0\0\0\x18ftypheic" + bytes(90), f"holds HEIC{CONVERT}"),
    Case("ppm.bmp", lambda: saved(IMAGE, "PPM"), f"holds a portable pixmap{CONVERT}"),
    Case("cut.jpg", lambda: cut(saved(IMAGE, "JPEG"), 0.6), CUT_SHORT),
    Case("end.jpg", lambda: saved(IMAGE, "JPEG")[:-2], CUT_SHORT),
    Case("middle.jpg", broken.jpeg_without_middle, CUT_SHORT),
    Case("progressive.jpg", lambda: cut(saved(IMAGE, "JPEG", progressive=True), 0.7), CUT_SHORT),
    Case("cut.png", lambda: cut(saved(IMAGE, "PNG"), 0.6), TRUNCATED),
    Case("end.png", lambda: saved(IMAGE, "PNG")[:-12], CUT_SHORT),
    Case("rows.png", lambda: png(4, 4, rows=b"\0\7\7\7\7" * 2), FEWER_ROWS),
    Case("passes.png", broken.png_without_last_pass, FEWER_ROWS),
    Case("no_rows.png", lambda: png(4, 4), TRUNCATED),
    Case("bit.png", lambda: broken.flipped(saved(IMAGE, "PNG"), 300), DAMAGED),
    Case("header.png", lambda: broken.flipped(saved(IMAGE, "PNG"), 18), DAMAGED),
    Case("sizeless.png", lambda: png(0, 4), DAMAGED),
    Case("cut.webp", lambda: cut(saved(IMAGE, "WEBP"), 0.6), DAMAGED),
    Case("cut.tif", lambda: cut(saved(IMAGE, "TIFF"), 0.6), DAMAGED),
    Case("cut_lzw.tif", lambda: cut(saved(IMAGE, "TIFF", compression="tiff_lzw"), 0.6), DAMAGED),
    Case("cut.gif", lambda: cut(saved(IMAGE, "GIF"), 0.6), CUT_SHORT),
    Case("end.gif", lambda: saved(IMAGE, "GIF")[:-1], CUT_SHORT),
    Case("rows.gif", broken.gif_without_half_of_its_rows, TRUNCATED),
    Case("frame.gif", broken.gif_with_a_smaller_frame, SMALL_FRAME),
    Case("cut.bmp", lambda: cut(saved(IMAGE, "BMP"), 0.6), TRUNCATED),
    Case("bomb.png", lambda: png(50_000, 50_000), f"has 50000x50000 pixels, 2500 million{TILES}"),
    Case(
        "large.png",
        lambda: png(20_000, 10_001),
        f"has 20000x10001 pixels, 200.02 million{TILES}",
    ),
    Case(
        "bomb.jpg",
        lambda: broken.jpeg_frame(saved(IMAGE, "JPEG"), height=65_000, width=65_000),
        f"has 65000x65000 pixels, 4225 million{TILES}",
    ),
    Case(
        "tile.tif",
        broken.tiff_of_one_huge_tile,
        f"has 60000x60000 pixels, 3600 million{TILES}",
    ),
    Case(
        "comment.png", broken.text_bomb, f"cannot be decoded: Decompressed data too ...{READ_AGAIN}"
    ),
    Case("profile.png", broken.profile_bomb, DAMAGED),
    Case("deep.png", lambda: saved((RGB[..., 0] * 200.0).astype(np.uint16), "PNG"), BANDS),
    Case("deep_rgb.png", lambda: png(1, 1, bits=16, colour_type=2, rows=bytes(7)), BANDS),
    Case("deep_rgba.png", lambda: png(1, 1, bits=16, colour_type=6, rows=bytes(9)), BANDS),
    Case("deep.tif", lambda: saved(RGB[..., 0].astype(np.int32), "TIFF"), BANDS),
    Case("float.tif", lambda: saved(RGB[..., 0].astype(np.float32), "TIFF"), BANDS),
    Case("double.tif", lambda: tiff(bytes(64), bits=(64,), sample_format=3), BANDS),
    Case("cut_double.tif", lambda: tiff(bytes(64), bits=(64,), sample_format=3)[:-9], DAMAGED),
    Case("cmyk.jpg", lambda: saved(IMAGE.convert("CMYK"), "JPEG"), PRINTED),
    Case("cmyk.tif", lambda: saved(IMAGE.convert("CMYK"), "TIFF"), PRINTED),
    Case("lab.tif", lambda: saved(IMAGE.convert("LAB"), "TIFF"), PRINTED),
    Case("moves.png", lambda: broken.animated("PNG"), ANIMATED),
    Case("moves.webp", lambda: broken.animated("WEBP"), ANIMATED),
    Case("moves.gif", lambda: broken.animated("GIF"), ANIMATED),
    Case(
        "pages.tif",
        lambda: broken.animated("TIFF"),
        "has 2 pages; wanted one; save each as a file of its own",
    ),
    Case(
        "turned.tif",
        lambda: saved(IMAGE, "TIFF", tiffinfo={274: 6}),
        "is a TIFF with the orientation 6; wanted 1; store it upright",
    ),
]

MASKS = [
    Case("rgb.png", lambda: saved(RGB, "PNG"), NOT_INDEX),
    Case("alpha.png", lambda: saved(np.dstack([IDS, IDS]), "PNG"), TRANSPARENT),
    Case("deep_rgb.png", lambda: png(1, 1, bits=16, colour_type=2, rows=bytes(7)), DEEP),
    Case("lossy.webp", lambda: saved(np.dstack([IDS] * 3), "WEBP"), LOSSY_WEBP),
    Case("inverted.tif", lambda: saved(IDS, "TIFF", tiffinfo={262: 0}), INVERTED),
    Case("lossy.jpg", lambda: saved(IDS, "JPEG"), JPEG_MASK),
    Case("lossy.tif", lambda: saved(IDS, "TIFF", compression="jpeg"), JPEG_MASK),
    Case(
        "ids.png",
        lambda: saved(IDS.astype(np.uint16) + 256, "PNG"),
        "has ids from 256 to 258; wanted 0 to 255",
    ),
    Case(
        "float.tif",
        lambda: saved(IDS.astype(np.float32), "TIFF"),
        "holds fractions (mode F); wanted class ids; write it in 8 bits",
    ),
    Case("bomb.png", lambda: png(50_000, 50_000), f"has 50000x50000 pixels, 2500 million{TILES}"),
    Case("rows.png", lambda: png(4, 4, rows=b"\0\1\1\1\1" * 2), FEWER_ROWS),
    Case("moves.gif", lambda: broken.animated("GIF"), ANIMATED),
    Case("frame.gif", broken.gif_with_a_smaller_frame, SMALL_FRAME),
    Case("rows.gif", broken.gif_without_half_of_its_rows, TRUNCATED),
    Case("end.gif", lambda: saved(IDS, "GIF")[:-1], CUT_SHORT),
    Case("deep.tif", lambda: tiff(bytes(64), bits=(64,), sample_format=3), FRACTIONS),
    Case("cut.png", lambda: cut(saved(IDS, "PNG"), 0.8), TRUNCATED),
    Case("bit.png", lambda: broken.flipped(saved(IDS, "PNG"), 100), DAMAGED),
]

PAINTED_MASKS = [
    Case(
        "grey.png",
        lambda: saved(IDS, "PNG"),
        "is a single-channel mask (mode L) where colours are expected; set "
        "data.mask_format=index if it holds class ids",
    ),
    Case(
        "colour.png",
        lambda: saved(np.full((2, 2, 3), 7, dtype=np.uint8), "PNG"),
        "#070707 (4 pixels, 100%) is no colour of the class table; correct the table or the "
        "mask, add what has no label to data.ignore_values as [red, green, blue], or set "
        "data.mask_format=index if it holds class ids",
    ),
    Case("deep.png", lambda: png(1, 1, bits=16, colour_type=2, rows=bytes(7)), DEEP),
    Case("clear.png", lambda: saved(np.dstack([COLOURS[IDS], IDS]), "PNG"), TRANSPARENT),
    Case("painted.jpg", lambda: saved(COLOURS[IDS], "JPEG"), JPEG_MASK),
]
