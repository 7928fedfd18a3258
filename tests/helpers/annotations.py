"""Annotation files of labelling tools, and the images they describe."""

import json
from pathlib import Path

import numpy as np

from aerialseg.data.annotations.conversion import Wishes
from aerialseg.data.annotations.rasteriser import draw
from helpers.tiny_data import random_image, save, text

SQUARE = [[2, 3], [7, 3], [7, 9], [2, 9]]
"""Columns 2 to 6, rows 3 to 8: 30 pixels."""


SIZE = (12, 16)
"""Height and width of the images, where nothing else is said."""


def drawn(table):
    """The area of the only shape of a table of annotations: ``(12, 16)`` bool."""
    ((shape,),) = (image.shapes for image in table.images)
    mask = np.zeros(SIZE, dtype=bool)
    patch = draw(shape.outline, SIZE)
    height, width = patch.inside.shape
    mask[patch.top : patch.top + height, patch.left : patch.left + width] = patch.inside
    return mask


def block(rows, columns):
    mask = np.zeros(SIZE, dtype=bool)
    mask[rows[0] : rows[1], columns[0] : columns[1]] = True
    return mask


def flat(points):
    return [value for point in points for value in point]


def images(folder: Path, *names: str, size=SIZE, **options) -> Path:
    for seed, name in enumerate(names):
        save(folder / name, random_image(size, seed), **options)
    return folder


def coco(path: Path, *, names=("a.png",), size=SIZE, shapes=(), labels=("roof",), **changes):
    """``shapes``: (index of the image, category id, segmentation[, other keys]); ids from 1."""
    content = {
        "images": [
            {"id": index, "file_name": name, "height": size[0], "width": size[1]}
            for index, name in enumerate(names)
        ],
        "categories": [{"id": i, "name": name} for i, name in enumerate(labels, start=1)],
        "annotations": [
            {"id": index, "image_id": image, "category_id": category, "segmentation": seg}
            | dict(*more)
            for index, (image, category, seg, *more) in enumerate(shapes, start=1)
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return path


def labelme(path: Path, *shapes, image=None, size=SIZE, **changes) -> Path:
    """``shapes``: (label, points[, other keys])."""
    content = {
        "version": "5.5.0",
        "flags": {},
        "imagePath": image or f"{path.stem}.png",
        "imageData": "not read",
        "imageHeight": size and size[0],
        "imageWidth": size and size[1],
        "shapes": [
            {"label": label, "points": points, "shape_type": "polygon", "group_id": 3} | dict(*more)
            for label, points, *more in shapes
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return path


def cvat(
    path: Path, *shapes: str, labels=(("roof", "#102030"), ("car", "#ff0000")), **image
) -> Path:
    """``shapes``: elements as they stand in the file."""
    image = {"id": 0, "name": "a.png", "width": 16, "height": 12} | image
    attributes = " ".join(f'{key}="{value}"' for key, value in image.items())
    listed = (f"<label><name>{n}</name><color>{c}</color></label>" for n, c in labels)
    return text(
        path,
        '<?xml version="1.0" encoding="utf-8"?>',
        "<annotations><version>1.1</version>",
        f"<meta><task><labels>{''.join(listed)}</labels></task></meta>",
        f"<image {attributes}>",
        *shapes,
        "</image></annotations>",
    )


def wishes(**changes) -> Wishes:
    defaults = {
        "images": None,
        "classes": None,
        "renamed_labels": {},
        "unlabelled": "background",
        "empty_images": "leave_out",
        "order": "auto",
        "exif_orientation": None,
        "copy_images": False,
        "max_megapixels": 200.0,
    }
    return Wishes(**defaults | changes)
