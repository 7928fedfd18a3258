import numpy as np

from aerialseg.inference.tiles.layout import tile_layout
from benchmarks.mosaics import Measured, _add_changes


def test_changes_at_the_ends_of_tiles_are_told_from_others():
    layout = tile_layout((128, 224), tile_size=128, overlap=0.25, scale=1)  # columns 0-128, 96-224
    mask = np.zeros((128, 224), np.uint8)
    mask[:, 96:128] = 1  # two seams, each as long as the image is high
    mask[0, 10] = 2  # two changes along the row, one along the column
    found = Measured()
    _add_changes(mask, layout, found)
    assert found.at_seams.tolist() == [2 * 128, 2 * 128]
    assert found.elsewhere.tolist() == [3, 127 * 224 + 221 * 128]
    assert found.seams == 1 / (3 / (127 * 224 + 221 * 128))
