"""Small images that an exported model carries, with the masks it must give for them."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Probe:
    """An image as the network gets it, before normalisation, and its mask.

    Attributes:
        image: ``(h, w, B)`` uint8, RGB or the bands of training.
        mask: ``(h, w)`` uint8 class ids.
    """

    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]

    def to_mapping(self) -> dict[str, object]:
        """As JSON can hold it: bytes row by row, compressed by zlib, in base64."""
        return {
            "shape": list(self.image.shape),
            "image": _packed(self.image),
            "mask": _packed(self.mask),
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Probe":
        """What :meth:`to_mapping` returned.

        Raises:
            ValueError: If it is anything else.
        """
        try:
            height, width, bands = mapping["shape"]
            image = _unpacked(mapping["image"]).reshape(height, width, bands)
            return cls(image, _unpacked(mapping["mask"]).reshape(height, width))
        except (KeyError, TypeError, zlib.error) as error:
            raise ValueError(f"no probe: {error}") from error


def _packed(array: npt.NDArray[np.uint8]) -> str:
    return base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()


def _unpacked(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
