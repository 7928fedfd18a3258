"""The images and maps that masks are made of, checked before the first is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from aerialseg.data.images.decoding import check_whole
from aerialseg.data.images.georeference import georeference_of
from aerialseg.data.images.reading import read_size
from aerialseg.data.images.reading_settings import Reading
from aerialseg.errors import DataError
from aerialseg.inference.inputs import find_images

_SHOWN = 10  # problems printed at once


@dataclass(frozen=True)
class PredictionInputs:
    """What is predicted.

    Attributes:
        images: Height and width in pixels of those that become images, by path.
        maps: Those that become maps.
        names: The names of the results of all, without their endings.
        output_dir: The folder of the results.
        reading: How all are read.
    """

    images: Mapping[Path, tuple[int, int]]
    maps: Sequence[Path]
    names: Mapping[Path, str]
    output_dir: Path
    reading: Reading

    def stem(self, path: Path) -> Path:
        """The path of the results of an image or map, without their endings."""
        return self.output_dir / self.names[path]

    def larger(self, edge: int | None) -> dict[Path, tuple[int, int]]:
        """The images with an edge of more pixels, and their sizes; none without a number."""
        return {
            path: size
            for path, size in self.images.items()
            if edge is not None and max(size) > edge
        }


def find_inputs(
    source: str, *, output_dir: str, reading: Reading, takes_maps: bool
) -> PredictionInputs:
    """The images that ``input`` refers to; headers and ends of files are checked.

    Args:
        source: An image, a folder or a glob.
        output_dir: Where results are written.
        reading: How images are read.
        takes_maps: Whether maps, and images of more megapixels than ``reading`` allows, become
            maps; else maps are images as others.

    Raises:
        DataError: If there are no images, or if a header or the end of a file is damaged; all
            problems at once.
    """
    names = find_images(source, output_dir=output_dir)
    images: dict[Path, tuple[int, int]] = {}
    maps: list[Path] = []
    problems: list[str] = []
    for path in names:
        try:
            if takes_maps and _is_map(path, reading):
                maps.append(path)
            else:
                images[path] = read_size(path, reading)
            check_whole(path)
        except DataError as error:
            problems += error.problems
    if problems:
        more = [f"and {len(problems) - _SHOWN} more images"] if len(problems) > _SHOWN else []
        raise DataError(*problems[:_SHOWN], *more)
    return PredictionInputs(images, maps, names, Path(output_dir), reading)


def _is_map(path: Path, reading: Reading) -> bool:
    """Whether a file says where it lies on the ground, or is too large to be held."""
    height, width = read_size(path, replace(reading, max_megapixels=inf))
    return height * width > reading.max_megapixels * 1e6 or georeference_of(path) is not None
