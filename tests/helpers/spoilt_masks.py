"""Ways to spoil the mask or the image of a sample, and what is said of each."""

import numpy as np

from helpers.tiny_data import mask, random_image, save


def unknown_id(sample):
    save(sample.mask, np.full((24, 32), 9, dtype=np.uint8))


def gone(sample):
    sample.mask.unlink()


def cut_short(sample):
    sample.mask.write_bytes(sample.mask.read_bytes()[:-40])


def other_mask_size(sample):
    save(sample.mask, mask((12, 16)))


def other_image_size(sample):
    save(sample.image, random_image((48, 64)))


SPOILT_MASKS = [
    (unknown_id, r"\.png: id 9 \(768 pixels, 100%\) is outside the class table"),
    (gone, r"\.png: no such file"),
    (cut_short, r"\.png: cannot be decoded"),
    (other_mask_size, r"\.png: its size differs from that of .*\.jpg"),
    (other_image_size, r"\.png: its size differs from that of .*\.jpg"),
]
