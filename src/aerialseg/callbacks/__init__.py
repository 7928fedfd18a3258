"""Callbacks of the trainer: checkpoints, progress, sample images, guards."""
