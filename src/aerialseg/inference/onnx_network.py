"""An exported network in ONNX Runtime, in the place of the one in torch."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aerialseg.errors import AerialsegError, CheckpointError, ConfigError
from aerialseg.inference.model_metadata import ModelMetadata

INPUT, OUTPUT = "images", "logits"
"""The names of what goes in and out of the graph."""

_SHORT_OF_MEMORY = ("allocate memory", "bad allocation", "bad_alloc")


class OnnxNetwork:
    """Runs a model in ONNX Runtime on the CPU, with as many threads as torch has.

    Args:
        model: Its file, or its bytes.

    Raises:
        CheckpointError: If ONNX Runtime cannot load it.
        ConfigError: If ONNX Runtime is not installed.
    """

    def __init__(self, model: Path | bytes) -> None:
        runtime = onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # its warnings are about its own optimisations
        source = model if isinstance(model, bytes) else str(model)
        try:
            self._session = runtime.InferenceSession(
                source, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # it has many types of its own
            name = "the exported model" if isinstance(model, bytes) else model
            reason = " ".join(str(error).split())[:160]
            raise CheckpointError(
                f"{name}: onnxruntime {runtime.__version__} cannot load it: {reason}; a newer "
                "onnxruntime may, or export it again"
            ) from None

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Logits, as a network in torch returns them.

        Args:
            images: ``(N, B, H, W)`` float32 on the CPU, normalised.

        Returns:
            ``{"out": logits}``, the logits ``(N, C, h, w)`` float32.

        Raises:
            AerialsegError: If they do not fit into memory.
        """
        try:
            (logits,) = self._session.run([OUTPUT], {INPUT: images.contiguous().numpy()})
        except Exception as error:  # as above
            if any(words in str(error) for words in _SHORT_OF_MEMORY):
                height, width = images.shape[-2:]
                raise AerialsegError(
                    f"an image of {width}x{height} pixels needs more memory than this machine "
                    "has; cut it into tiles"
                ) from error
            raise
        return {"out": torch.from_numpy(logits)}

    def metadata(self, path: Path) -> ModelMetadata:
        """What the model says about itself.

        Args:
            path: Of its file, for messages.

        Raises:
            CheckpointError: If it is not what ``task=export`` writes.
        """
        found = self._session.get_modelmeta().custom_metadata_map
        return ModelMetadata.from_properties(found, path)


def onnxruntime() -> Any:  # noqa: ANN401 - it has no types
    """The package.

    Raises:
        ConfigError: If it is not installed.
    """
    try:
        import onnxruntime as found
    except ImportError:
        raise not_installed("onnxruntime") from None
    return found


def not_installed(package: str) -> ConfigError:
    """The error that says how a package of the extra ``export`` is installed."""
    return ConfigError(
        f"{package} is not installed; run `pip install 'aerialseg[export]'`, in a clone "
        "`pip install -e '.[export]'`"
    )
