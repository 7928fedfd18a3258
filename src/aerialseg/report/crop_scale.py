"""How large training shows things in crops, compared with validation."""

from collections.abc import Sequence
from statistics import median

from aerialseg.data.datamodule import AerialSegDataModule


def crop_facts(data: AerialSegDataModule) -> list[str]:
    """One line about the crops that training shows, if it shows any."""
    if data.crops is None:
        return []
    height, width = data.crops.size
    low, high, shown = _zooms(data)
    return [
        f"data.crop_size: training shows crops of {width}x{height} pixels, in which things have "
        f"{low:.2f} to {high:.2f} times their size in the files; validation and prediction show "
        f"them at {shown:.2f}"
    ]


def crop_warnings(data: AerialSegDataModule) -> list[str]:
    """Says if validation shows things larger or smaller than all crops of training."""
    if data.crops is None:
        return []
    low, high, shown = _zooms(data)
    if low - _ROUNDING <= shown <= high + _ROUNDING:
        return []
    edge = median(min(size) for size in data.contents.served_sizes("train"))
    now = "null" if data.image_min_size is None else data.image_min_size
    which = "larger" if shown > high else "smaller"
    return [
        f"data.image_min_size: {now} shows things {which} in validation and prediction than any "
        f"crop of training does; set a size from {round(low * edge)} to {round(high * edge)}, or "
        "change data.crop_size or data.crop_scale"
    ]


_ROUNDING = 0.01


def _zooms(data: AerialSegDataModule) -> tuple[float, float, float]:
    """How many times larger than in the files things are shown, at the median of the images.

    Returns:
        In crops at least and at most, and in validation.
    """
    if data.crops is None:
        raise ValueError("there are no crops")
    stored = data.contents.served_sizes("train")
    of_crops = [data.crops.zooms(size) for size in stored]
    served = data.served_sizes("train")
    whole: Sequence[float] = [min(new) / min(old) for new, old in zip(served, stored, strict=True)]
    low, high = (median(values) for values in zip(*of_crops, strict=True))
    return low, high, median(whole)
