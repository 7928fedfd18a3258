"""The config contract: every key known, every value fitting, every contradiction named."""

from aerialseg.config.validation import validate

__all__ = ["validate"]
