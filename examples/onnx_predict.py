"""Masks of RGB images from a model that task=export wrote: onnxruntime, numpy and Pillow alone.

python onnx_predict.py model.onnx IMAGE... writes NAME_mask.png beside each image: class ids, with
the colours of the classes as palette.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def resampling(length: int, wanted: int) -> np.ndarray:
    """The (wanted, length) weights that resize an axis: averages of areas, bilinear if it grows."""
    scale, pixels = length / wanted, np.arange(length)
    if scale > 1:
        edges = np.arange(wanted + 1)[:, None] * scale
        overlap = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
        return (overlap.clip(min=0) / scale).astype(np.float32)
    centres = ((np.arange(wanted)[:, None] + 0.5) * scale - 0.5).clip(0, length - 1)
    return (1 - abs(centres - pixels)).clip(min=0).astype(np.float32)


def resize(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Planes (..., h, w) at another size."""
    down, across = resampling(planes.shape[-2], height), resampling(planes.shape[-1], width)
    return down @ planes @ across.T


def segment(session: onnxruntime.InferenceSession, about: dict, image: np.ndarray) -> np.ndarray:
    """Class ids (H, W) of an RGB image (H, W, 3) of bytes."""
    size, edge = image.shape[:2], about["image_min_size"]
    if edge and about["window"]:  # trained on windows: images are resized by as much as those
        cut = min(map(min, zip(size, about["window"], strict=True)))
        edge = max(1, int(edge * min(size) / cut + 0.5))
    height, width = (int(n * edge / min(size) + 0.5) if edge else n for n in size)
    planes = resize(np.float32(image).transpose(2, 0, 1), height, width).round() / 255
    mean, std = (np.float32(about[key])[:, None, None] for key in ("mean", "std"))
    (logits,) = session.run(["logits"], {"images": ((planes - mean) / std)[None]})
    return resize(logits[0], *size).argmax(0).astype(np.uint8)


if __name__ == "__main__":
    session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    about = json.loads(session.get_modelmeta().custom_metadata_map["aerialseg"])
    for path in map(Path, sys.argv[2:]):
        image = Image.open(path)
        if about["exif_orientation"] != "ignore":
            image = ImageOps.exif_transpose(image)
        mask = Image.fromarray(segment(session, about, np.asarray(image.convert("RGB"))))
        mask.putpalette([level for colour in about["classes"].values() for level in colour])
        mask.save(path.with_name(f"{path.stem}_mask.png"))
