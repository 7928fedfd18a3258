"""Scans of a JPEG: decoders take an image whose last scans are missing for a whole one."""

import re
from collections.abc import Iterator

_SCAN = 0xDA
_PROGRESSIVE = (0xC2, 0xCA)  # markers of frames, with Huffman and with arithmetic coding
_FRAMES = (0xC0, 0xC1, 0xC9, *_PROGRESSIVE)
_END = b"\xff\xd9"
_SCAN_OR_END = re.compile(rb"\xff[\xd9\xda]")
_ALL = (1 << 64) - 1  # a bit for each coefficient of a block


def lacks_scans(data: bytes) -> bool:
    """Whether a JPEG has no scan for some of its channels, or lacks the last bits of coefficients.

    A progressive JPEG cut between two scans and closed by an end marker is a valid one of low
    quality, in which no decoder finds a fault. Encoders write all coefficients to the last bit.

    Args:
        data: A JPEG that can be decoded; what comes after its end marker is not looked at.
    """
    header = {marker: place for marker, place in _segments(data) if marker in (*_FRAMES, _SCAN)}
    frames = [marker for marker in header if marker != _SCAN]
    if len(header) != 2 or len(frames) != 1:
        return False  # an odd header; that is the decoder's business
    frame, place, scan = frames[0], header[frames[0]], header[_SCAN]
    channels = data[place + 6 : place + 6 + 3 * data[place + 5] : 3]
    missing = dict.fromkeys(channels, _ALL)
    for start in _scans(data, scan):
        for channel, complete in _completed(data, start, is_progressive=frame in _PROGRESSIVE):
            missing[channel] = missing.get(channel, 0) & ~complete
        if not any(missing.values()):
            return False
    return True


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Marker and place of the content of each segment up to the header of the first scan."""
    place, marker = 2, 0
    while marker != _SCAN and place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # a filling byte
            place += 1
            continue
        yield marker, place + 4
        place += 2 + int.from_bytes(data[place + 2 : place + 4])


def _scans(data: bytes, first: int) -> Iterator[int]:
    """Where the content of the header of each scan begins, up to the end of the image."""
    yield first
    # No marker is among coefficients: a byte 0xff of theirs is followed by 0.
    for found in _SCAN_OR_END.finditer(data, first):
        if found[0] == _END:
            return
        yield found.end() + 2


def _completed(data: bytes, scan: int, *, is_progressive: bool) -> Iterator[tuple[int, int]]:
    """Channels of a scan, each with the coefficients that it brings to their last bit."""
    count = data[scan]
    first, last, bits = data[scan + 1 + 2 * count : scan + 4 + 2 * count]
    coefficients = _ALL
    if is_progressive:  # else these three say nothing, and some phones write zeros
        coefficients = (2 << last) - (1 << first) if bits & 15 == 0 else 0
    for channel in data[scan + 1 : scan + 1 + 2 * count : 2]:
        yield channel, coefficients
