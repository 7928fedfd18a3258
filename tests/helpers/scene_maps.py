"""Maps of simple scenes, and how they are predicted."""

from dataclasses import replace

import numpy as np
from rasterio.crs import CRS
from rasterio.transform import Affine

from aerialseg.data.images.rows import HeldImage
from aerialseg.inference.predictor import Predictor
from aerialseg.inference.tiles.prediction import predict_strips
from aerialseg.inference.tiles.tiling import tiling_as_trained
from aerialseg.tasks.predict import predict
from helpers.composing import experiment
from helpers.shape_images import shape_images

PLACE = {"crs": CRS.from_epsg(32633), "transform": Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000)}


def scene(rows=5, columns=3):
    """An image of ``rows * 64`` by ``columns * 96`` pixels."""
    images = [image for image, _ in shape_images(rows * columns).values()]
    grid = [np.hstack(images[row * columns : (row + 1) * columns]) for row in range(rows)]
    return np.vstack(grid)


def run(source, checkpoint, output_dir, *overrides, **options):
    config = experiment("task=predict", "trainer=cpu", *overrides)
    config = replace(config, input=str(source), checkpoint=str(checkpoint))
    predict(config, output_dir=str(output_dir), **options)
    return sorted(path.name for path in output_dir.rglob("*") if path.is_file())


def in_tiles(image, checkpoint, missing=None, **options):
    """The mask by the parts that the task is made of."""
    predictor = Predictor(checkpoint)
    layout = tiling_as_trained(predictor.description, **options).layout(image.shape[:2])
    strips = predict_strips(HeldImage(image, missing), layout, predictor.batch_logits)
    return np.concatenate([strip.mask for strip in strips])
