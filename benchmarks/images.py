"""The images of the benchmarks: drawn scenes, or a given data set."""

import atexit
import shutil
import tempfile
from functools import cache
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from aerialseg.data.images.reading import read_image, read_mask
from aerialseg.data.layouts import aeroscapes
from aerialseg.scenes import render_scene
from benchmarks.timing import Setting

_SCENES = 8
_QUALITY = 91  # a scene of 1280x720 then has about 220 KB, like the frames of AeroScapes


@cache
def temporary_folder() -> Path:
    """A temporary folder that is deleted when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="aerialseg-benchmarks-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@cache
def data_root(setting: Setting, *, train: int, val: int = 1) -> Path:
    """A folder laid out like AeroScapes with ``train`` and ``val`` images.

    They are links to a few files in turn; a loader decodes each of them anyway.
    """
    root = _new_folder()
    for name in ("JPEGImages", "SegmentationClass", "ImageSets"):
        (root / name).mkdir(parents=True)
    ids = [f"{number:06d}_001" for number in range(train + val)]
    for key, (image, mask) in zip(ids, islice(cycle(_files(setting)), len(ids)), strict=True):
        _link(root / "JPEGImages" / f"{key}.jpg", image)
        _link(root / "SegmentationClass" / f"{key}.png", mask)
    for name, part in (("trn", ids[:train]), ("val", ids[train:])):
        (root / "ImageSets" / f"{name}.txt").write_text("\n".join(part) + "\n", encoding="utf-8")
    return root


def _link(name: Path, target: Path) -> None:
    try:
        name.symlink_to(target)
    except OSError:  # Windows lets administrators alone make links
        shutil.copyfile(target, name)


def arrays(
    setting: Setting, count: int
) -> list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]:
    """Images ``(H, W, 3)`` uint8 RGB with their masks ``(H, W)`` uint8."""
    pairs = islice(cycle(_files(setting)), count)
    return [(read_image(image), read_mask(mask)) for image, mask in pairs]


def with_every_class(mask: npt.NDArray[np.uint8], num_classes: int) -> npt.NDArray[np.uint8]:
    """The mask with a small patch of every class in its first rows.

    Implementations that treat absent classes differently then give the same result.
    """
    mask = mask.copy()
    side = mask.shape[1] // (2 * num_classes)
    for index in range(num_classes):
        mask[:side, 2 * index * side : (2 * index + 1) * side] = index
    return mask


@cache
def _files(setting: Setting) -> tuple[tuple[Path, Path], ...]:
    if setting.images is not None:
        samples = aeroscapes(setting.images.resolve(), temporary_folder()).samples
        found = ((sample.image, sample.mask) for sample in samples)
        return tuple((image, mask) for image, mask in found if mask is not None)[:_SCENES]
    folder = _new_folder()
    return tuple(_draw(folder, number, setting.size) for number in range(setting.count(_SCENES)))


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(dir=temporary_folder()))


def _draw(folder: Path, number: int, size: tuple[int, int]) -> tuple[Path, Path]:
    image, mask = render_scene(7, size, sequence=number)
    paths = folder / f"{number}.jpg", folder / f"{number}.png"
    Image.fromarray(image).save(paths[0], quality=_QUALITY)
    Image.fromarray(mask).save(paths[1])
    return paths
