"""Static quantisation to int8: several ways, from the fastest to the most careful."""

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_BLOCKS = 8
"""Parts of the network whose sensitivity is measured, and that may stay in float."""

_MOST_IN_FLOAT = 4


@dataclass(frozen=True)
class Quantised:
    """A model in int8.

    Attributes:
        model: Its bytes.
        per_channel: Whether each output channel of a convolution has a scale of its own.
        in_float: Names of the nodes that were left in float.
    """

    model: bytes
    per_channel: bool
    in_float: Sequence[str] = ()

    @property
    def way(self) -> str:
        """How it was quantised, in words."""
        granularity = "per channel" if self.per_channel else "per tensor"
        return granularity + (f", {len(self.in_float)} nodes in float" if self.in_float else "")


class Quantiser:
    """Quantises one model with the ranges that its values have on some images.

    Activations are uint8 and weights int8 of seven bits: with eight, processors without VNNI
    saturate in silence and give other masks than those with it.

    Args:
        model: An ``onnx.ModelProto`` in float32.
        name: Of its input.
        batches: ``(1, B, H, W)`` float32, what it is fed; sizes may differ.
    """

    def __init__(self, model: Any, name: str, batches: Sequence[npt.NDArray[np.float32]]) -> None:  # noqa: ANN401 - onnx has no types
        self._model = model
        self._name = name
        self._batches = batches
        self._nodes = [node.name for node in model.graph.node]

    def quantise(self, *, per_channel: bool, in_float: Sequence[str] = ()) -> Quantised:
        """The model in int8.

        Args:
            per_channel: Whether each output channel of a convolution has a scale of its own.
            in_float: Names of nodes that stay in float.
        """
        from onnxruntime import quantization as q

        with tempfile.TemporaryDirectory() as folder, _silence():
            path = Path(folder, "model.onnx")
            given = Path(folder, "float.onnx")
            given.write_bytes(self._model.SerializeToString())
            q.quantize_static(
                given,
                path,
                _reader(q.CalibrationDataReader, self._name, self._batches),
                quant_format=q.QuantFormat.QDQ,
                per_channel=per_channel,
                reduce_range=True,
                activation_type=q.QuantType.QUInt8,
                weight_type=q.QuantType.QInt8,
                nodes_to_exclude=list(in_float),
            )
            return Quantised(path.read_bytes(), per_channel, tuple(in_float))

    def more_careful(self, score: Callable[[Quantised], float]) -> Iterator[Quantised]:
        """Models with more and more of their most sensitive parts in float.

        Args:
            score: How well a model does, higher is better; asked once for each part, of a model in
                which that part alone is int8.
        """
        blocks = [list(each) for each in np.array_split(np.array(self._nodes), _BLOCKS)]
        scores = []
        for block in blocks:
            others = [name for name in self._nodes if name not in set(block)]
            scores.append(score(self.quantise(per_channel=True, in_float=others)))
        worst = sorted(range(len(blocks)), key=lambda index: scores[index])
        for number in range(1, _MOST_IN_FLOAT + 1):
            kept = {str(name) for index in worst[:number] for name in blocks[index]}
            in_float = [name for name in self._nodes if name in kept]
            yield self.quantise(per_channel=True, in_float=in_float)


def _reader(base: Any, name: str, batches: Sequence[npt.NDArray[np.float32]]) -> object:  # noqa: ANN401 - ONNX Runtime has no types
    """What ONNX Runtime takes calibration images from."""
    left = iter(batches)

    class Reader(base):  # type: ignore[misc]
        def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
            batch = next(left, None)
            return None if batch is None else {name: batch}

    return Reader()


@contextmanager
def _silence() -> Iterator[None]:
    """Hides the advice that ONNX Runtime logs while it quantises."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(level)
