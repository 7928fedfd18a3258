"""Validation of the config: keys, types, ranges, and rules between keys."""

from aerialseg.config.validation import validate

__all__ = ["validate"]
