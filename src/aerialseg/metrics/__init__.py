"""Metrics of segmentation, all from one confusion matrix."""
