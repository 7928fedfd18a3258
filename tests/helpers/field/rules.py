"""What is expected of a combination: which cannot be, and the line that refuses data.

Written down from what the pages say, one rule a line, and not from the code that they judge.
"""

from helpers.field.axes import AXES
from helpers.field.band_rules import BAND_RULES
from helpers.field.drawing import LOOKS
from helpers.field.rule import ON_PAPER, Rule, any_of


def _is_folders(place):
    return "data=folders" in place.typed


def _suffixes(ends, image, mask):
    return tuple(ending.lower() for ending in ends(image.suffix, mask.suffix))


_LOSSY = ("jpeg", "webp-lossy", "tiff-jpeg")
_MIXING = ("jpeg", "progressive", "tiff-jpeg", "webp-lossy")
_NUMBERED_ANEW = (  # the greys of a GIF, by Pillow as by other programs
    *("ids-and-255", "0-and-255", "0-and-255-unsaid", "0-128-255", "from-1"),
    *("from-1-unsaid", "several-values", "unknown-id", "no-label", "palette-of-others"),
)
_TURNED = (2, 3, 4, 5, 6, 7, 8)


def _count(mode, masks):
    """How many classes there are."""
    return min(len(LOOKS[mode.looks]), masks.classes)


RULES = [
    Rule("format =mode", lambda form, mode: mode not in form.modes.split(), ON_PAPER),
    Rule("mask_format masks", lambda f, masks: masks.mode not in f.modes.split(), ON_PAPER),
    Rule("format exif", lambda form, exif: exif.image and not form.has_exif, ON_PAPER),
    Rule(
        "mask_format exif",
        lambda form, exif: exif.mask and (not form.has_exif or form.kind == "TIFF"),
        ON_PAPER,
    ),
    # Their files are written byte by byte here.
    Rule(
        "mode =exif",
        lambda mode, exif: mode.is_deep and mode.looks == "colour" and exif != "none",
        ON_PAPER,
    ),
    Rule("=format =exif", lambda f, exif: f == "tiff-planar" and exif != "none", ON_PAPER),
    Rule(
        "=masks mapping",
        lambda masks, mapped: masks == "0-and-255-unsaid" and 2 not in mapped.ids,
        ON_PAPER,
    ),
    Rule("=masks =exif", lambda m, exif: m == "ids-2-bit" and "both" in exif, ON_PAPER),
    Rule("mode =reading", lambda m, size: m.looks == "grey" and size == "half", ON_PAPER),
    # Halved, colours that JPEG has mixed at the edges of blocks are in doubt.
    Rule("=format =reading", lambda f, size: f in _MIXING and size == "half", ON_PAPER),
    # Of fewer bands than three, too.
    Rule(
        "=format =bands",
        lambda f, bands: f in _MIXING and bands not in ("unsaid", "1-2-3", "3-2-1"),
        ON_PAPER,
    ),
    # Resized by other than a half, colours are in doubt at the edges of blocks.
    Rule(
        "=reading =window",
        lambda size, window: size in ("half", "same") and window not in ("none", "48", "larger"),
        ON_PAPER,
    ),
    Rule("place =naming", lambda place, name: not _is_folders(place) and name != "same", ON_PAPER),
    Rule("=place =naming", lambda p, name: p == "sequences" and name != "same", ON_PAPER),
    Rule("=place =naming", lambda p, name: p == "one-folder" and name == "wrong", ON_PAPER),
    # A mask of 1.jpg is named as an image of 1.jpg.png is.
    Rule(
        "=place =naming =names",
        lambda p, name, names: (p, name, names) == ("one-folder", "with-suffix", "dots"),
        ON_PAPER,
    ),
    Rule("=mode", any_of("CMYK"), "has CMYK colours, which become RGB by a colour profile only"),
    Rule(
        "=mask_format =masks",
        lambda form, masks: form == "gif" and masks in _NUMBERED_ANEW,
        "shows them as the greys",
    ),
    Rule(
        "=mask_format =masks",
        lambda form, masks: form == "gif" and masks == "palette-and-255",
        "masks: hold the values 0, 1",
    ),
    Rule(
        "format exif",
        lambda form, exif: form.kind == "TIFF" and exif.image in _TURNED,
        "is a TIFF with the orientation",
    ),
    Rule(
        "exif",
        lambda exif: exif.image in _TURNED and exif.setting is None,
        "with an EXIF orientation",
    ),
    Rule("=exif", any_of("8-wrong-way"), "data.exif_orientation=apply fits"),
    Rule(
        "place endings format mask_format",
        lambda place, ends, image, mask: (
            place.only_jpg_and_png and _suffixes(ends, image, mask)[0] != ".jpg"
        ),
        "without an image",
    ),
    Rule(
        "place endings format mask_format",
        lambda place, ends, image, mask: (
            place.only_jpg_and_png and _suffixes(ends, image, mask)[1] != ".png"
        ),
        "without a mask",
    ),
    Rule("=names", any_of("line-break"), "cannot be printed | already; drop one"),
    Rule(
        "place =names", lambda p, names: p.has_lists and names == "outer-spaces", "without an image"
    ),
    Rule("place =names", lambda p, names: p.is_zip and names == "case", "the same name up to case"),
    Rule(
        "=place =naming",
        lambda place, name: place == "one-folder" and name == "same",
        "is the folder of the images too",
    ),
    Rule("=naming", any_of("wrong"), "without a mask"),
    Rule(
        "mapping mode masks",
        lambda mapped, mode, masks: _count(mode, masks) not in mapped.ids,
        "leaves one class",
    ),
    Rule("=place", any_of("table-of-semicolons"), "no column 'image' (columns: 'image;split')"),
    Rule("=mask_format", any_of(*_LOSSY), "which changes values"),
    Rule(
        "=mask_format =masks",
        lambda form, masks: form == "tiff-inverted" and masks != "grey-colours",
        "stores its values inverted",
    ),
    Rule("=masks", any_of("0-and-255-unsaid"), "255 is ignored, so"),
    Rule("=masks", any_of("from-1-unsaid"), "if they stand for its classes in this order"),
    Rule("=masks", any_of("transparent"), "has transparent pixels (50%)"),
    Rule("=masks", any_of("palette-mixed"), "by the colours of its palette"),
    Rule("=masks", any_of("colours-unsaid"), "is no single-channel mask (mode RGB)"),
    Rule("=masks", any_of("colours-and-one-more"), "#010203"),
    Rule(
        "=masks",
        any_of("ids-as-colours"),
        "is a single-channel mask (mode L) | are no colour of the class table",
    ),
    Rule("=masks", any_of("unknown-id"), "id 17 (256 pixels, 8.33%) is outside the class table"),
    Rule("=masks", any_of("fractions"), "holds fractions"),
    Rule("=masks", any_of("no-label"), "every pixel is ignored"),
    *BAND_RULES,
]


class _Compiled:
    """A rule that remembers what it has said of which names."""

    def __init__(self, rule):
        self.line = rule.line
        self._applies, self._typed = rule.applies, rule.axes.split()
        self.axes = [axis.lstrip("=") for axis in self._typed]
        self._said = {}

    def holds(self, combination):
        """Whether it applies; it does not while one of its axes is open."""
        names = tuple(map(combination.get, self.axes))
        if names not in self._said:
            self._said[names] = None not in names and self._of(names)
        return self._said[names]

    def _of(self, names):
        pairs = zip(self._typed, self.axes, names, strict=True)
        values = [name if axis[0] == "=" else AXES[key][name] for axis, key, name in pairs]
        return bool(self._applies(*values))


_COMPILED = [_Compiled(rule) for rule in RULES]
_REFUSING = [rule for rule in _COMPILED if rule.line != ON_PAPER]
_BY_AXIS = {axis: [rule for rule in _COMPILED if axis in rule.axes] for axis in AXES}


def reasons(combination):
    """What lines may say that refuse it; none for what is read. Open axes say nothing."""
    return [rule.line for rule in _REFUSING if rule.holds(combination)]


def says(line, combination):
    """Whether a line says one of the reasons for which a combination is refused."""
    return any(part in line for reason in reasons(combination) for part in reason.split(" | "))


def refused_at_most(times):
    """Makes the function that says whether data can be, and are refused for no more reasons.

    It takes a combination and, if one axis is all that was added to one that it has allowed, that
    axis, which takes less time.
    """

    def is_allowed(combination, added=None):
        rules = _COMPILED if added is None else _BY_AXIS[added]
        holding = [rule for rule in rules if rule.holds(combination)]
        if any(rule.line == ON_PAPER for rule in holding):
            return False
        return not holding or len(reasons(combination)) <= times

    return is_allowed
