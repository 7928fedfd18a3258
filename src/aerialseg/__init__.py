"""Semantic segmentation of aerial drone pictures, fine-tuned in five stages from YAML."""

import os

__version__ = "0.1.0"

# albumentations asks the network for a newer release while it is imported; nothing here may.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
