"""Semantic segmentation of aerial drone images, fine-tuned in five stages from YAML.

The names in ``__all__`` are the stable Python interface. Each is imported when it is first used,
so that ``import aerialseg`` alone stays fast and does not load torch.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aerialseg.callbacks.checkpoint import InMemoryCheckpoint
    from aerialseg.data.datamodule import AerialSegDataModule
    from aerialseg.data.dataset import SemSegDataset
    from aerialseg.data.images.resizing import resize_keep_aspect
    from aerialseg.inference.predictor import Predictor
    from aerialseg.losses import DiceCrossEntropyLoss
    from aerialseg.metrics.accumulators import MulticlassDiceScore
    from aerialseg.report.notebook import show_predictions_with_metrics, show_random_samples

__version__ = "0.1.0"

__all__ = [
    "AerialSegDataModule",
    "DiceCrossEntropyLoss",
    "InMemoryCheckpoint",
    "MulticlassDiceScore",
    "Predictor",
    "SemSegDataset",
    "resize_keep_aspect",
    "show_predictions_with_metrics",
    "show_random_samples",
]

# albumentations asks the network for a newer release while it is imported; nothing here may.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

_MODULES = {
    "AerialSegDataModule": "aerialseg.data.datamodule",
    "DiceCrossEntropyLoss": "aerialseg.losses",
    "InMemoryCheckpoint": "aerialseg.callbacks.checkpoint",
    "MulticlassDiceScore": "aerialseg.metrics.accumulators",
    "Predictor": "aerialseg.inference.predictor",
    "SemSegDataset": "aerialseg.data.dataset",
    "resize_keep_aspect": "aerialseg.data.images.resizing",
    "show_predictions_with_metrics": "aerialseg.report.notebook",
    "show_random_samples": "aerialseg.report.notebook",
}

if not TYPE_CHECKING:  # a type checker would take __getattr__ to accept any name

    def __getattr__(name: str) -> object:
        """Imports a name of the public interface when it is first used."""
        if name not in _MODULES:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
        value = getattr(import_module(_MODULES[name]), name)
        globals()[name] = value  # the next use does not come here
        return value


def __dir__() -> list[str]:
    """The public names, also those not imported yet, and what every module has."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
