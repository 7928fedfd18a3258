"""From files on disk to batches of uint8 images and masks."""
