"""Checks before training: of images, masks, their labels and the augmentation."""
