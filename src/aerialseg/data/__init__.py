"""From files on disk to batches of uint8 pictures and masks."""
