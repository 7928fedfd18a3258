"""What data differ in: an axis for each, and its values by name."""

from typing import NamedTuple

from helpers.field.band_choices import BANDS, NODATA, RANGES
from helpers.field.class_mappings import MAPPINGS
from helpers.field.image_files import FORMATS, MODES
from helpers.field.mask_files import MASK_FORMATS, MASKS
from helpers.field.mask_names import NAMINGS
from helpers.field.places import PLACES

COUNT = 6
"""Images of a data set."""


class Exif(NamedTuple):
    """EXIF orientations, what is typed for them, and on what masks were drawn."""

    image: int | None = None
    mask: int | None = None
    setting: str | None = None
    drawn_on_stored: bool = False


def _numbered(pattern):
    return [pattern.replace("{n}", str(n)) for n in range(1, COUNT + 1)]


NAMES = {
    "plain": _numbered("north_{n}"),
    "spaces": _numbered("north  field {n}"),
    "unicode": ["Zürich 1", "部_2", "Zu\u0308rich 3", "🚁", "Ελλάδα", "ñ, ß"],
    "formulas": ["=1+1", "+2", "-3", "@a", "#5", "--6"],
    "signs": ["run=3,lr=1", 'it\'s "2"', "tile[(", "a;b", "50%_$HOME_&_~!", "tile[1](a){b}"],
    "wildcards": ["a*", "b?", "[c]", "${seed}", "%d", "{n}"],
    "numbers": ["001", "1e5", "0x10", "1_000", "12.50", "inf"],
    "words": ["NA", "null", "nan", "true", "None", "no"],
    "dots": ["2024.05.01", "1.png", "x..y", "v1.", "a..", "b.tar.gz"],
    "long": _numbered("x" * 200 + "_{n}"),
    "case": ["a", "A", "b", "B", "c", "C"],
    "outer-spaces": _numbered(" {n} "),
    "line-break": _numbered("a\n{n}"),
}

ENDINGS = {
    "own": lambda image, mask: (image, mask),
    "upper": lambda image, mask: (image.upper(), mask.upper()),
    "upper-images": lambda image, mask: (image.upper(), mask),
    "jpg-and-png": lambda image, mask: (".jpg", ".png"),
}

EXIF = {
    "none": Exif(),
    "1": Exif(1),
    "6-apply": Exif(6, setting="apply"),
    "8-apply": Exif(8, setting="apply"),
    "3-apply": Exif(3, setting="apply"),
    "5-apply": Exif(5, setting="apply"),
    "2-both-apply": Exif(2, 2, "apply", drawn_on_stored=True),
    "7-both-apply": Exif(7, 7, "apply", drawn_on_stored=True),
    "6-ignore": Exif(6, setting="ignore", drawn_on_stored=True),
    "4-ignore": Exif(4, setting="ignore", drawn_on_stored=True),
    "6-unsaid": Exif(6),
    "3-unsaid": Exif(3, drawn_on_stored=True),
    "8-wrong-way": Exif(8, setting="ignore"),
}

CLASSES = {
    "plain": ["ground", "roof", "vehicle"],
    "phrases": ["bare ground", "roof, flat", "it's a car: [1]"],
    "unicode": ["Straße", "水", "🚗"],
    "words": ["no", "null", "true"],
    "numbers": ["1", "0", "1e3"],
    "underscores": ["a", "a_b", "a b"],
}

READING = {
    "kept": ["data.image_min_size=null"],
    "no-memory": ["data.image_min_size=null", "data.mask_memory_mb=0"],
    "half": ["data.image_min_size=24"],
    "same": ["data.image_min_size=48"],
}

WINDOWS = {
    "none": [],
    "32": ["data.window=32"],
    "48": ["data.window=48"],
    "30x41": ["data.window=[30,41]"],
    "16x100": ["data.window=[16,100]"],
    "uncached": ["data.window=[48,40]", "data.window_cache_gb=0"],
    "larger": ["data.window=100"],
}
"""Windows of images of 48 times 64 pixels, most of which overlap."""

CLUTTER = {
    "none": [],
    "of-macs": [".DS_Store", "._photo.jpg", ".thumbnails/photo.jpg"],
    "of-windows": ["Thumbs.db", "desktop.ini"],
    "of-maps": ["photo.jgw", "photo.aux.xml"],
}
"""What else lies beside images, by path."""

AXES = {
    "format": FORMATS,
    "mode": MODES,
    "bands": BANDS,
    "range": RANGES,
    "nodata": NODATA,
    "place": PLACES,
    "masks": MASKS,
    "mask_format": MASK_FORMATS,
    "naming": NAMINGS,
    "names": NAMES,
    "endings": ENDINGS,
    "exif": EXIF,
    "classes": CLASSES,
    "mapping": MAPPINGS,
    "reading": READING,
    "window": WINDOWS,
    "clutter": CLUTTER,
}
"""By axis, what its values are, by name. A value more is a line in one of these tables."""
