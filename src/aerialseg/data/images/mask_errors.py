"""What can be wrong with a mask, told apart: a report names each kind by its own code."""

from typing import ClassVar

from aerialseg.errors import DataError


class MaskError(DataError):
    """A mask that cannot be used as it is.

    Attributes:
        code: The kind of fault, in snake_case; the same in every release.
    """

    code: ClassVar[str] = "unreadable_mask"


class UnknownValuesError(MaskError):
    """A mask holds values that stand for no class.

    Attributes:
        pixels: How many pixels of the mask have each value, known ones too.
    """

    code = "ids_out_of_range"

    def __init__(self, problem: str, pixels: dict[int, int]) -> None:
        super().__init__(problem)
        self.pixels = pixels


class UnknownColoursError(MaskError):
    """A mask has colours of no class."""

    code = "colours_of_no_class"


class LossyMaskError(MaskError):
    """A mask is stored in a format that changes values, as JPEG does."""

    code = "mask_is_lossy"


class ColourMaskError(MaskError):
    """A mask is painted in colours where class ids are expected."""

    code = "mask_looks_like_colours"


class IndexMaskError(MaskError):
    """A mask holds one channel of values where colours are expected."""

    code = "mask_looks_like_ids"


class SizesDifferError(MaskError):
    """A mask has not the size of its image."""

    code = "sizes_differ"
