"""Broken files as bytes: damaged, of other formats, malicious."""

import stat
import struct
import zipfile
import zlib
from io import BytesIO

import numpy as np
import torch
from PIL import Image

RGB = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
IDS = np.random.default_rng(1).integers(0, 3, (24, 32), dtype=np.uint8)
IMAGE = Image.fromarray(RGB)


def saved(image, kind, **options):
    """An image, or an array of one, encoded by Pillow."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    buffer = BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def cut(data, share):
    return data[: int(share * len(data))]


def flipped(data, place):
    """The same bytes with one bit of the byte at ``place`` flipped."""
    return data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]


def png(width, height, *, bits=8, colour_type=0, rows=b"", extra=(), interlaced=0):
    """A PNG with these rows, each with its filter byte, regardless of its header."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, interlaced)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(named):
    kind, content = named
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def text_bomb():
    """A compressed comment of 50 MB in an image of four pixels."""
    comment = b"Comment\0\0" + zlib.compress(bytes(50_000_000))
    return png(2, 2, rows=bytes(6), extra=[(b"zTXt", comment)])


def profile_bomb():
    profile = b"profile\0\0" + zlib.compress(bytes(50_000_000))
    return png(2, 2, rows=bytes(6), extra=[(b"iCCP", profile)])


def jpeg_frame(data, *, bits=8, height=24, width=32):
    """A JPEG with these values in its header."""
    place = data.index(b"\xff\xc0")
    return data[: place + 4] + struct.pack(">BHH", bits, height, width) + data[place + 9 :]


def jpeg_without_middle():
    """A JPEG with half of its pixels but an end marker, like a repaired download."""
    data = saved(Image.fromarray(RGB).resize((320, 240)), "JPEG")
    return cut(data, 0.5) + b"\xff\xd9"


def png_without_last_pass():
    """An interlaced 4x4 PNG without its last pass."""
    return png(4, 4, rows=b"\0\7" * 2 + b"\0\7\7" * 3, interlaced=1)


def tiff_of_one_huge_tile():
    """A TIFF of 8x8 pixels with a compressed tile of 60000x60000."""
    # Width, height, bits, compression, black is zero, samples, tile's width, height, offset, bytes.
    tags = {256: 8, 257: 8, 258: 8, 259: 8, 262: 1, 277: 1}
    tags |= {322: 60_000, 323: 60_000, 324: 200, 325: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return (b"II*\0" + struct.pack("<I", 8) + directory).ljust(200) + zlib.compress(b"")


def gif_with_a_smaller_frame():
    """A GIF of 32x48 pixels whose frame has 32x24; Pillow fills the rest."""
    data = saved(IDS, "GIF")
    return data[:8] + struct.pack("<H", 48) + data[10:]


def gif_without_half_of_its_rows():
    """A GIF that states 48 rows and holds 24."""
    data = gif_with_a_smaller_frame()
    frame = data.index(b",", 13 + 3 * 4)  # behind the palette
    return data[: frame + 7] + struct.pack("<H", 48) + data[frame + 9 :]


def animated(kind):
    other = Image.fromarray(255 - RGB)
    return saved(IMAGE, kind, save_all=True, append_images=[other])


def archive(*members, **options):
    """A zip of ``(name, content)`` or ``(ZipInfo, content)``."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as file:
        for name, content in members:
            file.writestr(name, content)
    return buffer.getvalue()


def archive_with_link():
    link = zipfile.ZipInfo("imgs")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return archive((link, "/etc"))


def archive_with_password():
    data = bytearray(archive(("train.csv", "ImageID\n")))
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(start) + flags] |= 1
    return bytes(data)


def archive_of_zeros():
    """120 MB in 120 kB."""
    return archive(("zeros", bytes(120_000_000)), compression=zipfile.ZIP_DEFLATED)


def archive_with_wrong_content():
    data = archive(("train.csv", "ImageID\na\n"))
    return flipped(data, data.index(b"ImageID"))


class Harm:
    def __reduce__(self):
        return print, ("harm is done",)


def torch_file(content):
    buffer = BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def checkpoint(**description):
    """A checkpoint with this description and no network."""
    whole = {
        "format": 1,
        "network": {"_target_": "aerialseg.models.networks.lraspp_mobilenet_v3_large"},
        "classes": {"ground": [0, 0, 0], "car": [200, 0, 0]},
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "image_min_size": 64,
        "stage": "head",
        "run_name": "default",
        "parent": {},
        "epoch": 1,
        "metrics": {},
    }
    described = {key: value for key, value in (whole | description).items() if value is not ...}
    return torch_file({"state_dict": {}, "aerialseg": described})
