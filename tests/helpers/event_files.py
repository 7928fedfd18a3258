"""What TensorBoard reads from event files."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def read_scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """By tag, the steps and values in the order of the files."""
    events = _read(folder)
    tags = events.Tags()["scalars"]
    return {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in tags}


def read_images(folder: Path) -> dict[str, list[tuple[int, np.ndarray]]]:
    """By tag, the steps and ``(H, W, 3)`` uint8 images in the order of the files."""
    events = _read(folder)
    return {
        tag: [(each.step, _decoded(each)) for each in events.Images(tag)]
        for tag in events.Tags()["images"]
    }


def _read(folder: Path) -> EventAccumulator:
    everything = {"scalars": 0, "images": 0}
    return EventAccumulator(str(folder), size_guidance=everything).Reload()


def _decoded(event) -> np.ndarray:
    pixels = np.array(Image.open(BytesIO(event.encoded_image_string)))
    assert pixels.shape == (event.height, event.width, 3)
    return pixels
