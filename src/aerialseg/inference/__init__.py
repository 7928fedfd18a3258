"""Inference from a checkpoint."""
