"""Shared by the training tasks: building, hardware, feature cache, forecast, outcome."""
